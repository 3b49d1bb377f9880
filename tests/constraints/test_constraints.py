"""Projections, gradients and configs equal Keras's."""

from __future__ import annotations

import keras
import pytest
import torch

from ramify import constraints
from ramify.errors import ArgumentError

BUILT = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.7, "axis": 1}),
    ("MaxNorm", {"max_value": 0.7, "axis": [0, 1]}),
    ("MaxNorm", {"max_value": 1.5, "axis": None}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": (0, 1, 2)}),
    ("UnitNorm", {"axis": -1}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.9, "max_value": 1.1, "rate": 0.3, "axis": 1}),
]


def projected(constraint, w):
    w = w.detach().clone().requires_grad_()
    y = constraint(w)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    return y.detach(), torch.autograd.grad((weights * y).sum(), w)[0]


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_projection_and_gradient_equal_keras(name, arguments):
    w = torch.randn(3, 4, 5)
    ours = projected(getattr(constraints, name)(**arguments), w)
    theirs = projected(getattr(keras.constraints, name)(**arguments), w)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_zero_weights_stay_and_have_a_finite_gradient(name, arguments):
    y, grad = projected(getattr(constraints, name)(**arguments), torch.zeros(3, 4, 5))
    assert (y == 0).all()
    assert torch.isfinite(grad).all()


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_shape_and_dtype_are_kept(name, arguments):
    for dtype in (torch.float64, torch.bfloat16):
        y = getattr(constraints, name)(**arguments)(torch.randn(2, 3, 4, dtype=dtype))
        assert (y.dtype, y.shape) == (dtype, (2, 3, 4))


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_configs_travel_both_ways(name, arguments):
    ours = getattr(constraints, name)(**arguments)
    theirs = getattr(keras.constraints, name)(**arguments)
    config = constraints.serialize(ours)
    assert config == keras.constraints.serialize(theirs) or isinstance(arguments.get("axis"), tuple)
    w = torch.randn(2, 3, 4)
    for loaded in (constraints.deserialize(config), keras.constraints.deserialize(config)):
        torch.testing.assert_close(loaded(w), ours(w), rtol=1e-5, atol=1e-6)


def test_bounds_hold():
    w = torch.randn(6, 5) * 3
    assert (constraints.MaxNorm(1.0)(w).norm(dim=0) <= 1).all()
    torch.testing.assert_close(constraints.UnitNorm(axis=1)(w).norm(dim=1), torch.ones(6))
    norms = constraints.MinMaxNorm(2.0, 3.0)(w).norm(dim=0)
    assert ((norms > 2 - 1e-5) & (norms < 3 + 1e-5)).all()
    assert (constraints.NonNeg()(w) >= 0).all()


@pytest.mark.parametrize(
    "name", ["max_norm", "MaxNorm", "non_neg", "NonNeg", "unit_norm", "UnitNorm", "min_max_norm", "MinMaxNorm"]
)
def test_names_mean_what_keras_means(name):
    assert constraints.serialize(constraints.get(name)) == keras.constraints.serialize(keras.constraints.get(name))


def test_get():
    def own(w):
        return w.clamp(max=1)

    instance = constraints.MaxNorm(3)
    assert constraints.get(None) is None
    assert constraints.get(own) is own
    assert constraints.get(instance) is instance
    assert isinstance(constraints.get(constraints.NonNeg), constraints.NonNeg)
    assert constraints.min_max_norm is constraints.MinMaxNorm
    with pytest.raises(ArgumentError, match=r"'maxnorm'.*'max_norm'"):
        constraints.get("maxnorm")
    with pytest.raises(ArgumentError, match="is no constraint"):
        constraints.get(2)


def test_the_base_leaves_weights_alone():
    w = torch.randn(3)
    assert constraints.Constraint()(w) is w
    assert constraints.Constraint.from_config({}).get_config() == {}
