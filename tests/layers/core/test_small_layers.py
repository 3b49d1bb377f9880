"""Activation, Identity, Masking, Lambda, Wrapper and TorchModuleWrapper."""

from __future__ import annotations

import copy
import json

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, UnsafeFileError
from ramify.graph import Graph
from ramify.layers import Dense
from ramify.layers.calling import mask_of, set_mask
from ramify.layers.core import Activation, Identity, Lambda, Masking, TorchModuleWrapper, Wrapper
from ramify.registry import register_keras_serializable


@register_keras_serializable("tests")
def doubled(x):
    return 2 * x


@pytest.mark.parametrize("name", ["relu", "gelu", "softmax", None])
def test_activation_equals_keras(name):
    a, b = Activation(name, name="x"), keras.layers.Activation(name, name="x")
    assert a.get_config() == b.get_config()
    x = np.random.randn(2, 3).astype("float32")
    np.testing.assert_allclose(a(torch.tensor(x)), b(x), rtol=1e-5, atol=1e-6)
    assert a(ramify.Input((3,))).shape == (None, 3)
    assert Activation.from_config(a.get_config()).activation is a.activation


def test_identity_passes_structures_and_masks():
    x = torch.randn(2, 3)
    set_mask(x, torch.ones(2, dtype=torch.bool))
    assert mask_of(Identity()(x)) is mask_of(x)
    a, b = Identity()([ramify.Input((3,)), ramify.Input((4,))])
    assert (a.shape, b.shape) == ((None, 3), (None, 4))
    assert Identity(name="x").get_config() == keras.layers.Identity(name="x").get_config()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_masking_equals_keras(value):
    x = np.random.randint(0, 2, (4, 5, 2)).astype("float32")
    a, b = Masking(value, name="x"), keras.layers.Masking(value, name="x")
    assert a.get_config() == b.get_config()
    y, want = a(torch.tensor(x)), b(x)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(mask_of(y), want._keras_mask)
    symbolic = a(ramify.Input((None, 2)))
    assert symbolic.shape == (None, None, 2)
    assert symbolic.mask.shape == (None, None)
    i = ramify.Input((5, 2))
    model = ramify.Model(i, a(i))
    np.testing.assert_array_equal(model(torch.tensor(x)), want)


def test_lambda_is_one_node():
    i = ramify.Input((3,))
    out = Lambda(lambda x, k: torch.relu(x * k) + 1, arguments={"k": 3})(i)
    assert len(Graph(i, out).nodes) == 1
    x = torch.randn(2, 3)
    torch.testing.assert_close(ramify.Model(i, out)(x), torch.relu(x * 3) + 1)


def test_lambda_gets_what_it_asks_for():
    layer = Lambda(lambda x, training=None, mask=None: x * (2 if training else 3) + (0 if mask is None else 10))
    x = torch.ones(2, 3)
    assert float(layer(x, training=True)[0, 0]) == 2
    assert float(layer(x)[0, 0]) == 3
    set_mask(x, torch.ones(2, dtype=torch.bool))
    assert float(layer(x)[0, 0]) == 13


def test_lambda_masks():
    x = torch.ones(2, 3)
    mask = torch.tensor([True, False])
    set_mask(x, mask)
    assert mask_of(Lambda(lambda x: x * 2)(x)) is None
    assert mask_of(Lambda(lambda x: x * 2, mask=lambda inputs, m: ~m)(x)).tolist() == [False, True]
    assert mask_of(Lambda(lambda x: x * 2, mask=mask)(torch.ones(2, 3))) is mask


@pytest.mark.parametrize("declared", [(7,), lambda shape: (shape[0], 7)])
def test_lambda_with_a_shape_that_depends_on_values(declared):
    layer = Lambda(lambda x: x[:, : int(x.sum()) * 0 + 7], output_shape=declared)
    assert layer(ramify.Input((9,))).shape == (None, 7)
    assert layer(torch.ones(2, 9)).shape == (2, 7)


def test_lambda_configs():
    named = Lambda(doubled, name="x")
    theirs = keras.layers.Lambda(doubled, name="x").get_config()
    ours = named.get_config()
    assert {**ours, "function": None} == {**theirs, "function": None}
    assert ours["function"].keys() == theirs["function"].keys()
    assert ours["function"]["config"] == "tests>doubled"
    assert Lambda.from_config(json.loads(json.dumps(ours))).function is doubled
    anonymous = Lambda(lambda x, k=2: x * k, name="x")
    again = Lambda.from_config(anonymous.get_config())
    assert again.function is anonymous.function
    plain = json.loads(json.dumps(anonymous.get_config()))
    assert plain["function"]["class_name"] == "__lambda__"
    with pytest.raises(UnsafeFileError, match="named function"):
        Lambda.from_config(plain)
    with pytest.raises(ArgumentError, match="function"):
        Lambda(3)


def test_keras_reads_our_lambda():
    config = Lambda(lambda x, k=2: x * k + 1, name="x").get_config()
    with keras.src.saving.serialization_lib.SafeModeScope(False):
        layer = keras.layers.Lambda.from_config({**config, "function": dict(config["function"])})
    np.testing.assert_allclose(layer(np.ones((1, 2), "float32")), [[3, 3]])


def test_wrapper():
    class Twice(Wrapper):
        def call(self, inputs):
            return 2 * self.layer(inputs)

    layer = Twice(Dense(3, name="d"), name="w")
    assert layer(ramify.Input((5,))).shape == (None, 3)
    assert [w.path for w in layer.weights] == ["w/d/kernel", "w/d/bias"]
    with pytest.raises(ArgumentError, match="TorchModuleWrapper"):
        Wrapper(torch.nn.Linear(2, 3))
    plain = Wrapper(Dense(3, name="d"), name="w")
    assert Wrapper.from_config(plain.get_config()).get_config() == plain.get_config()


# ---- torch modules ----


def test_a_module_is_a_layer():
    module = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4))
    layer = TorchModuleWrapper(module)
    i = ramify.Input((5,))
    model = ramify.Model(i, layer(i))
    x = torch.randn(6, 5)
    torch.testing.assert_close(model(x), copy.deepcopy(module).eval()(x))
    assert {id(p) for p in module.parameters()} == {id(w) for w in layer.trainable_weights}
    assert len(layer.weights) == len(list(module.parameters())) + len(list(module.buffers()))
    layer(x).sum().backward()
    assert module[0].weight.grad is not None


def test_the_mode_of_a_module_follows_the_layer():
    layer = TorchModuleWrapper(torch.nn.BatchNorm1d(5))
    x = torch.randn(6, 5) + 3
    assert not layer.module.training
    layer(x, training=True)
    assert layer.module.training
    assert int(layer.module.num_batches_tracked) == 1
    layer(x)
    assert not layer.module.training
    assert int(layer.module.num_batches_tracked) == 1
    switched = []
    layer.module.train = lambda mode=True: switched.append(mode)
    layer(x)
    assert not switched


def test_building_a_graph_leaves_the_module_alone():
    layer = TorchModuleWrapper(torch.nn.BatchNorm1d(5))
    layer(ramify.Input((5,)), training=True)
    assert int(layer.module.num_batches_tracked) == 0
    assert not layer.module.running_mean.any()


def test_several_arguments():
    class Scaled(torch.nn.Module):
        def forward(self, a, b, scale=1.0):
            return (a + b) * scale

    layer = TorchModuleWrapper(Scaled())
    assert layer(ramify.Input((3,)), ramify.Input((3,)), scale=2.0).shape == (None, 3)
    assert float(layer(torch.ones(2, 3), torch.ones(2, 3), scale=2.0)[0, 0]) == 4


def test_lazy_and_frozen_modules():
    layer = TorchModuleWrapper(torch.nn.LazyLinear(7))
    assert layer(ramify.Input((5,))).shape == (None, 7)
    assert layer.module.weight.shape == (7, 5)
    frozen = TorchModuleWrapper(torch.nn.Linear(3, 4), trainable=False)
    assert not frozen.trainable_weights
    assert not any(p.requires_grad for p in frozen.module.parameters())


def test_configs_of_modules():
    layer = TorchModuleWrapper(torch.nn.Linear(3, 4), name="x")
    again = TorchModuleWrapper.from_config(layer.get_config())
    assert again.module is not layer.module
    torch.testing.assert_close(again(torch.ones(2, 3)), layer(torch.ones(2, 3)))
    read = TorchModuleWrapper.from_config(json.loads(json.dumps(layer.get_config())))  # without the numbers
    assert read.module.weight.shape == layer.module.weight.shape
    theirs = keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 4)).get_config()
    with pytest.raises(UnsafeFileError, match="only be made by code"):
        TorchModuleWrapper.from_config(theirs)
    with pytest.raises(ArgumentError, match="wraps a"):
        TorchModuleWrapper(3)
