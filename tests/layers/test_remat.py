"""`RematScope` computes twice, keeps less, and changes nothing else."""

from __future__ import annotations

import keras
import pytest
import torch

import ramify
from ramify.errors import ArgumentError


class Counted:
    """A function that counts its runs."""

    def __init__(self):
        self.runs = 0

    def __call__(self, x):
        self.runs += 1
        return torch.sin(x)


def make(lib, count):
    class Inner(lib.layers.Layer):
        def call(self, x):
            return count(x * 2)

    return Inner(name="a")


CASES = [
    ({"mode": "full"}, 2),
    ({"mode": None}, 1),
    ({"mode": "larger_than", "output_size_threshold": 5}, 2),
    ({"mode": "larger_than", "output_size_threshold": 6}, 1),
    ({"mode": "list_of_layers", "layer_names": ["a"]}, 2),
    ({"mode": "list_of_layers", "layer_names": ["b"]}, 1),
]


@pytest.mark.parametrize(("options", "runs"), CASES)
def test_which_layers_run_twice_as_keras(options, runs):
    for lib in (ramify, keras):
        count = Counted()
        with lib.RematScope(**options):
            layer = make(lib, count)
        layer(torch.ones(2, 3, requires_grad=True)).sum().backward()
        probes = 0 if "larger" not in str(options) else 2 if lib is ramify else 1  # runs that learn the size
        expected = runs + probes
        assert count.runs == expected
        with torch.no_grad():
            layer(torch.ones(2, 3))
        assert count.runs >= expected + 1


def test_activations_alone_as_keras():
    for lib in (ramify, keras):
        count = Counted()
        with lib.RematScope("activations"):
            layer = lib.layers.Dense(2, activation=count)
        layer.build((None, 3))
        layer(torch.ones(2, 3, requires_grad=True)).sum().backward()
        assert count.runs == 2


def test_layers_of_a_functional_model_run_twice_when_it_trains():
    count = Counted()
    with ramify.RematScope("list_of_layers", layer_names=["a"]):
        inputs = ramify.Input((3,))
        model = ramify.Model(inputs, ramify.layers.Dense(1)(make(ramify, count)(inputs)))
    count.runs = 0
    model.compile("sgd", "mse")
    model.train_on_batch(torch.ones(2, 3), torch.ones(2, 1))
    assert count.runs == 1 + 0  # nothing before it trains, so nothing has to be computed again
    with ramify.RematScope():
        model = ramify.Sequential([ramify.layers.Dense(4), make(ramify, count), ramify.layers.Dense(1)])
    count.runs = 0
    model.compile("sgd", "mse")
    model.train_on_batch(torch.ones(2, 3), torch.ones(2, 1))
    assert count.runs >= 2


def parts(lib_scope):
    torch.manual_seed(0)
    with lib_scope:
        return ramify.Sequential(
            [
                ramify.layers.Dense(8, activation="gelu", kernel_regularizer="l2", activity_regularizer="l2"),
                ramify.layers.BatchNormalization(),
                ramify.layers.Dropout(0.5, seed=3),
                ramify.layers.GaussianNoise(0.1),
                ramify.layers.Dense(2),
            ]
        )


def test_numbers_gradients_state_losses_and_draws_are_the_same():
    x = torch.randn(16, 4)
    found = []
    for scope in (ramify.RematScope(None), ramify.RematScope("full")):
        model = parts(scope)
        model(x)
        torch.manual_seed(7)
        for _ in range(2):
            y = model(x, training=True)
            (y.square().sum() + sum(model.losses)).backward()
        found.append([y, *[p.grad for p in model.parameters()], *model.buffers(), *model.losses])
    assert len(found[0]) == len(found[1])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


def test_less_is_kept():
    def kept(scope):
        with scope:
            layer = ramify.layers.Dense(64, activation="gelu")
        layer.build((None, 64))
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
            layer(torch.ones(32, 64, requires_grad=True))
        return sum(sizes)

    assert kept(ramify.RematScope()) < kept(ramify.RematScope(None))


def test_a_function():
    count = Counted()
    x = torch.ones(2, requires_grad=True)
    ramify.remat(count)(x).sum().backward()
    assert count.runs == 2
    torch.testing.assert_close(x.grad, torch.ones(2).cos())


def test_unknown_modes():
    with pytest.raises(ArgumentError, match="larger_than"):
        ramify.RematScope("much")
