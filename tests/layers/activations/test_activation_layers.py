"""Activations that are layers, against Keras: values, gradients, configs, masks, errors."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers import activations as ours

TABLE = [
    ("ReLU", {}),
    ("ReLU", {"max_value": 1.0}),
    ("ReLU", {"max_value": 6, "negative_slope": 0.2, "threshold": 0.5}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.1}),
    ("ELU", {"alpha": 0.7}),
    ("PReLU", {"alpha_initializer": "ones"}),
    ("PReLU", {"shared_axes": [1]}),
    ("PReLU", {"shared_axes": 2, "alpha_regularizer": "l2", "alpha_constraint": "non_neg"}),
    ("Softmax", {}),
    ("Softmax", {"axis": 1}),
    ("Softmax", {"axis": [1, 2]}),
]


@pytest.mark.parametrize(("name", "kwargs"), TABLE, ids=str)
def test_equals_keras(name, kwargs):
    a, b = getattr(ours, name)(name="x", **kwargs), getattr(keras.layers, name)(name="x", **kwargs)
    assert a.get_config() == b.get_config()
    assert type(a).from_config(a.get_config()).get_config() == a.get_config()
    x = np.random.randn(3, 4, 5).astype("float32") * 3
    a.build((None, 4, 5))
    b.build((None, 4, 5))
    values = [np.random.rand(*w.shape).astype("float32") for w in b.weights]
    a.set_weights(values)
    b.set_weights(values)
    u, v, w = torch.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True), torch.randn(3, 4, 5)
    y, want = a(u), b(v)
    np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-5, atol=1e-6)
    (y * w).sum().backward()
    (want * w).sum().backward()
    np.testing.assert_allclose(u.grad, v.grad, rtol=1e-5, atol=1e-6)
    for p, q in zip(a.weights, b.weights, strict=True):
        np.testing.assert_allclose(p.grad, q.value.grad, rtol=1e-5, atol=1e-5)
    assert getattr(ours, name)(**kwargs)(ramify.Input((4, 5))).shape == (None, 4, 5)


@pytest.mark.parametrize("axis", [-1, (1, 2)])
def test_masked_softmax_equals_keras(axis):
    x = np.random.randn(2, 3, 4).astype("float32")
    mask = np.random.rand(2, 3, 4) > 0.5
    mask[0, 0] = False
    for given in (mask, mask.astype("float32")):
        want = keras.layers.Softmax(axis=axis)(x, mask=given)
        got = ours.Softmax(axis=axis)(torch.tensor(x), mask=torch.tensor(given))
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_unknown_sizes():
    assert ours.ReLU()(ramify.Input((None, 3))).shape == (None, None, 3)
    assert ours.PReLU(shared_axes=[1])(ramify.Input((None, 3))).shape == (None, None, 3)
    with pytest.raises(ShapeError, match=r"shared_axes=\[1\]"):
        ours.PReLU()(ramify.Input((None, 3)))


def test_the_old_name_of_a_slope():
    assert ours.LeakyReLU(alpha=0.1).negative_slope == 0.1


@pytest.mark.parametrize(
    "make",
    [
        lambda: ours.ReLU(max_value=-1),
        lambda: ours.ReLU(negative_slope=-1),
        lambda: ours.ReLU(threshold=None),
        lambda: ours.LeakyReLU(None),
        lambda: ours.LeakyReLU(-1),
    ],
)
def test_arguments_out_of_range(make):
    with pytest.raises(ArgumentError, match="not negative"):
        make()
