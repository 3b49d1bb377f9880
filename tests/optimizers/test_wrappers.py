"""Optimizers around optimizers, beside the real ones; and torch's own."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import torch

from ramify import optimizers
from ramify.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def _both(*values):
    ours = [torch.nn.Parameter(torch.tensor(v)) for v in values]
    theirs = [keras.Variable(v, name=f"v{i}") for i, v in enumerate(values)]
    for mine, real in zip(ours, theirs, strict=True):
        mine.path = real.path
    return ours, theirs


def _check(ours, theirs):
    for mine, real in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), keras.ops.convert_to_numpy(real.value), rtol=1e-5, atol=1e-6)


def _check_state(ours, theirs):
    assert len(ours.variables) == len(theirs.variables)
    for mine, real in zip(ours.variables, theirs.variables, strict=True):
        assert mine.name == real.name
        np.testing.assert_allclose(mine.numpy(), keras.ops.convert_to_numpy(real.value), rtol=1e-5, atol=1e-6)


GRADS = [[4.0, 1.0], [np.inf, 1.0], [4.0, 2.0], [4.0, 3.0], [2.0, np.nan], [2.0, 1.0]]


def test_loss_scale():
    ours, theirs = _both(np.float32([2.0, 3.0]))
    mine = optimizers.LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=4.0, dynamic_growth_steps=2)
    real = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1), initial_scale=4.0, dynamic_growth_steps=2)
    for grad in GRADS:
        mine.apply([torch.tensor(grad)], ours)
        real.apply([torch.tensor(grad)], theirs)
        _check(ours, theirs)
        _check_state(mine, real)
        assert mine.scale_loss(torch.tensor(1.0)) == real.scale_loss(torch.tensor(1.0))
        assert int(mine.iterations) == int(real.iterations)
    again = optimizers.deserialize(keras.optimizers.serialize(real))
    again.build(ours)
    store: dict = {}
    real.save_own_variables(store)
    again.load_own_variables(store)
    _check_state(again, real)
    mine.learning_rate = 0.5
    assert mine.inner_optimizer.learning_rate == 0.5
    with pytest.raises(ArgumentError, match="inner optimizer"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), use_ema=True)


@pytest.mark.parametrize("how", ["map", "function"])
def test_multi(how):
    ours, theirs = _both(np.ones(2, "float32"), np.ones(3, "float32"), np.ones(1, "float32"))

    def make(module):
        if how == "function":
            first = module.SGD(1.0, momentum=0.5)
            return module.MultiOptimizer(lambda v: module.Adam(0.1) if v.path == "v1" else first)
        unused = {"x/.*": module.RMSprop(), "v[1x]": module.Adam(0.1)}
        return module.MultiOptimizer(module.OptimizerMap(module.SGD(1.0, momentum=0.5), unused))

    mine, real = make(optimizers), make(keras.optimizers)
    for _ in range(3):
        grads = [torch.randn(v.shape) for v in ours]
        mine.apply(grads, ours)
        real.apply(grads, theirs)
        _check(ours, theirs)
    _check_state(mine, real)
    with pytest.raises(AttributeError, match="learning rate"):
        _ = mine.learning_rate
    if how == "map":
        again = optimizers.deserialize(keras.optimizers.serialize(real))
        again.build(ours)
        store: dict = {}
        real.save_own_variables(store)
        again.load_own_variables(store)
        _check_state(again, real)
        assert type(keras.optimizers.deserialize(optimizers.serialize(mine))) is type(real)


def test_optimizer_map_errors():
    chosen = optimizers.OptimizerMap(optimizers.SGD(), {"a.*": optimizers.Adam(), ".*b": optimizers.Adam()})
    with pytest.raises(ArgumentError, match="several keys"):
        _ = chosen["ab"]
    with pytest.raises(ArgumentError, match="already"):
        chosen["a.*"] = optimizers.SGD()
    with pytest.raises(ArgumentError, match="optimizers"):
        chosen["c"] = 3
    assert type(chosen["c"]) is optimizers.SGD


@pytest.mark.parametrize(
    "make",
    [
        torch.optim.AdamW,
        functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9),
        lambda params: torch.optim.RMSprop(params, lr=0.01),
    ],
)
def test_torch_optimizers(make):
    torch.manual_seed(0)
    first = [torch.nn.Parameter(torch.randn(4, 3)), torch.nn.Parameter(torch.randn(3))]
    second = [torch.nn.Parameter(p.detach().clone()) for p in first]
    ours, theirs = optimizers.get(make), make(second)
    for step in range(5):
        grads = [torch.randn_like(p) for p in first]
        ours.apply(grads, first)
        for p, g in zip(second, grads, strict=True):
            p.grad = g
        theirs.step()
        if step == 2:
            store: dict = {}
            ours.save_own_variables(store)
            ours = optimizers.get(make)
            ours.build(first)
            ours.load_own_variables(store)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert int(ours.iterations) == 5
    ours.learning_rate = 0.25
    assert ours.learning_rate == ours.param_groups[0]["lr"] == 0.25


def test_torch_optimizer_keeps_its_parameters():
    weight, other = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    ours = optimizers.get(torch.optim.SGD([weight], lr=0.5))
    with pytest.raises(ArgumentError, match="other parameters"):
        ours.build([other])
    clipped = optimizers.TorchOptimizer(torch.optim.SGD([weight], lr=0.5), clipvalue=0.1)
    clipped.apply([torch.ones(2)], [weight])
    assert torch.allclose(weight, torch.tensor(0.95))
    assert weight.grad is None
