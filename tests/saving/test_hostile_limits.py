"""What every hostile file is held to: a typed error, a second of the processor, twice the file and 64 MiB of memory.

The families are those of `test_hostile_controls`, in the further forms that they come in.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile

import h5py
import pytest

from ramify.errors import FileFormatError
from ramify.saving import load_model, save_model
from tests.saving import test_hostile_hdf5 as elsewhere
from tests.saving.hostile import CANARY, build, layer_of, with_config, with_weights
from tests.saving.watched import refused

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches a forked child by /proc"),
    pytest.mark.filterwarnings("ignore"),  # forking is meant
]
MANY = 8_000


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory):
    """Modules that are imported when they are first needed are there before children are watched."""
    folder = tmp_path_factory.mktemp("warm")
    save_model(build(), folder / "m.keras")
    load_model(folder / "m.keras")
    for name in ("m.weights.h5", "m.safetensors"):
        build().save_weights(folder / name)
        build().load_weights(folder / name)
    with pytest.raises(FileFormatError):
        load_model(folder / "other.keras")


# ---- F7 and F8: data that lies elsewhere, or is larger than the file ----

ELSEWHERE = ["external_data", "external_link", "external_group", "soft_link", "virtual", "circle"]


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("name", ELSEWHERE)
def test_f7(name, ending, tmp_path):
    (tmp_path / "secret").write_bytes(CANARY)
    path = hdf5_with(lambda file: getattr(elsewhere, name)(file, str(tmp_path / "secret")), tmp_path, ending)
    refused(path, reading(path), tmp_path)


BOMBS = {
    "a million squared": {"shape": (10**6, 10**6), "chunks": (1000, 1000)},
    "four gigabytes": {"shape": (32_000, 32_000), "chunks": (1000, 1000)},
    "large pieces": {"shape": (4, 3), "maxshape": (None, None), "chunks": (20_000, 20_000)},
}


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("name", BOMBS)
def test_f8(name, ending, tmp_path):
    def change(file):
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", dtype="f4", compression="gzip", **BOMBS[name])

    path = hdf5_with(change, tmp_path, ending)
    refused(path, reading(path), tmp_path)


# ---- F13: configs ----


def deep(text):
    nested = "[" * 100_000 + "]" * 100_000
    return f'{{"a": {nested}, ' + text[1:]


def doubled(text):
    return '{"module": "a", ' + text[1:]


def of_layer(**change):
    def changed(text):
        config = json.loads(text)
        layer_of(config)["config"].update(change)
        return json.dumps(config)

    return changed


def of_input(shape):
    def changed(text):
        config = json.loads(text)
        config["config"]["layers"][0]["config"].update(batch_shape=shape)
        return json.dumps(config)

    return changed


CONFIGS = {
    "deep": deep,
    "doubled": doubled,
    "units": of_layer(units=10**10),
    "more units": of_layer(units=10**30),
    "negative units": of_layer(units=-3),
    "no number": of_layer(units=float("nan")),
    "negative input": of_input([None, -4]),
    "input of no number": of_input([None, float("nan")]),
    "large input": of_input([None, 10**30]),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_f13(name, path, tmp_path):
    members = {}
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    members["config.json"] = CONFIGS[name](members["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as file:
        for member, data in members.items():
            file.writestr(member, data)
    refused(path, lambda: load_model(path), tmp_path)


def test_f13_many_layers(path, tmp_path):
    """A megabyte of layers that are none."""
    with_config(path, lambda c: c["config"]["layers"].extend([{}] * 200_000))
    refused(path, lambda: load_model(path), tmp_path)


# ---- F14: headers of safetensors ----


def headers(whole):
    size = int.from_bytes(whole[:8], "little")
    text, data = whole[8 : 8 + size], whole[8 + size :]
    header = json.loads(text)
    name = next(key for key in header if key != "__metadata__")

    def written(change):
        changed = json.dumps({**header, **change}).encode()
        return len(changed).to_bytes(8, "little") + changed + data

    entry = header[name]
    twice = text.rstrip()[:-1] + b", " + json.dumps({name: entry}).encode()[1:]
    return {
        "length": (2**63 - 1).to_bytes(8, "little") + whole[8:],
        "shape": written({name: {**entry, "shape": [2**40, 2**40]}}),
        "offsets": written({name: {**entry, "data_offsets": [0, 2**50]}}),
        "hole": written({"hole": {"dtype": "F32", "shape": [1], "data_offsets": [10**6, 10**6 + 4]}}),
        "overlap": written({"again": entry}),
        "two of one name": len(twice).to_bytes(8, "little") + twice + data,
    }


@pytest.mark.parametrize("name", ["length", "shape", "offsets", "hole", "overlap", "two of one name"])
def test_f14(name, tmp_path):
    path = tmp_path / "m.safetensors"
    build().save_weights(path)
    path.write_bytes(headers(path.read_bytes())[name])
    refused(path, reading(path), tmp_path)


# ---- F15: HDF5 that has more in it than can be looked at ----


def groups(file):
    for i in range(MANY):
        h5py.h5g.create(file.id, b"group_%d" % i)


def groups_with_names(file):
    for i in range(MANY // 4):
        file.create_group(f"layers/dense_{i + 1}/vars").attrs["name"] = f"dense_{i + 1}"


def arrays(file):
    group = file.create_group("more")
    for i in range(MANY):
        h5py.h5d.create(group.id, b"%d" % i, h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4,)))


def nested(file):
    group = file.create_group("more").id
    for _ in range(400):
        group = h5py.h5g.create(group, b"x" * 200)


def long_names(file):
    """Attributes of a few bytes each, which all are the same text of a megabyte."""
    place = file.create_group("more")
    for i in range(40):
        place.create_group(f"{i}/vars").attrs["name"] = str(i) * 2**20 if i else "x"


FLOODS = [groups, groups_with_names, arrays, nested, long_names]


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("flood", FLOODS)
def test_f15_floods(flood, ending, tmp_path):
    path = hdf5_with(flood, tmp_path, ending)
    refused(path, reading(path), tmp_path)


@pytest.mark.parametrize("flood", FLOODS)
def test_f15_floods_in_the_old_layout(flood, tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = build().to_json()
        flood(file)
    refused(path, lambda: load_model(path), tmp_path)


@pytest.mark.parametrize("flood", FLOODS)
def test_f15_floods_are_live(flood, tmp_path):
    """A loader that looks at all that is there opens many thousand things, or holds megabytes of names."""
    path = hdf5_with(flood, tmp_path, ".weights.h5")
    names = []
    with h5py.File(path) as file:
        file.visit(names.append)
        letters = sum(map(len, names))
        if flood is long_names:
            letters += sum(
                len(file[name].attrs["name"]) for name in names if name.endswith("vars") and name.startswith("more")
            )
    assert len(names) > 3_000 or letters > 2**23


def test_files_of_many_layers_are_no_flood(tmp_path):
    """What a model itself has is read at any number."""
    from ramify import Input, Model, layers

    x = first = Input((2,))
    for _ in range(600):
        x = layers.LayerNormalization()(x)
    model = Model(first, x)
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        count = []
        file.visit(count.append)
    assert len(count) > 2_300
    assert not model.load_weights(tmp_path / "m.weights.h5").left


def hdf5_with(change, folder, ending):
    """A saved model, with something changed in its HDF5."""
    path = folder / f"m{ending}"
    if ending == ".keras":
        save_model(build(), path)
        with_weights(path, change)
    else:
        build().save_weights(path)
        data = io.BytesIO(path.read_bytes())
        with h5py.File(data, "a") as file:
            change(file)
        path.write_bytes(data.getvalue())
    return path


def reading(path):
    if path.suffix == ".keras":
        return lambda: load_model(path)
    model = build()
    return lambda: model.load_weights(path)
