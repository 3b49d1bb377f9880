"""TFSMLayer; what it refuses needs no TensorFlow, the rest does."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pytest
import torch

import ramify
from ramify import registry
from ramify.errors import ArgumentError, FileFormatError, ShapeError, UnsafeFileError
from ramify.layers import TFSMLayer

CONFIG = {"module": "keras.layers", "class_name": "TFSMLayer", "registered_name": None}


@pytest.fixture
def saved(tmp_path):
    """A SavedModel that scales and counts, with an endpoint for training."""
    tf = pytest.importorskip("tensorflow")

    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable([2.0, 3.0], name="factor")
            self.count = tf.Variable(0, trainable=False, name="count")

        @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, name="x")])
        def serve(self, x):
            return x * x * self.factor

        @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, name="x")])
        def train(self, x):
            self.count.assign_add(1)
            return {"out": -x * self.factor, "positive": x > 0}

    module = Scale()
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures={"serving_default": module.serve})
    return tmp_path / "saved"


# ---- without TensorFlow ----


def canary(folder):
    (folder / "saved_model.pb").write_bytes(b"canary")
    return {**CONFIG, "config": {"name": "it", "filepath": str(folder), "call_endpoint": "serve"}}


@pytest.fixture
def forbidden(monkeypatch):
    """TensorFlow, of which nothing may be asked."""

    class Forbidden:
        __spec__ = None

        def __getattr__(self, name):
            pytest.fail(f"tensorflow.{name} was asked for")

    monkeypatch.setitem(sys.modules, "tensorflow", Forbidden())


@pytest.mark.parametrize("nested", [False, True])
def test_a_config_may_not_name_a_saved_model(tmp_path, forbidden, nested):
    config = canary(tmp_path)
    if nested:
        config = {**CONFIG, "class_name": "TimeDistributed", "config": {"name": "outer", "layer": config}}
    with pytest.raises(UnsafeFileError, match=r"TFSMLayer 'it'.*safe_mode=False"):
        ramify.layers.deserialize(config)
    with pytest.raises(UnsafeFileError):
        ramify.saving.deserialize_keras_object(config)
    with pytest.raises(UnsafeFileError):
        TFSMLayer.from_config(canary(tmp_path)["config"])


def test_a_trusted_config_gets_as_far_as_the_package(tmp_path, without):
    without("tensorflow")
    with pytest.raises(ImportError, match=r"TFSMLayer needs the package tensorflow.*pip install"):
        ramify.saving.deserialize_keras_object(canary(tmp_path), safe_mode=False)


def test_tensorflow_that_is_not_installed(tmp_path, without):
    without("tensorflow")
    with pytest.raises(ImportError, match=r"TFSMLayer needs the package tensorflow"):
        TFSMLayer(tmp_path)


# ---- with TensorFlow ----


def test_outputs_gradients_and_weights(saved):
    layer, x = TFSMLayer(saved), torch.tensor([[1.0, -2.0]], requires_grad=True)
    assert layer(ramify.Input((2,))).shape == (None, 2)
    out = layer(x)
    assert out.tolist() == [[2, 12]]
    out.sum().backward()
    assert x.grad.tolist() == [[4, -12]]
    (factor,) = layer.trainable_weights
    assert factor.grad.tolist() == [1, 4]
    with torch.no_grad():
        factor.mul_(10)
    assert layer(x).tolist() == [[20, 120]]


def test_the_endpoint_for_training_and_what_it_changes(saved):
    layer, x = TFSMLayer(saved, call_training_endpoint="train"), torch.tensor([[1.0, -2.0]])
    out = layer(x, training=True)
    assert (out["out"].tolist(), out["positive"].tolist()) == ([[-2, 6]], [[True, False]])
    assert layer.non_trainable_weights[0].item() == 1
    layer(x, training=False)
    assert layer.non_trainable_weights[0].item() == 1
    assert TFSMLayer(saved, call_endpoint="serving_default")(x)["output_0"].tolist() == [[2, 12]]


def test_training_saving_and_copies(saved, tmp_path):
    inputs = ramify.Input((2,))
    layer = TFSMLayer(saved)
    model = ramify.Model(inputs, layer(inputs))
    model.compile(ramify.optimizers.SGD(0.01), "mse")
    loss = model.fit(np.ones((8, 2), "float32"), np.ones((8, 2), "float32"), epochs=2, verbose=0).history["loss"]
    assert loss[1] < loss[0]
    x = torch.ones(1, 2)
    torch.testing.assert_close(copy.deepcopy(layer)(x), model(x))
    model.save(tmp_path / "m.keras")
    with pytest.raises(UnsafeFileError):
        ramify.saving.load_model(tmp_path / "m.keras")
    torch.testing.assert_close(ramify.saving.load_model(tmp_path / "m.keras", safe_mode=False)(x), model(x))


def test_inside_another_layer(saved):
    class Outer(ramify.Layer):
        def __init__(self):
            super().__init__()
            self.inner = TFSMLayer(saved)

        def call(self, x):
            return self.inner(x) + 1

    assert Outer()(ramify.Input((2,))).shape == (None, 2)


def test_wrong_arguments_are_refused(saved, tmp_path):
    with pytest.raises(FileFormatError, match=r"no saved_model\.pb"):
        TFSMLayer(tmp_path / "none")
    with pytest.raises(ArgumentError, match=r"no endpoint 'nope'.*serve"):
        TFSMLayer(saved, "nope")
    with pytest.raises(ShapeError, match="does not take these inputs"):
        TFSMLayer(saved)(torch.ones(1, 3))
    assert registry.is_safe()
