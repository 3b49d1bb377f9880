"""Keras's old HDF5 layout: whole models, weights, and what Keras 2 wrote into configs."""

from __future__ import annotations

import json

import h5py
import keras
import numpy as np
import pytest

import ramify
from ramify.errors import FileFormatError, UnsafeFileError
from ramify.saving import hdf5
from tests.saving.hostile import code_that_marks
from tests.saving.test_keras_parity import TABLE, assert_equal, data, predict, shuffled
from tests.saving.test_training_state import OPTIMIZERS, compiled, train

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own


@pytest.mark.parametrize("build", TABLE, ids=lambda f: f.__name__)
def test_models_and_weights_of_keras(build, tmp_path):
    theirs = shuffled(build(keras))
    theirs.save(tmp_path / "m.h5")
    arrays = data(theirs)
    expected = predict(theirs, arrays)
    assert_equal(predict(ramify.saving.load_model(tmp_path / "m.h5"), arrays), expected)
    ours = build(ramify)
    report = ours.load_weights(tmp_path / "m.h5")
    assert len(report.loaded) == len(ours.weights)
    assert_equal(predict(ours, arrays), expected)


def test_a_file_is_looked_through_for_long_texts_once(tmp_path, monkeypatch):
    """Once a layer took most of the time that loading did."""
    named(keras, "a", "b", "c").save(tmp_path / "m.h5")
    asked = []
    monkeypatch.setattr(hdf5, "shared_texts", lambda source: asked.append(source) or 0)
    ramify.saving.load_model(tmp_path / "m.h5")
    assert asked == [tmp_path / "m.h5"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "ema"])
def test_training_goes_on(optimizer, tmp_path):
    assert optimizer in OPTIMIZERS
    theirs = compiled(keras, optimizer)
    train(theirs, 3)
    theirs.save(tmp_path / "m.h5")
    ours = ramify.saving.load_model(tmp_path / "m.h5")
    np.testing.assert_allclose(train(ours, 3), train(theirs, 3), rtol=1e-5)
    assert not ramify.saving.load_model(tmp_path / "m.h5", compile=False).compiled


def named(k, *names):
    x = y = k.Input((4,))
    for name in names:
        y = k.layers.Dense(4, name=name)(y)
    model = k.Model(x, y)
    model.set_weights([np.full(w.shape, i + 1, "float32") for i, w in enumerate(model.get_weights())])
    return model


def test_by_name(tmp_path):
    named(keras, "a", "b", "c").save(tmp_path / "m.h5")
    ours = named(ramify, "c", "new", "a")
    before = ours.get_weights()
    report = ours.load_weights(tmp_path / "m.h5", by_name=True)
    values = [float(w.flat[0]) for w in ours.get_weights()]
    assert values == [5, 6, before[2].flat[0], before[3].flat[0], 1, 2]
    assert len(report.loaded) == 4
    assert "new" in report.left[0]
    assert report.unused == ("b",)
    with pytest.raises(FileFormatError, match="belongs to nothing in the model"):
        named(ramify, "a", "b").load_weights(tmp_path / "m.h5")


def test_wrong_shapes_are_all_listed(tmp_path):
    named(keras, "a", "b").save(tmp_path / "m.h5")
    x = ramify.Input((4,))
    other = ramify.Model(x, ramify.layers.Dense(5, name="b")(ramify.layers.Dense(3, name="a")(x)))
    before = [w.tobytes() for w in other.get_weights()]
    with pytest.raises(FileFormatError, match=r"(?s)\(4, 3\), in the file \(4, 4\).*\(5,\), in the file \(4,\)"):
        other.load_weights(tmp_path / "m.h5")
    assert [w.tobytes() for w in other.get_weights()] == before
    with pytest.warns(UserWarning, match="Not everything"):
        assert not other.load_weights(tmp_path / "m.h5", skip_mismatch=True).loaded


KERAS_2 = {
    "class_name": "Model",
    "keras_version": "2.2.4",
    "backend": "tensorflow",
    "config": {
        "name": "old",
        "layers": [
            {
                "name": "first",
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 6, 6, 2], "dtype": "float32", "sparse": False, "name": "first"},
                "inbound_nodes": [],
            },
            {
                "name": "conv",
                "class_name": "Conv2D",
                "config": {
                    "name": "conv", "trainable": True, "filters": 3, "kernel_size": [3, 3], "strides": [1, 1],
                    "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "activation": "relu",
                    "use_bias": True, "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}},
                    "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0, "seed": None}},
                    "bias_initializer": {"class_name": "Zeros", "config": {}},
                },
                "inbound_nodes": [[["first", 0, 0, {}]]],
            },
            {
                "name": "norm",
                "class_name": "BatchNormalization",
                "config": {"name": "norm", "trainable": True, "axis": [3], "momentum": 0.9, "dtype": "float32"},
                "inbound_nodes": [[["conv", 0, 0, {}]]],
            },
            {
                "name": "add",
                "class_name": "Add",
                "config": {"name": "add", "dtype": {"class_name": "Policy", "config": {"name": "float32"}}},
                "inbound_nodes": [[["conv", 0, 0, {}], ["norm", 0, 0, {}]]],
            },
        ],
        "input_layers": [["first", 0, 0]],
        "output_layers": [["add", 0, 0]],
    },
}  # fmt: skip


def write_keras_2(path, config):
    rng = np.random.default_rng(0)
    weights = {
        "conv": {"conv/kernel:0": (3, 3, 2, 3), "conv/bias:0": (3,)},
        "norm": {f"norm/{name}:0": (3,) for name in ("gamma", "beta", "moving_mean", "moving_variance")},
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [b"first", b"conv", b"norm", b"add"]
        for layer in ("first", "conv", "norm", "add"):
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in weights.get(layer, {})]
            for name, shape in weights.get(layer, {}).items():
                group.create_dataset(name, data=rng.uniform(0.1, 1, shape).astype("float32"))


def test_what_keras_2_wrote(tmp_path):
    """No Keras 2 is at hand: Keras 3, which reads such files, is the measure."""
    path = tmp_path / "old.h5"
    write_keras_2(path, KERAS_2)
    ours = ramify.saving.load_model(path)
    images = np.random.default_rng(1).normal(size=(2, 6, 6, 2)).astype("float32")
    modern = json.loads(json.dumps(KERAS_2))
    modern["class_name"] = "Functional"
    modern["config"]["layers"][-1]["config"]["dtype"] = "float32"  # Keras 3 fails over the policies of Keras 2
    write_keras_2(path, modern)
    theirs = keras.models.load_model(path)
    np.testing.assert_allclose(ours.predict(images, verbose=0), theirs.predict(images, verbose=0), rtol=1e-5, atol=1e-6)
    assert ours.get_layer("conv").kernel_regularizer.l2 == pytest.approx(0.01)


def test_a_stack_of_keras_2(tmp_path):
    dense = {"name": "d", "trainable": True, "units": 3, "activation": "tanh", "batch_input_shape": [None, 4]}
    config = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": dense}]}
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"d"]
        group = group.create_group("d")
        group.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        group["d/kernel:0"], group["d/bias:0"] = np.ones((4, 3), "f4"), np.zeros(3, "f4")
    model = ramify.saving.load_model(tmp_path / "s.h5")
    np.testing.assert_allclose(model.predict(np.ones((1, 4)), verbose=0), np.tanh(4) * np.ones((1, 3)), rtol=1e-6)


# ---- hostile ----


@pytest.fixture
def path(tmp_path):
    named(keras, "a", "b").save(tmp_path / "m.h5")
    return tmp_path / "m.h5"


def test_f1_bytecode_in_the_old_layout(path, tmp_path):
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        function = code_that_marks(tmp_path / "marker")
        config["config"]["layers"][1].update(class_name="Lambda", config={"name": "a", "function": function})
        file.attrs["model_config"] = json.dumps(config)
    for safe_mode in (True, None):
        with pytest.raises(UnsafeFileError, match="bytecode"):
            ramify.saving.load_model(path, safe_mode=safe_mode)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("kind", ["external", "link", "soft"])
def test_f7_weights_that_lie_elsewhere(kind, path, tmp_path):
    (tmp_path / "secret").write_bytes(b"canary" * 20)
    with h5py.File(path, "a") as file:
        group = file["model_weights/a/a"]
        del group["kernel"]
        if kind == "external":
            group.create_dataset("kernel", (4, 4), "f4", external=[(str(tmp_path / "secret"), 0, 64)])
        else:
            group["kernel"] = h5py.ExternalLink("other.h5", "x") if kind == "link" else h5py.SoftLink("/model_weights")
    with pytest.raises(UnsafeFileError):
        ramify.saving.load_model(path)
    with pytest.raises(UnsafeFileError):
        named(ramify, "a", "b").load_weights(path)


def damage_names(file):
    file["model_weights/a"].attrs["weight_names"] = [b"a/kernel", b"a/gone"]


def damage_layers(file):
    file["model_weights"].attrs["layer_names"] = [b"a", b"gone"]


def damage_list(file):
    file["model_weights"].attrs["layer_names"] = np.ones((2, 2))


def damage_config(file):
    file.attrs["model_config"] = "{"


def damage_no_config(file):
    del file.attrs["model_config"]


DAMAGES = [damage_names, damage_layers, damage_list, damage_config, damage_no_config]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_damaged_files(damage, path):
    with h5py.File(path, "a") as file:
        damage(file)
    with pytest.raises(FileFormatError):
        ramify.saving.load_model(path)
