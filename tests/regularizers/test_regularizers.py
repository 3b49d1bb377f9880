"""Penalties, gradients and configs equal Keras's."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import torch

from ramify import regularizers
from ramify.errors import ArgumentError, ShapeError

BUILT = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 2}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1}),
    ("L1L2", {"l2": 0.2}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]


def penalty_and_gradient(regularizer, w):
    w = w.detach().clone().requires_grad_()
    penalty = regularizer(w)
    grad = torch.autograd.grad(penalty, w)[0] if penalty.requires_grad else torch.zeros_like(w)
    return penalty.detach(), grad


@pytest.mark.parametrize(("name", "arguments"), BUILT)
@pytest.mark.parametrize("shape", [(5, 4), (4, 7)])
def test_penalty_and_gradient_equal_keras(name, arguments, shape):
    w = torch.randn(shape)
    ours = penalty_and_gradient(getattr(regularizers, name)(**arguments), w)
    theirs = penalty_and_gradient(getattr(keras.regularizers, name)(**arguments), w)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_zero_weights_have_a_finite_gradient(name, arguments):
    w = torch.zeros(3, 3)
    w[0, 0] = 1.0
    for part in penalty_and_gradient(getattr(regularizers, name)(**arguments), w):
        assert torch.isfinite(part).all()


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_dtype_is_kept(name, arguments):
    for dtype in (torch.float64, torch.bfloat16):
        penalty = getattr(regularizers, name)(**arguments)(torch.randn(3, 4, dtype=dtype))
        assert penalty.dtype == dtype
        assert penalty.shape == ()


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_configs_travel_both_ways(name, arguments):
    ours = getattr(regularizers, name)(**arguments)
    theirs = getattr(keras.regularizers, name)(**arguments)
    mine, other = regularizers.serialize(ours), keras.regularizers.serialize(theirs)
    json.dumps(mine)
    assert {**mine, "config": None} == {**other, "config": None}
    assert mine["config"].keys() == other["config"].keys()
    w = torch.randn(4, 3)
    for loaded in (
        regularizers.deserialize(mine),
        regularizers.deserialize(other),
        keras.regularizers.deserialize(mine),
    ):
        torch.testing.assert_close(loaded(w), ours(w), rtol=1e-5, atol=1e-7)
    assert regularizers.deserialize(mine).get_config() == ours.get_config()


def test_orthogonal_by_hand():
    w = torch.tensor([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0]])
    torch.testing.assert_close(regularizers.OrthogonalRegularizer(1.0)(w), torch.tensor(24 / 25 / 3))


def test_one_row_alone_has_no_penalty():
    assert regularizers.OrthogonalRegularizer()(torch.ones(1, 4)) == 0


def test_unused_terms_are_left_out():
    w = torch.tensor([float("inf")])
    assert regularizers.L1L2()(w) == 0


@pytest.mark.parametrize(
    "name", ["l1", "L1", "l2", "L2", "l1l2", "L1L2", "orthogonal_regularizer", "OrthogonalRegularizer"]
)
def test_names_mean_what_keras_means(name):
    ours, theirs = regularizers.get(name), keras.regularizers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    w = torch.randn(3, 3)
    torch.testing.assert_close(ours(w), theirs(w))


def test_get():
    def own(w):
        return w.sum()

    instance = regularizers.L2(0.5)
    assert regularizers.get(None) is None
    assert regularizers.get(own) is own
    assert regularizers.get(instance) is instance
    assert isinstance(regularizers.get(regularizers.L1), regularizers.L1)
    assert regularizers.l1_l2 is regularizers.L1L2
    with pytest.raises(ArgumentError, match=r"'l1l3'.*'l1l2'"):
        regularizers.get("l1l3")
    with pytest.raises(ArgumentError, match="is no regularizer"):
        regularizers.get(0.01)


def test_own_classes():
    class Own(regularizers.Regularizer):
        def __init__(self, power=3):
            self.power = power

        def __call__(self, x):
            return (x**self.power).sum()

        def get_config(self):
            return {"power": self.power}

    loaded = regularizers.deserialize(regularizers.serialize(Own(2)), custom_objects={"Own": Own})
    assert isinstance(loaded, Own)
    assert loaded.power == 2


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "a"])
def test_factors_that_cannot_be(value):
    for make in (regularizers.L1, regularizers.L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ArgumentError, match="finite number"):
            make(value)


def test_factors_of_any_kind_of_number():
    assert regularizers.L1(np.float32(0.5)).get_config() == {"l1": 0.5}
    assert regularizers.L1L2(None, 1).get_config() == {"l1": 0.0, "l2": 1.0}


def test_errors_of_the_orthogonal_one():
    with pytest.raises(ArgumentError, match="'rows' or 'columns'"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ShapeError, match=r"\(2, 2, 2\)"):
        regularizers.OrthogonalRegularizer()(torch.ones(2, 2, 2))
