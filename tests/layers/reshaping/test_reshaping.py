"""Flatten, Permute, RepeatVector and Reshape against Keras, known and unknown sizes, and what they refuse."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.reshaping import Flatten, Permute, RepeatVector, Reshape

OURS = {cls.__name__: cls for cls in (Flatten, Permute, RepeatVector, Reshape)}
TABLE = [
    ("Flatten", {}, (2,)),
    ("Flatten", {}, (2, 3)),
    ("Flatten", {}, (2, 3, 4, 5)),
    ("Flatten", {"data_format": "channels_first"}, (2, 3, 4, 5)),
    ("Permute", {"dims": (2, 1)}, (2, 3, 4)),
    ("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 5)),
    ("RepeatVector", {"n": 3}, (2, 4)),
    ("Reshape", {"target_shape": (2, 6)}, (2, 3, 4)),
    ("Reshape", {"target_shape": (-1, 2)}, (2, 3, 4)),
    ("Reshape", {"target_shape": (12,)}, (2, 3, 4)),
    ("Reshape", {"target_shape": ()}, (2, 1)),
]


@pytest.mark.parametrize(("name", "kwargs", "shape"), TABLE, ids=str)
def test_equals_keras(name, kwargs, shape):
    a, b = OURS[name](name="x", **kwargs), getattr(keras.layers, name)(name="x", **kwargs)
    assert a.get_config() == b.get_config()
    assert type(a).from_config(a.get_config()).get_config() == a.get_config()
    x = np.random.randn(*shape).astype("float32")
    y = a(torch.tensor(x))
    np.testing.assert_array_equal(y, b(x))
    assert a(ramify.Input(shape[1:])).shape == (None, *y.shape[1:])


@pytest.mark.parametrize(
    ("layer", "shape", "want"),
    [
        (Flatten(), (None, None, 3), (None, None)),
        (Flatten(), (2, None, 3), (2, None)),
        (Flatten(), (None,), (None, 1)),
        (Permute((2, 1)), (None, 3, None), (None, None, 3)),
        (RepeatVector(3), (None, None), (None, 3, None)),
        (Reshape((-1, 2)), (None, None, 4), (None, None, 2)),
        (Reshape((None, 2)), (None, 4), (None, 2, 2)),
        (Reshape((2, 2)), (None, None, 4), (None, 2, 2)),
        (Reshape((-1, 3)), (None, None, 4), (None, None, 3)),
        (Reshape((5,)), (None, None), (None, 5)),
    ],
)
def test_unknown_sizes(layer, shape, want):
    assert layer(ramify.Input(batch_shape=shape)).shape == want


def test_views_where_nothing_needs_to_move():
    x = torch.randn(2, 3, 4)
    for layer in (Flatten(), Reshape((4, 3)), Permute((2, 1))):
        assert layer(x).data_ptr() == x.data_ptr()


def test_an_empty_batch():
    assert Reshape((-1, 2))(torch.empty(0, 4)).shape == (0, 2, 2)
    assert Flatten()(torch.empty(0, 2, 3)).shape == (0, 6)


def test_errors():
    with pytest.raises(ShapeError, match=r"12 numbers.*\(5,\).*product is 12"):
        Reshape((5,))(ramify.Input((3, 4)))
    with pytest.raises(ShapeError, match="leave one open"):
        Reshape((-1, 5))(ramify.Input((3, 4)))
    for make in (
        lambda: Reshape((-1, -1)),
        lambda: Reshape(4),
        lambda: Reshape((2.5,)),
        lambda: Permute((1, 3)),
        lambda: Permute((0, 1)),
        lambda: RepeatVector(2.5),
        lambda: RepeatVector(0),
        lambda: Flatten("x"),
    ):
        with pytest.raises(ArgumentError):
            make()
    with pytest.raises(ShapeError, match="3 axes"):
        Permute((2, 1))(ramify.Input((3,)))
    with pytest.raises(ShapeError, match="2 axes"):
        RepeatVector(2)(ramify.Input((3, 4)))
