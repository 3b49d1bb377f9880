"""EinsumDense against Keras: every form of equation, biases, unknown sizes, refusals."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.core import EinsumDense

TABLE = [
    ("ab,bc->ac", 4, (2, 3), "c"),
    ("ab,bc->ac", 4, (2, 3), None),
    ("abc,cd->abd", (None, 4), (2, 5, 3), "d"),
    ("abc,cd->abd", (5, 4), (2, 5, 3), "bd"),
    ("...x,xy->...y", 4, (2, 5, 3), "y"),
    ("abc,cde->abde", (None, 2, 4), (2, 5, 3), "de"),
    ("abc,cde->abde", (None, 2, 4), (2, 5, 3), "d"),
    ("abc,bcd->ad", 4, (2, 5, 3), "d"),
    ("abcd,cde->abe", (None, 6), (2, 5, 3, 2), "e"),
    ("abc,bd->adc", (4, 3), (2, 5, 3), "d"),
    ("ab...,bc->ac...", 4, (2, 3, 5, 6), "c"),
]


@pytest.mark.parametrize(("equation", "output", "shape", "bias"), TABLE)
def test_equals_keras(equation, output, shape, bias):
    kwargs = {"equation": equation, "output_shape": output, "bias_axes": bias, "activation": "tanh", "name": "x"}
    a, b = EinsumDense(**kwargs), keras.layers.EinsumDense(**kwargs)
    b.build((None, *shape[1:]))
    symbolic = a(ramify.Input(shape[1:]))
    assert a.get_config() == b.get_config()
    assert EinsumDense.from_config(b.get_config()).get_config() == a.get_config()
    assert [(w.path, tuple(w.shape)) for w in a.weights] == [(w.path, tuple(w.shape)) for w in b.weights]
    a.set_weights([np.random.randn(*w.shape).astype("float32") for w in b.weights])
    b.set_weights(a.get_weights())
    x = np.random.randn(*shape).astype("float32")
    u, v = torch.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, want = a(u), b(v)
    np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-5, atol=1e-5)
    assert symbolic.shape == (None, *y.shape[1:])
    y.square().sum().backward()
    want.square().sum().backward()
    np.testing.assert_allclose(u.grad, v.grad, rtol=1e-4, atol=1e-5)
    for p, q in zip(a.weights, b.weights, strict=True):
        np.testing.assert_allclose(p.grad, q.value.grad, rtol=1e-4, atol=1e-5)


def test_unknown_sizes():
    layer = EinsumDense("abc,cd->abd", (None, 4), bias_axes="d")
    assert layer(ramify.Input((None, 3))).shape == (None, None, 4)


def test_errors():
    for equation in ("abbc", "ab,bc", "...ab,bc->ac...", "ab,cd->ad"):
        with pytest.raises(ArgumentError, match=r"equation|letter|side"):
            EinsumDense(equation, 4)
    cases = [
        (EinsumDense("abc,cd->abd", (7, 4)), (5, 3), "size 5 in the input but 7"),
        (EinsumDense("abc,cd->abd", (None, 4), bias_axes="bd"), (None, 3), "axis 'b', whose size is not known"),
        (EinsumDense("abc,cd->abd", (None, 4), bias_axes="x"), (5, 3), "axis 'x'"),
        (EinsumDense("abc,cd->abd", 4), (5, 3), "does not name the axes"),
        (EinsumDense("abc,cd->abd", (None, 4)), (5,), "has not the axes"),
    ]
    for layer, shape, text in cases:
        with pytest.raises(ShapeError, match=text):
            layer(ramify.Input(shape))
