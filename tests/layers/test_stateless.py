"""Weights from outside, less memory, records, and layers as plain data."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import ArgumentError, NotBuiltError


def test_stateless_call_equals_keras_and_leaves_the_layer_alone():
    ours, theirs = layers.BatchNormalization(), keras.layers.BatchNormalization()
    x = torch.randn(5, 3)
    for layer in (ours, theirs):
        layer.build((None, 3))
    before = ours.get_weights()
    given = [torch.rand(3) for _ in range(4)]
    kept = [tensor.clone() for tensor in given]
    y, state = ours.stateless_call(given[:2], given[2:], x, training=True)
    want, wanted_state = theirs.stateless_call(given[:2], given[2:], x, training=True)
    np.testing.assert_allclose(y, want.detach(), atol=1e-5)
    for a, b in zip(state, wanted_state, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert not torch.equal(state[0], kept[2])
    assert all(map(torch.equal, given, kept))
    assert all(map(np.array_equal, ours.get_weights(), before))


def test_stateless_call_returns_losses_of_the_given_weights():
    layer = layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
    layer.build((None, 3))
    kernel, x = torch.ones(3, 2), torch.ones(4, 3)
    y, state, losses = layer.stateless_call([kernel, torch.zeros(2)], [], x, return_losses=True)
    assert y.tolist() == [[3.0, 3.0]] * 4
    assert state == []
    assert sorted(float(loss) for loss in losses) == pytest.approx([0.01 * 6, 0.01 * 24 / 4])


def test_gradients_of_a_stateless_call():
    layer = layers.Dense(2, use_bias=False)
    layer.build((None, 3))
    x = torch.randn(4, 3)
    gradient = torch.func.grad(lambda kernel: layer.stateless_call([kernel], [], x)[0].square().sum())(torch.ones(3, 2))
    layer.kernel.assign(torch.ones(3, 2))
    layer(x).square().sum().backward()
    torch.testing.assert_close(gradient, layer.kernel.grad)


def test_stateless_call_of_a_model_and_of_a_stateful_layer():
    x = ramify.Input(batch_shape=(2, 4, 3))
    model = ramify.Model(x, layers.LSTM(5, stateful=True)(layers.Dense(3)(x)))
    data = torch.randn(2, 4, 3)
    want = model(data).detach()
    model.layers[-1].reset_state()
    for _ in range(2):  # the states do not move
        y, _ = model.stateless_call(model.trainable_variables, model.non_trainable_variables, data)
        torch.testing.assert_close(y.detach(), want)


def test_wrong_numbers_of_weights():
    layer = layers.Dense(2)
    with pytest.raises(NotBuiltError, match="build"):
        layer.stateless_call([], [], torch.ones(1, 3))
    layer.build((None, 3))
    with pytest.raises(ArgumentError, match="2 `trainable_variables`, but 0"):
        layer.stateless_call([], [], torch.ones(1, 3))


def test_symbolic_call_builds_and_records():
    layer = layers.Dense(2)
    y = layer.symbolic_call(ramify.Input((3,)))
    assert y.shape == (None, 2)
    assert layer.built
    assert layer.output is y


def test_rematerialized_call_saves_memory_and_no_gradient_changes():
    layer = layers.Dense(4, activation="gelu")
    layer.build((None, 3))
    x = torch.randn(5, 3, requires_grad=True)

    def grads(call):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
            y = call(x)
        return torch.autograd.grad(y.square().sum(), [x, *layer.weights]), sum(kept)

    plain, plain_kept = grads(layer.call)
    again, again_kept = grads(layer.rematerialized_call(layer.call))
    for a, b in zip(plain, again, strict=True):
        torch.testing.assert_close(a, b)
    assert again_kept < plain_kept


def test_variables_metrics_and_parameters():
    class Counting(ramify.Layer):
        def __init__(self):
            super().__init__(name="counting")
            self.mean = ramify.metrics.Mean()
            self.scale = self.add_variable((2,), "ones", name="scale")
            self.count = self.add_variable((), "zeros", trainable=False, name="count")

    layer = Counting()
    assert [w.path for w in layer.weights] == ["counting/scale", "counting/count"]
    assert len(layer.metrics_variables) == 2
    assert layer.torch_params == {"counting/scale": layer.scale}
    assert not layer.supports_masking
    assert layer.input_spec is None


def test_a_subclass_may_say_at_class_level_that_masks_pass():
    class Twice(ramify.Layer):
        supports_masking = True

        def call(self, x):
            return 2 * x

    x = layers.Masking()(torch.zeros(1, 2, 3))
    assert layers.GlobalAveragePooling1D()(Twice()(x)).shape == (1, 3)
    assert Twice()(ramify.layers.Masking()(ramify.Input((2, 3)))).mask is not None


def test_serialize_equals_keras():
    ours, theirs = layers.Dense(3, name="d"), keras.layers.Dense(3, name="d")
    ours.build((None, 2))
    theirs.build((None, 2))
    want = keras.layers.serialize(theirs)
    assert layers.serialize(ours) == want
    twin = layers.deserialize(layers.serialize(ours))
    assert twin.get_config() == ours.get_config()
    assert twin.built


def test_deserialize_with_custom_objects_at_every_depth():
    class Half(ramify.Layer):
        def call(self, x):
            return x / 2

    config = layers.serialize(layers.TimeDistributed(layers.TimeDistributed(Half())))
    with pytest.raises(ArgumentError, match="Half"):
        layers.deserialize(config)
    layer = layers.deserialize(config, {"Half": Half})
    assert layer(torch.ones(1, 2, 3, 4)).sum() == 12
    inner = layers.TimeDistributed.from_config(config["config"], custom_objects={"Half": Half})
    assert isinstance(inner.layer.layer, Half)


def test_what_is_no_layer_is_refused():
    for wrong in (
        "Flatten",
        {"class_name": "Nope", "config": {}},
        ramify.optimizers.serialize(ramify.optimizers.Adam()),
    ):
        with pytest.raises(ArgumentError):
            layers.deserialize(wrong)
    with pytest.raises(ArgumentError, match="takes a layer"):
        layers.serialize(layers.Dense)
