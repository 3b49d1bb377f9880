"""Files that want code to be run. Names such as F1 are those of the advisory families that they stand for."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import sys
import zipfile

import pytest
import torch

from ramify import Model, layers, registry
from ramify.errors import ArgumentError, FileFormatError, UnsafeFileError
from ramify.registry import live
from ramify.saving import deserialize_keras_object, load_model, model_from_json, save_model
from tests.saving.hostile import build, code_that_marks, layer_of, with_config


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
        live.function_from(code_that_marks(place), "test")(1)
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
