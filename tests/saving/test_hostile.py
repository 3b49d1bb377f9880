"""Files that want more than to be read. Names such as F7 are those of the advisory families they stand for."""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import pickle
import stat
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, layers, registry
from ramify.errors import ArgumentError, FileFormatError, RamifyError, UnsafeFileError
from ramify.saving import deserialize_keras_object, load_model, model_from_json, save_model

CANARY = b"canary-canary-canary-canary-canary-canary-canary"


def build():
    x = Input((4,))
    return Model(x, layers.Dense(3, name="hidden")(x), name="net")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.keras"
    save_model(build(), path)
    return path


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """A folder that must not come to be."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "marker"
    yield place
    assert not place.exists()


def rewrite(path, change=lambda name, data: data, more=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path) as old:
        members = [(info.filename, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, data in members:
            new.writestr(name, change(name, data))
        for name, data in more:
            new.writestr(name, data)


def with_config(path, change):
    def rewritten(name, data):
        if name != "config.json":
            return data
        config = json.loads(data)
        change(config)
        return json.dumps(config)

    rewrite(path, rewritten)


def with_weights(path, change):
    def rewritten(name, data):
        if name == "metadata.json":
            return b"{}"
        if name != "model.weights.h5":
            return data
        buffer = io.BytesIO(data)
        with h5py.File(buffer, "a") as file:
            change(file)
        return buffer.getvalue()

    rewrite(path, rewritten)


def layer_of(config):
    return config["config"]["layers"][1]


def code_that_marks(marker):
    source = f"__import__('os').mkdir({str(marker)!r})"
    code = (lambda x, _s=source: eval(_s)).__code__
    return {
        "class_name": "__lambda__",
        "config": {"code": base64.b64encode(marshal.dumps(code)).decode(), "defaults": [source], "closure": None},
    }


# ---- code ----


@pytest.mark.parametrize("safe_mode", [True, None, 1])
def test_f1_bytecode_is_not_run(path, marker, safe_mode):
    entry = {"module": "keras.layers", "class_name": "Lambda", "registered_name": None}
    entry["config"] = {"name": "hidden", "function": code_that_marks(marker)}
    with_config(path, lambda c: layer_of(c).update(entry))
    with pytest.raises(UnsafeFileError, match="bytecode"):
        load_model(path, safe_mode=safe_mode)
    text = zipfile.ZipFile(path).read("config.json").decode()
    with pytest.raises(UnsafeFileError):
        model_from_json(text)
    with pytest.raises(UnsafeFileError):
        deserialize_keras_object(entry)
    with pytest.raises(UnsafeFileError):
        layers.Lambda.from_config(entry["config"])
    with pytest.raises(UnsafeFileError):
        Model.from_config(json.loads(text)["config"])
    with pytest.raises(UnsafeFileError):
        deserialize_keras_object(code_that_marks(marker))


def test_f1_the_fixture_is_live(tmp_path):
    """A loader that runs bytecode would make the folder."""
    place = tmp_path / "made"
    with registry.loading(safe=False):
        layers.core.code.function_from(code_that_marks(place), "test")(1)
    assert place.exists()


@pytest.mark.parametrize("where", ["layer", "function", "activation", "initializer", "loss", "optimizer", "policy"])
def test_f2_no_module_is_imported(path, marker, where, tmp_path, monkeypatch):
    (tmp_path / "evilmod.py").write_text(
        f"import os; os.mkdir({str(marker)!r})\nclass Evil: pass\ndef evil(*a): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    evil = {"module": "evilmod", "class_name": "Evil", "config": {}, "registered_name": None}
    function = {"module": "evilmod", "class_name": "function", "config": "evil", "registered_name": "evil"}

    def change(config):
        layer = layer_of(config)
        if where == "layer":
            layer.update(evil)
        elif where == "function":
            layer.update(class_name="Lambda", config={"name": "hidden", "function": function})
        elif where == "activation":
            layer["config"]["activation"] = function
        elif where == "initializer":
            layer["config"]["kernel_initializer"] = evil
        elif where == "policy":
            layer["config"]["dtype"] = evil
        elif where == "loss":
            config["compile_config"] = {"loss": function, "optimizer": "sgd"}
        else:
            config["compile_config"] = {"loss": "mse", "optimizer": evil}

    with_config(path, change)
    with pytest.raises(FileFormatError):
        load_model(path)
    assert "evilmod" not in sys.modules


PUBLIC = [
    ("builtins", "eval"), ("builtins", "exec"), ("os", "system"), ("subprocess", "Popen"), ("torch", "load"),
    ("torch.hub", "load"), ("keras.utils", "get_file"), ("keras.models", "load_model"), ("ramify.saving", "load_model"),
    ("keras.saving", "load_model"), ("keras.config", "enable_unsafe_deserialization"), ("pickle", "loads"),
    ("numpy", "load"), ("ramify.saving.files", "replacing"), ("builtins", "getattr"), ("builtins", "open"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_f3_only_listed_functions_can_be_named(path, module, name):
    def function(config):
        spec = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        layer_of(config).update(class_name="Lambda", config={"name": "hidden", "function": spec})

    def operation(config):
        layer_of(config).update(module="ramify.graph", class_name="Operation", config={"function": f"{module}.{name}"})

    def keras_operation(config):
        layer_of(config).update(module="keras.src.ops." + module, class_name=name, config={})

    def layer(config):
        layer_of(config).update(module=module, class_name=name, registered_name=None)

    for change in (function, operation, keras_operation, layer):
        save_model(build(), path)
        with_config(path, change)
        with pytest.raises(FileFormatError):
            load_model(path)


def test_f3_every_public_callable_as_target(path):
    """Whatever the library shows, a file can only make layers of it."""
    names = {
        (module, name)
        for module in (
            "ramify",
            "ramify.saving",
            "ramify.layers",
            "ramify.models",
            "ramify.losses",
            "ramify.optimizers",
        )
        for name in getattr(sys.modules[module], "__all__", ())
    }
    config = json.loads(build().to_json())
    for module, name in sorted(names):
        layer_of(config).update(
            module=module, class_name="function", config=name, registered_name="function", build_config=None
        )
        with pytest.raises(RamifyError):
            model_from_json(json.dumps(config))


class _Pickled:
    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


def test_f4_nothing_is_unpickled(path, marker):
    buffer = io.BytesIO()
    torch.save(_Pickled(str(marker)), buffer)
    entry = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "registered_name": None}
    entry["config"] = {"name": "hidden", "module": base64.b64encode(buffer.getvalue()).decode()}
    with_config(path, lambda c: layer_of(c).update(entry))
    for safe_mode in (True, None, False):
        with pytest.raises(UnsafeFileError):
            load_model(path, safe_mode=safe_mode)
    assert pickle  # the fixture is live: `pickle.loads` of it would make the folder


# ---- HDF5 ----


@pytest.fixture
def secret(tmp_path):
    place = tmp_path / "secret"
    place.write_bytes(CANARY)
    return str(place)


def external_data(file, secret):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset("0", (4, 3), "f4", external=[(secret, 0, 48)])


def external_link(file, secret):
    with h5py.File(secret + ".h5", "w") as other:
        other["0"] = np.frombuffer(CANARY, "f4").reshape(4, 3)
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink(secret + ".h5", "0")


def external_group(file, secret):
    with h5py.File(secret + ".h5", "w") as other:
        other["0"] = np.frombuffer(CANARY, "f4").reshape(4, 3)
        other["1"] = np.zeros(3, "f4")
    del file["layers/dense/vars"]
    file["layers/dense/vars"] = h5py.ExternalLink(secret + ".h5", "/")


def soft_link(file, secret):
    file["layers/other"] = np.ones((4, 3), "f4")
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/other")


def virtual(file, secret):
    with h5py.File(secret + ".h5", "w") as other:
        other["0"] = np.frombuffer(CANARY, "f4").reshape(4, 3)
    del file["layers/dense/vars/0"]
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource(secret + ".h5", "0", (4, 3))
    file["layers/dense/vars"].create_virtual_dataset("0", layout)


def circle(file, secret):
    file["layers/dense/again"] = file["layers"]


@pytest.mark.parametrize("change", [external_data, external_link, external_group, soft_link, virtual, circle])
def test_f7_hdf5_stays_in_its_file(path, secret, change):
    with_weights(path, lambda file: change(file, secret))
    with pytest.raises(UnsafeFileError):
        load_model(path)
    with pytest.raises(UnsafeFileError):
        build().load_weights(path)


@pytest.mark.parametrize("shape", [(10**6, 10**6), (32000, 32000)])
@pytest.mark.parametrize("place", ["layers/dense/vars/0", "layers/dense/vars/2", "optimizer/vars/0"])
def test_f8_shapes_are_compared_before_anything_is_read(path, shape, place):
    def bomb(file):
        if place in file:
            del file[place]
        file.create_dataset(place, shape, "f4", chunks=(1000, 1000), compression="gzip")

    with_weights(path, bomb)
    if place.startswith("optimizer"):
        with_config(path, lambda c: c.update(compile_config={"optimizer": "sgd", "loss": "mse"}))
    start = time.perf_counter()
    with (
        pytest.warns(UserWarning, match="was not loaded")
        if place.startswith("optimizer")
        else pytest.raises(FileFormatError)
    ):
        load_model(path)
    assert time.perf_counter() - start < 2


def test_f8_a_hook_of_a_users_layer_gets_no_bomb(tmp_path):
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,))

        def call(self, x):
            return x * self.w

        def load_own_variables(self, store):
            self.w.assign(store["0"])

    model = Sequential([Input((2,)), Own()])
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        del file["layers/own/vars/0"]
        file.create_dataset("layers/own/vars/0", (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip")
    with pytest.raises(UnsafeFileError, match="says that it has"):
        model.load_weights(path)


# ---- the zip ----


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


def test_objects_in_configs_are_no_arrays_of_objects():
    with pytest.raises(FileFormatError, match="damaged"):
        deserialize_keras_object({"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}})
    with pytest.raises(FileFormatError, match="damaged"):
        deserialize_keras_object({"class_name": "__tensor__", "config": {"value": [1], "dtype": "load"}})
    with pytest.raises(ArgumentError, match="Unknown"):
        deserialize_keras_object({"class_name": "Nothing", "config": {}})


def test_loading_changes_no_table(path):
    before = dict(registry.get_custom_objects())
    load_model(path, custom_objects={"Mine": int})
    assert registry.get_custom_objects() == before
    assert registry.lookup("Mine") is None
    assert registry.is_safe()
    assert ramify is sys.modules["ramify"]
