"""Zips, JSON and headers that no model needs: F9, F10, F13 and F14."""

from __future__ import annotations

import json
import stat
import sys
import time
import zipfile

import pytest

from ramify.errors import FileFormatError, UnsafeFileError
from ramify.saving import load_model, model_from_json, save_model
from tests.saving.hostile import build, layer_of, rewrite, with_config
from tests.saving.watched import watched


def test_f9_packed_bombs(path):
    with_config(path, lambda c: c.update(padding=" "))
    rewrite(path, lambda n, d: b" " * (64 * 2**20) + d if n == "config.json" else d, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnsafeFileError, match="unpacks to"):
        load_model(path)
    save_model(build(), path)
    rewrite(path, lambda n, d: d + bytes(128 * 2**20) if n.endswith("h5") else d, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnsafeFileError, match="unpacks to"):
        load_model(path)


@pytest.mark.parametrize(
    "name", ["../../marker", "/tmp/marker", "..\\marker", "assets/../../marker", "marker", "C:marker"]
)
def test_f10_names_of_members(path, marker, name):
    rewrite(path, more=[(name, b"x")])
    with pytest.raises(UnsafeFileError, match="no model file needs"):
        load_model(path)


def test_f10_a_link_in_the_zip(path):
    info = zipfile.ZipInfo("assets/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(UnsafeFileError, match="is a link"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_f13_two_members_of_one_name(path):
    rewrite(path, more=[("config.json", b"{}")])
    with pytest.raises(UnsafeFileError, match="two members named"):
        load_model(path)


@pytest.mark.parametrize("member", ["config.json", "metadata.json"])
def test_f13_two_values_of_one_name(path, member):
    def doubled(name, data):
        return b'{"module": "a", ' + data[1:].replace(b'"keras_version"', b'"module": 1, "keras_version"')

    rewrite(path, lambda name, data: doubled(name, data) if name == member else data)
    with pytest.raises(UnsafeFileError, match="two values for 'module'"):
        load_model(path)


TABLES = [
    ("MelSpectrogram", {"fft_length": 2**18, "num_mel_bins": 2**12}),
    ("STFTSpectrogram", {"mode": "log", "frame_length": 2**13, "fft_length": 2**17}),
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches a forked child by /proc")
@pytest.mark.filterwarnings("ignore")  # forking is meant
@pytest.mark.parametrize(("name", "options"), TABLES)
def test_f13_tables_that_a_config_blows_up(path, name, options):
    """Gigabytes that no file holds: a layer's own tables are bounded, or not made while a file is read."""
    entry = {
        "module": "keras.layers",
        "class_name": name,
        "config": {"name": "hidden", **options},
        "build_config": None,
    }
    with_config(path, lambda c: layer_of(c).update(entry))
    with_config(path, lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None, 2**14, 1]))
    found = watched(lambda: load_model(path))
    assert "FileFormatError" in found["base"], found
    assert found["grown"] < 2**26, found


def test_f13_deep_json(path):
    deep = b"[" * 100_000 + b"]" * 100_000
    rewrite(path, lambda n, d: b'{"a": ' + deep + b"}" if n == "config.json" else d)
    with pytest.raises(UnsafeFileError, match="nests deeper"):
        load_model(path)
    before, after = '{"class_name": "Functional", "module": "keras", "config": {"name": "x", "layers": [', "]}}"
    with pytest.raises(UnsafeFileError, match="nests deeper"):
        model_from_json(before * 400 + "{}" + after * 400)


@pytest.mark.parametrize("units", [10**10, 10**15, -3, 0, float("nan"), "8", None, 2.5, 10**30])
def test_f13_sizes_that_no_layer_has(path, units):
    with_config(path, lambda c: layer_of(c)["config"].update(units=units))
    start = time.perf_counter()
    with pytest.raises(FileFormatError):
        load_model(path)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("shape", [[None, -4], [None, float("nan")], "abc", [[4]], [None, 10**30]])
def test_f13_inputs_that_no_model_has(path, shape):
    with_config(path, lambda c: c["config"]["layers"][0]["config"].update(batch_shape=shape))
    with pytest.raises(FileFormatError):
        load_model(path)


def test_f14_safetensors_headers(tmp_path):
    path = tmp_path / "m.safetensors"
    build().save_weights(path)
    whole = path.read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    name = next(key for key in header if key != "__metadata__")

    def written(data):
        text = json.dumps(data).encode()
        return len(text).to_bytes(8, "little") + text + whole[8 + size :]

    hostile = [
        (2**63 - 1).to_bytes(8, "little") + whole[8:],
        written({**header, name: {**header[name], "shape": [2**40, 2**40]}}),
        written({**header, name: {**header[name], "data_offsets": [0, 2**50]}}),
        written({**header, "hole": {"dtype": "F32", "shape": [1], "data_offsets": [10**6, 10**6 + 4]}}),
    ]
    for data in hostile:
        path.write_bytes(data)
        with pytest.raises(FileFormatError):
            build().load_weights(path)
