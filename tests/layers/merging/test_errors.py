"""Shapes that cannot be merged: every branch is named, with its shape, its maker and a mend."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, InputError, ShapeError
from ramify.layers import Dense, merging


def message(layer, *inputs):
    with pytest.raises(ShapeError) as caught:
        layer(list(inputs))
    return str(caught.value)


def test_the_mistake_of_the_article():
    flat = Dense(64, name="dense")(ramify.Input((10,)))
    image = Dense(64, name="dense_1")(ramify.Input((64, 64, 3)))
    with pytest.raises(ShapeError) as caught:
        merging.concatenate([flat, image])
    text = str(caught.value)
    for part in (
        "(None, 64) from Dense 'dense'",
        "(None, 64, 64, 64) from Dense 'dense_1'",
        "Flatten()",
        "GlobalAveragePooling2D()",
        "2 and 4 axes",
    ):
        assert part in text


@pytest.mark.parametrize(("rank", "pooling"), [(3, "1D"), (4, "2D"), (5, "3D")])
def test_pooling_of_the_right_rank_is_proposed(rank, pooling):
    text = message(merging.Concatenate(), ramify.Input((4,)), ramify.Input((8,) * (rank - 1)))
    assert f"GlobalAveragePooling{pooling}()" in text


def test_sizes_off_the_axis():
    a, b = ramify.Input((3, 4), name="left"), ramify.Input((2, 4), name="right")
    text = message(merging.Concatenate(), a, b)
    assert "on axis 1 they have sizes 2 and 3" in text
    assert "only axis 2 may differ" in text
    assert "(None, 3, 4) from InputLayer 'left' and (None, 2, 4) from InputLayer 'right'" in text
    assert "axis=1" in text
    both_differ = message(merging.Concatenate(axis=1), ramify.Input((3, 4)), ramify.Input((2, 5)))
    assert "axis=2" not in both_differ


def test_elementwise():
    text = message(merging.Add(name="sum"), ramify.Input((8, 8, 16), name="a"), ramify.Input((8, 8, 32), name="b"))
    assert "Add 'sum'" in text
    assert "on axis 3 they have sizes 16 and 32" in text
    assert "'a'" in text
    assert "'b'" in text
    assert "Conv2D(filters, 1)" in text
    assert "padding='same'" in message(merging.Add(), ramify.Input((8, 8, 16)), ramify.Input((7, 8, 16)))
    assert "batch sizes differ" in message(merging.Add(), ramify.Input((3,), 4), ramify.Input((3,), 2))


def test_operations_are_named_too():
    x = ramify.Input((4,))
    assert "operation 'relu'" in message(merging.Add(), torch.relu(x), ramify.Input((5,)))


def test_real_tensors_and_arrays():
    assert "(2, 3) and (2, 4)" in message(merging.Add(), torch.ones(2, 3), torch.ones(2, 4))
    assert "(2, 3) and (2, 4)" in message(merging.Add(), np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ShapeError, match="axis 1"):
        merging.Add().build([(None, 3), (None, 4)])


def test_a_layer_that_is_in_use_checks_symbolic_inputs_all_the_same():
    layer = merging.Add()
    layer([torch.ones(2, 3), torch.ones(2, 3)])
    assert "axis 1" in message(layer, ramify.Input((3,)), ramify.Input((4,)))


def test_dot():
    text = message(merging.Dot(axes=1), ramify.Input((3,)), ramify.Input((4,)))
    assert "axis 1 of the first has size 3, axis 1 of the second 4" in text
    assert "is the batch" in message(merging.Dot(axes=0), ramify.Input((3,)), ramify.Input((3,)))
    assert "is not there" in message(merging.Dot(axes=2), ramify.Input((3,)), ramify.Input((3,)))
    for axes in ("a", (1,), (1, 2, 3), None):
        with pytest.raises(ArgumentError, match="axes"):
            merging.Dot(axes=axes)


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (merging.Add(), []),
        (merging.Add(), torch.ones(2, 3)),
        (merging.Subtract(), [torch.ones(2, 3)]),
        (merging.Subtract(), [torch.ones(2, 3)] * 3),
        (merging.Dot(1), [torch.ones(2, 3)] * 3),
    ],
)
def test_the_number_of_inputs(layer, inputs):
    with pytest.raises(InputError, match="merges a list"):
        layer(inputs)


def test_no_such_axis():
    assert "there is no axis 2" in message(merging.Concatenate(axis=2), ramify.Input((3,)), ramify.Input((3,)))
