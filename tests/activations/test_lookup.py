"""From names to functions, to configs and back, as Keras does it."""

from __future__ import annotations

import functools

import keras
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ramify import activations, registry
from ramify.errors import ArgumentError

NAMES = sorted(set(activations.__all__) - {"get", "serialize", "deserialize"})


def twice(x):
    return 2 * x


@pytest.mark.parametrize("name", NAMES)
def test_names_round_trip_and_equal_keras(name):
    function = activations.get(name)
    assert function is getattr(activations, name)
    assert activations.serialize(function) == keras.activations.serialize(keras.activations.get(name))
    assert activations.deserialize(activations.serialize(function)) is function
    assert keras.activations.get(activations.serialize(function)) is getattr(keras.activations, name)


def test_none_is_linear():
    assert activations.get(None) is activations.linear


def test_functions_modules_and_classes():
    module = nn.PReLU()
    assert activations.get(twice) is twice
    assert activations.get(torch.sin) is torch.sin
    assert activations.get(module) is module
    assert isinstance(activations.get(nn.Tanh), nn.Tanh)


def test_the_form_of_functions_in_keras_files():
    config = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
    assert activations.deserialize(config) is activations.relu
    config["config"] = "twice"
    assert activations.deserialize(config, custom_objects={"twice": twice}) is twice


def test_own_functions_by_name_and_registered():
    assert activations.serialize(twice) == "twice"
    assert activations.deserialize("twice", custom_objects={"twice": twice}) is twice
    with registry.custom_object_scope({"twice": twice}):
        assert activations.get("twice") is twice

    @registry.register_keras_serializable(package="test_activations")
    def thrice(x):
        return 3 * x

    assert activations.serialize(thrice) == "test_activations>thrice"
    assert activations.get("test_activations>thrice") is thrice


@pytest.mark.parametrize("function", [torch.relu, F.relu, torch.tanh, F.gelu, F.silu])
def test_torchs_functions_go_by_the_name_of_the_same_activation(function):
    x = torch.randn(10)
    torch.testing.assert_close(activations.deserialize(activations.serialize(function))(x), function(x))


def test_no_function_is_saved_under_a_name_that_means_another():
    def relu(x):
        return -x

    # torch's slope is 0.01 where ours, as Keras's, is 0.2.
    for function in (relu, F.leaky_relu):
        with pytest.raises(ArgumentError, match="name of another activation"):
            activations.serialize(function)
    with pytest.raises(ArgumentError, match="lambda"):
        activations.serialize(lambda x: x)
    with pytest.raises(ArgumentError):
        activations.serialize(functools.partial(F.leaky_relu, negative_slope=0.3))


@pytest.mark.parametrize(("wrong", "close"), [("relux", "relu"), ("sigmod", "sigmoid"), ("soft_max", "softmax")])
def test_unknown_names_list_close_ones(wrong, close):
    with pytest.raises(ArgumentError, match=f"'{wrong}'.*'{close}'"):
        activations.get(wrong)


@pytest.mark.parametrize("wrong", [3, 1.5, [1]])
def test_what_is_no_activation(wrong):
    with pytest.raises(ValueError, match="is no activation"):
        activations.get(wrong)
