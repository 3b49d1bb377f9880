"""`get_file`: what is downloaded is whole, what is unpacked stays in its place."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from ramify.errors import ArgumentError, FileFormatError, UnsafeFileError
from ramify.utils import get_file

spec = importlib.util.spec_from_file_location("serving", Path(__file__).with_name("serving.py"))
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

HELLO = b"hello"
SHA = hashlib.sha256(HELLO).hexdigest()


def tar(path, *members):
    """An archive of ``(name, bytes)`` or made `TarInfo`s."""
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.txt").write_bytes(HELLO)
    tar(folder / "good.tar.gz", ("in/x.txt", b"x"), ("in/deep/y.txt", b"yy"))
    with zipfile.ZipFile(folder / "good.zip", "w") as archive:
        archive.writestr("in/x.txt", "x")
    with serving.serving(folder) as made:
        made.folder, made.cache = folder, tmp_path / "cache"
        yield made


def fetch(server, name, **kwargs):
    if "md5_hash" not in kwargs:
        kwargs.setdefault("file_hash", False)
    return Path(get_file(origin=f"{server.url}/{name}", cache_dir=server.cache, **kwargs))


@pytest.mark.parametrize("hashes", [{}, {"file_hash": None}, {"file_hash": ""}, {"file_hash": True}])
def test_a_hash_is_asked_for_before_anything_is_looked_at(server, hashes):
    origin = f"{server.url}/a.txt"
    with pytest.raises(ArgumentError, match=r"(?s)file_hash.*sha256.*file_hash=False"):
        get_file(origin=origin, cache_dir=server.cache, **hashes)
    assert not server.asked
    assert not server.cache.exists()
    fetch(server, "a.txt")  # nor is what lies in the cache taken on trust
    with pytest.raises(ArgumentError):
        get_file(origin=origin, cache_dir=server.cache, **hashes)


def test_a_hash_may_name_its_algorithm(server):
    md5 = hashlib.md5(HELLO).hexdigest()
    for given in (f"sha256:{SHA}", f"md5:{md5}", SHA.upper(), md5):
        assert fetch(server, "a.txt", file_hash=given).read_bytes() == HELLO
    with pytest.raises(FileFormatError, match="was expected"):
        fetch(server, "a.txt", file_hash="sha256:" + "0" * 64)
    for wrong in (f"sha256:{md5}", f"md5:{SHA}", f"crc:{SHA}"):
        with pytest.raises(ArgumentError, match="hexadecimal"):
            fetch(server, "a.txt", file_hash=wrong)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_file_is_downloaded_once(server, capsys):
    path = fetch(server, "a.txt")
    assert path == server.cache / "datasets" / "a.txt"
    assert path.read_bytes() == HELLO
    assert "Downloading data from http" in capsys.readouterr().out
    assert fetch(server, "a.txt", file_hash=SHA) == path
    assert len(server.asked) == 1
    assert capsys.readouterr().out == ""
    fetch(server, "a.txt", force_download=True)
    assert len(server.asked) == 2
    assert fetch(server, "a.txt", fname="b.txt", cache_subdir="else/where") == server.cache / "else" / "where" / "b.txt"


def test_the_cache_is_keras_own(server, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    assert get_file(origin=f"{server.url}/a.txt", file_hash=SHA) == str(tmp_path / "home" / "datasets" / "a.txt")


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_damaged_file_in_the_cache_is_fetched_again(server, kind):
    path = fetch(server, "a.txt")
    path.write_bytes(b"hell")
    wanted = hashlib.new(kind, HELLO).hexdigest()
    fetch(server, "a.txt", file_hash=wanted, hash_algorithm=kind)
    assert path.read_bytes() == HELLO
    path.write_bytes(b"hell")
    fetch(server, "a.txt", md5_hash=hashlib.md5(HELLO).hexdigest())
    assert path.read_bytes() == HELLO


def test_what_is_not_whole_leaves_nothing_behind(server):
    with pytest.raises(FileFormatError, match="was expected"):
        fetch(server, "a.txt", file_hash="0" * 64)
    with pytest.raises(ConnectionError, match="answered 404"):
        fetch(server, "nothing")
    with pytest.raises(ConnectionError, match=r"broke off after 9 of 1000"):
        fetch(server, "broken")
    assert files(server.cache) == ["datasets"]
    fetch(server, "a.txt")
    with pytest.raises(FileFormatError):
        fetch(server, "a.txt", file_hash="0" * 64)
    assert files(server.cache) == ["datasets", "datasets/a.txt"]
    with pytest.raises(ConnectionError, match="cannot be reached"):
        get_file(origin="http://127.0.0.1:9/x", file_hash=SHA, cache_dir=server.cache)


@pytest.mark.parametrize("name", ["good.tar.gz", "good.zip"])
def test_archives_are_unpacked(server, name):
    folder = fetch(server, name, extract=True)
    assert folder == server.cache / "datasets" / name
    assert (folder / "in" / "x.txt").read_text() == "x"
    assert folder.stat().st_mode & 0o055 == 0o055
    stamp = (folder / "in" / "x.txt").stat().st_mtime_ns
    assert fetch(server, name, extract=True) == folder
    assert (folder / "in" / "x.txt").stat().st_mtime_ns == stamp
    fetch(server, name, extract=True, force_download=True)
    assert (folder / "in" / "x.txt").stat().st_mtime_ns != stamp
    assert len(server.asked) == 2
    assert fetch(server, name, fname="called", untar=name.endswith("gz"), extract=name.endswith("zip")).name == "called"


TARS = {
    "symlink": [special("in/link", tarfile.SYMTYPE, "/etc")],
    "file through a symlink": [special("link", tarfile.SYMTYPE, ".."), ("link/marker", b"!")],
    "hard link": [special("hard", tarfile.LNKTYPE, "../../marker")],
    "device": [special("null", tarfile.CHRTYPE)],
    "pipe": [special("pipe", tarfile.FIFOTYPE)],
    "dots": [("../../marker", b"!")],
    "dots inside": [("in/../../marker", b"!")],
    "absolute": [("/tmp/ramify-marker", b"!")],
    "backslash": [("..\\marker", b"!")],
    "drive": [("C:marker", b"!")],
    "long chain": [special(f"{'d' * 200}/{i}", tarfile.SYMTYPE, "..") for i in range(20)],
}


@pytest.mark.parametrize("kind", TARS)
def test_archives_that_lead_out_are_refused_whole(server, kind, monkeypatch):
    monkeypatch.chdir("/")
    tar(server.folder / "bad.tar.gz", ("first.txt", b"fine"), *TARS[kind])
    with pytest.raises(UnsafeFileError):
        fetch(server, "bad.tar.gz", extract=True)
    assert files(server.cache) == ["datasets", "datasets/bad.tar.gz_archive"]
    assert not list(server.cache.parent.glob("marker"))


def test_zips_that_lead_out_or_explode_are_refused_whole(server, monkeypatch):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for name, member in (("../marker", b"!"), ("/marker", b"!"), (link, b"/etc")):
        with zipfile.ZipFile(server.folder / "bad.zip", "w") as archive:
            archive.writestr("first.txt", "fine")
            archive.writestr(name, member)
        with pytest.raises(UnsafeFileError):
            fetch(server, "bad.zip", extract=True, force_download=True)
    monkeypatch.setattr("ramify.utils.archives.MAX_FREE", 2**20)
    with zipfile.ZipFile(server.folder / "bad.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**21))
    with pytest.raises(UnsafeFileError, match="would become more than"):
        fetch(server, "bad.zip", extract=True, force_download=True)
    assert files(server.cache) == ["datasets", "datasets/bad.zip_archive"]


def test_what_is_no_archive(server):
    with pytest.raises(FileFormatError, match="no tar or zip archive"):
        fetch(server, "a.txt", extract=True)
    whole = (server.folder / "good.tar.gz").read_bytes()
    (server.folder / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFormatError):
        fetch(server, "half.tar.gz", extract=True)
    assert not (server.cache / "datasets" / "half.tar.gz").exists()
    with pytest.raises(ArgumentError, match="archive_format"):
        fetch(server, "good.zip", extract=True, archive_format="rar")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs `origin`"),
        ({"origin": "http://x/"}, "names no file"),
        ({"origin": "http://x/y", "fname": "../y"}, "without folders"),
        ({"origin": "http://x/y", "fname": "/etc/y"}, "without folders"),
        ({"origin": "http://x/y", "fname": ".."}, "without folders"),
        ({"origin": "http://x/y", "file_hash": "abc"}, "hexadecimal"),
        ({"origin": "http://x/y", "file_hash": "g" * 64}, "hexadecimal"),
        ({"origin": "http://x/y", "hash_algorithm": "crc"}, "hash_algorithm"),
        ({"origin": "ftp://x/y"}, "http, https or file"),
    ],
)
def test_arguments_that_are_none(tmp_path, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        get_file(cache_dir=tmp_path, **{"file_hash": False, **arguments})
