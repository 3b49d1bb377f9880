"""One policy for code in files, at every entry: refused, but where the caller said otherwise."""

from __future__ import annotations

import json

import keras
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, config, layers, registry, saving
from ramify.errors import FileFormatError, UnsafeFileError
from ramify.models.clone import clone_model

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own
X = torch.ones(2, 3)


@pytest.fixture
def folder(tmp_path):
    """A model with a lambda in it, as Keras saves it, in each kind of file."""
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Lambda(lambda v: v * 3.0, output_shape=(3,), name="l")(x))
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    (tmp_path / "m.json").write_text(model.to_json())
    return tmp_path


def parsed(folder):
    return json.loads((folder / "m.json").read_text())


class Holder(layers.Layer):
    """A layer whose argument holds a function."""


ENTRIES = {
    "load_model": lambda f, **k: saving.load_model(f / "m.keras", **k),
    "load_model, old layout": lambda f, **k: saving.load_model(f / "m.h5", **k),
    "deserialize": lambda f, **k: saving.deserialize_keras_object(parsed(f), **k),
    "deserialize a function": lambda f, **k: saving.deserialize_keras_object(
        parsed(f)["config"]["layers"][1]["config"]["function"], **k
    ),
}
WITHOUT_A_MODE = {
    "model_from_json": lambda f: saving.model_from_json((f / "m.json").read_text()),
    "from_config": lambda f: Model.from_config(parsed(f)["config"]),
    "layer from_config": lambda f: layers.Lambda.from_config(parsed(f)["config"]["layers"][1]["config"]),
    "layers.deserialize": lambda f: layers.deserialize(parsed(f)["config"]["layers"][1]),
    "sequential from_config": lambda f: Sequential.from_config({"layers": [parsed(f)["config"]["layers"][1]]}),
}


@pytest.fixture
def allowed():
    config.enable_unsafe_deserialization()
    yield
    registry.allow_code(False)


@pytest.mark.parametrize("entry", ENTRIES)
def test_entries_that_can_be_told(entry, folder):
    for mode in ({}, {"safe_mode": True}, {"safe_mode": None}, {"safe_mode": 1}):
        with pytest.raises(UnsafeFileError, match="bytecode"):
            ENTRIES[entry](folder, **mode)
    assert callable(ENTRIES[entry](folder, safe_mode=False))
    assert registry.is_safe()


@pytest.mark.parametrize("entry", WITHOUT_A_MODE)
def test_entries_that_cannot(entry, folder):
    with pytest.raises(UnsafeFileError, match="bytecode"):
        WITHOUT_A_MODE[entry](folder)


@pytest.mark.parametrize("entry", {**ENTRIES, **WITHOUT_A_MODE})
def test_code_that_is_allowed_everywhere(entry, folder, allowed):
    made = {**ENTRIES, **WITHOUT_A_MODE}[entry](folder)
    if isinstance(made, Model) and made.built:
        torch.testing.assert_close(made(X), 3 * X)


def test_cloning_needs_no_bytecode():
    """What is in the process already is not read from anywhere."""
    x = Input((3,))
    model = Model(x, layers.Lambda(lambda v: v * 2)(x))
    torch.testing.assert_close(clone_model(model)(X), 2 * X)
    torch.testing.assert_close(Model.from_config(model.get_config())(X), 2 * X)


def test_damaged_bytecode(folder):
    config = parsed(folder)
    config["config"]["layers"][1]["config"]["function"]["config"]["code"] = "AAAA"
    with pytest.raises(FileFormatError, match="cannot be read"):
        saving.deserialize_keras_object(config, safe_mode=False)


def test_pickled_modules_stay_refused(allowed):
    entry = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "registered_name": None}
    entry["config"] = {"name": "t", "module": "gASVAAAAAAAAAAA="}
    with pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object(entry, safe_mode=False)
    assert ramify.config.enable_unsafe_deserialization
