"""Zips that lie about themselves: each is refused quickly, in little memory, and nothing is written."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import sys
import zipfile

import pytest

from ramify import Input, Model, layers
from ramify.errors import FileFormatError
from ramify.saving import load_model, save_model
from tests.saving.hostile import build, rewrite
from tests.saving.watched import refused

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches a forked child by /proc"),
    pytest.mark.filterwarnings("ignore"),  # forking is meant, and so are zips with two members of one name
]
SPARE = 64 * 2**20
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
# Where fields stand in the headers of members: offset in the local one, in the central one, and struct format.
FIELDS = {
    "flags": (6, 8, "<H"),
    "method": (8, 10, "<H"),
    "crc": (14, 16, "<L"),
    "packed": (18, 20, "<L"),
    "size": (22, 24, "<L"),
    "offset": (None, 42, "<L"),
}


def header(data, name, which):
    """Where the header of a member begins; `which` is `LOCAL` or `CENTRAL`."""
    length, text = (26, 30) if which == LOCAL else (28, 46)
    at = data.index(which)
    while True:
        size = int.from_bytes(data[at + length : at + length + 2], "little")
        if data[at + text : at + text + size] == name.encode():
            return at
        at = data.index(which, at + 1)


def lie(path, name, where, **fields):
    """Change fields of a member's headers; numbers, or functions of what is there."""
    data = bytearray(path.read_bytes())
    for which in where:
        at = header(data, name, which)
        for field, value in fields.items():
            offset, form = at + FIELDS[field][which == CENTRAL], FIELDS[field][2]
            new = value(struct.unpack_from(form, data, offset)[0]) if callable(value) else value
            struct.pack_into(form, data, offset, new)
    path.write_bytes(data)


def central(**fields):
    return lambda path, name: lie(path, name, [CENTRAL], **fields)


def local(**fields):
    return lambda path, name: lie(path, name, [LOCAL], **fields)


def both(**fields):
    return lambda path, name: lie(path, name, [LOCAL, CENTRAL], **fields)


def overlapping(path, name):
    """Two members whose data are the same bytes: the directory names one of them twice, under two names."""
    rewrite(path, more=[("assets/a", b"x")])
    place = path.read_bytes().index(LOCAL)
    lie(path, "assets/a", [CENTRAL], offset=place)


def nested(path, name):
    """A member that lies in the data of another one, whole, with a header of its own."""
    with zipfile.ZipFile(path.with_suffix(".other"), "w") as file:
        file.writestr("assets/in", b"inner")
    inner = path.with_suffix(".other").read_bytes()
    inner = inner[: inner.index(CENTRAL)]
    rewrite(path, more=[("assets/out", inner), ("assets/in", b"inner")])
    data = path.read_bytes()
    lie(path, "assets/in", [CENTRAL], offset=data.index(inner))


def many(path, name):
    with zipfile.ZipFile(path, "a") as file:
        for i in range(60_000):
            file.writestr(zipfile.ZipInfo(f"assets/{i}"), b"")


def twice(path, name):
    rewrite(path, more=[(name, b"{}")])


def twice_by_a_null(path, name):
    """`zipfile` reads names up to a null byte."""
    rewrite(path, more=[(name + "?x", b"{}")])
    path.write_bytes(path.read_bytes().replace(name.encode() + b"?x", name.encode() + b"\0x"))


def kind(mode):
    def change(path, name):
        info = zipfile.ZipInfo("assets/odd")
        info.external_attr = (mode | 0o777) << 16
        with zipfile.ZipFile(path, "a") as file:
            file.writestr(info, "/etc/passwd")

    return change


def called(name):
    return lambda path, _: rewrite(path, more=[(name, b"x")])


def packed_json(path, name):
    """Sixteen million empty lists, in 32 kilobytes."""
    text = b'{"a": [' + b"[]," * (10 * 2**20) + b"[]]}"
    rewrite(path, lambda n, d: text if n == name else d, compression=zipfile.ZIP_DEFLATED)


def packed_vocabulary(path, name):
    """A vocabulary that a layer reads."""
    x = Input((1,), dtype="int32")
    lookup = layers.IntegerLookup()
    lookup.adapt([[7], [8]])
    save_model(Model(x, lookup(x)), path)
    words = b"".join(b"%d\n" % i for i in range(2**21))
    rewrite(path, lambda n, d: words if n.startswith("assets") else d, compression=zipfile.ZIP_DEFLATED)


JSON, H5 = "config.json", "model.weights.h5"
CASES = {
    "larger in the directory": (central(size=lambda n: n + 1000), (JSON, H5)),
    "far larger in the directory": (central(size=2**31), (JSON, H5)),
    "smaller in the directory": (central(size=lambda n: n - 10), (JSON, H5)),
    "packed larger in the directory": (central(packed=lambda n: n + 1000), (JSON, H5)),
    "both larger in the directory": (central(size=2**31, packed=2**31), (JSON, H5)),
    "both smaller in the directory": (central(size=lambda n: n - 10, packed=lambda n: n - 10), (JSON, H5)),
    "other sizes before the data": (local(size=7, packed=7), (JSON, H5)),
    "no sizes before the data": (local(size=0, packed=0), (JSON, H5)),
    "other checksum before the data": (local(crc=7), (JSON, H5)),
    "both headers lie": (both(size=2**31, packed=2**31), (JSON, H5)),
    "a place beyond the file": (central(offset=2**31), (JSON, H5)),
    "a place that is no header": (central(offset=lambda n: n + 3), (JSON, H5)),
    "overlapping": (overlapping, (JSON,)),
    "one in another": (nested, (JSON,)),
    "60,000 members": (many, (JSON,)),
    "two of one name": (twice, (JSON, H5, "metadata.json")),
    "two of one name but for a null": (twice_by_a_null, (JSON, H5)),
    "symbolic link": (kind(stat.S_IFLNK), (JSON,)),
    "pipe": (kind(stat.S_IFIFO), (JSON,)),
    "device": (kind(stat.S_IFCHR), (JSON,)),
    "socket": (kind(stat.S_IFSOCK), (JSON,)),
    "absolute": (called("/tmp/marker"), (JSON,)),
    "dots": (called("assets/../../marker"), (JSON,)),
    "dots at the end": (called("assets/.."), (JSON,)),
    "encrypted": (both(flags=1), (JSON, H5)),
    "encrypted by the directory": (central(flags=1), (JSON, H5)),
    "encrypted by its own header": (local(flags=1), (JSON, H5)),
    "strongly encrypted": (both(flags=0x41), (JSON, H5)),
    "masked header": (both(flags=0x2000), (JSON, H5)),
    "patch data": (both(flags=0x20), (JSON, H5)),
    "unknown method": (both(method=77), (JSON, H5)),
    "unknown method in its own header": (local(method=77), (JSON, H5)),
    "bzip2": (both(method=zipfile.ZIP_BZIP2), (JSON, H5)),
    "deflated without being so": (both(method=zipfile.ZIP_DEFLATED), (JSON, H5)),
    "a config that is small on disk only": (packed_json, (JSON, "metadata.json")),
    "a vocabulary that is small on disk only": (packed_vocabulary, (JSON,)),
}
ALL = [(kind, name) for kind, (_, names) in CASES.items() for name in names]


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory):
    """Modules that are imported when they are first needed are there before children are watched."""
    path = tmp_path_factory.mktemp("warm") / "m.keras"
    save_model(build(), path)
    load_model(path)
    with pytest.raises(FileFormatError):
        load_model(path.with_name("other"))


@pytest.mark.parametrize(("kind", "name"), ALL, ids=[f"{kind}-{name}" for kind, name in ALL])
def test_a_zip_that_lies_is_refused(kind, name, tmp_path):
    path = tmp_path / "m.keras"
    save_model(build(), path)
    CASES[kind][0](path, name)
    refused(path, lambda: load_model(path), tmp_path)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder", "link to a pipe", "link to itself"])
@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5", ".safetensors", ".weights.json"])
def test_a_path_that_is_no_regular_file_is_refused(kind, ending, tmp_path):
    path = tmp_path / f"m{ending}"
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to itself":
        path.symlink_to(path)
    else:
        pipe = path if kind == "pipe" else tmp_path / "pipe"
        os.mkfifo(pipe)
        if pipe != path:
            path.symlink_to(pipe)
    model = build()
    refused(path, lambda: model.load_weights(path), tmp_path)
    refused(path, lambda: load_model(path), tmp_path)
    refused(path, lambda: model.load_checkpoint(path), tmp_path)


def test_what_other_zips_have_is_read(tmp_path):
    """Packed members, sizes behind the data, folders, a comment, something before the zip: none of it is a lie."""
    path = tmp_path / "m.keras"
    save_model(build(), path)
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}

    class Unseekable:
        def __init__(self, handle):
            self.write, self.flush = handle.write, handle.flush

    with path.open("wb") as handle, zipfile.ZipFile(Unseekable(handle), "w", zipfile.ZIP_DEFLATED) as file:
        file.mkdir("assets")
        for name, data in members.items():
            with file.open(name, "w", force_zip64=True) as member:
                member.write(data)
        file.comment = b"by hand"
    path.write_bytes(b"before" + path.read_bytes())
    assert json.loads(members[JSON])["config"]["name"] == load_model(path).name
