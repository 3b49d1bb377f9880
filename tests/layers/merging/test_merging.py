"""Values, gradients, shapes, masks and configs of the merging layers, held against Keras."""

from __future__ import annotations

import time

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.layers import merging
from ramify.layers.calling import mask_of, set_mask
from ramify.layers.core import Masking

ELEMENTWISE = ["Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract"]
PAIRS = [
    ((4, 3), (4, 3)),
    ((4, 3), (4, 1)),
    ((4, 3), (4,)),
    ((4, 2, 3), (4, 3)),
    ((4, 5, 3), (4, 2, 5, 3)),
    ((3,), (3,)),
]


def arrays(*shapes):
    return [np.random.randn(*shape).astype("float32") for shape in shapes]


def both(name, kwargs, shapes):
    """Our layer and Keras's on the same arrays: outputs and input gradients must agree."""
    values = arrays(*shapes)
    ours = [torch.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    y, want = getattr(merging, name)(**kwargs)(ours), getattr(keras.layers, name)(**kwargs)(theirs)
    np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-5, atol=1e-6)
    weight = torch.randn(y.shape)
    (y * weight).sum().backward()
    (want * weight).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-5, atol=1e-6)
    return y


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_equals_keras(name, shapes):
    y = both(name, {}, shapes)
    symbolic = getattr(merging, name)()([ramify.Input(batch_shape=(None, *shape[1:])) for shape in shapes])
    assert symbolic.shape == (None, *y.shape[1:])


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
def test_any_number_of_inputs(name):
    both(name, {}, [(2, 3)] * 4)
    both(name, {}, [(2, 3)])


CONCATENATE = [(-1, (4, 3), (4, 5)), (1, (4, 3, 2), (4, 1, 2)), (0, (4, 3), (2, 3)), (-2, (4, 3, 2), (4, 1, 2))]
DOT = [
    (1, False, (4, 3), (4, 3)), (-1, True, (4, 3), (4, 3)), (1, False, (4, 3, 5), (4, 3, 2)),
    ((2, 1), True, (4, 3, 5), (4, 5, 2)),
    ((2, 1), False, (4, 3, 5), (4, 5)), ((1, 2), False, (4, 5), (4, 3, 5)), ((3, 1), False, (4, 2, 3, 5), (4, 5, 6)),
    ((-1, 1), False, (4, 2, 3, 5), (4, 5)), ((1, 1), False, (4, 2, 3, 5), (4, 2, 3, 6)),
]  # fmt: skip


@pytest.mark.parametrize(("axis", "a", "b"), CONCATENATE)
def test_concatenate_equals_keras(axis, a, b):
    y = both("Concatenate", {"axis": axis}, (a, b))
    if axis != 0:
        symbolic = merging.concatenate([ramify.Input(a[1:]), ramify.Input(b[1:])], axis=axis)
        assert symbolic.shape == (None, *y.shape[1:])


@pytest.mark.parametrize(("axes", "normalize", "a", "b"), DOT)
def test_dot_equals_keras(axes, normalize, a, b):
    y = both("Dot", {"axes": axes, "normalize": normalize}, (a, b))
    assert merging.dot([ramify.Input(a[1:]), ramify.Input(b[1:])], axes=axes).shape == (None, *y.shape[1:])


@pytest.mark.parametrize(
    ("a", "b", "layer", "want"),
    [
        ((None, None, 3), (None, 5, 3), merging.Add(), (None, 5, 3)),
        ((None, None, 3), (None, None, 3), merging.Add(), (None, None, 3)),
        ((None, 5, 3), (2, 5, 3), merging.Multiply(), (2, 5, 3)),
        ((None, None, 4), (None, 5, 4), merging.Concatenate(axis=1), (None, None, 4)),
        ((None, None, 4), (None, 5, 3), merging.Concatenate(), (None, 5, 7)),
        ((None, None), (None, 3), merging.Concatenate(), (None, None)),
        ((2, 3), (None, 3), merging.Concatenate(), (2, 6)),
        ((None, None, 4), (None, None, 4), merging.Dot(2), (None, None, None)),
    ],
)
def test_unknown_sizes(a, b, layer, want):
    assert layer([ramify.Input(batch_shape=a), ramify.Input(batch_shape=b)]).shape == want


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"])
def test_functions_equal_keras(name):
    values = arrays((4, 3), (4, 3))
    want = getattr(keras.layers, name)(values)
    np.testing.assert_allclose(getattr(merging, name)([torch.tensor(v) for v in values]), want, rtol=1e-5, atol=1e-6)
    named = getattr(merging, name)([ramify.Input((3,)), ramify.Input((3,))], name="joined")
    assert named.node.target.name == "joined"


M1, M2 = np.array([[1, 1, 0], [1, 0, 0]], bool), np.array([[0, 1, 1], [1, 1, 0]], bool)


def with_masks(masks, kind):
    values = arrays(*[(2, 3, 4)] * len(masks))
    ours, theirs = [torch.tensor(v) for v in values], [torch.tensor(v) for v in values]
    for a, b, mask in zip(ours, theirs, masks, strict=True):
        if mask is not None:
            set_mask(a, torch.tensor(mask))
            b._keras_mask = torch.tensor(mask)
    return ours if kind == "ours" else theirs, values


@pytest.mark.parametrize("masks", [(M1, M2), (M1, None), (None, M2), (None, None), (M1, M2, M1)], ids=range(5))
@pytest.mark.parametrize(
    ("name", "kwargs"),
    [(n, {}) for n in ELEMENTWISE[:-1]]
    + [("Concatenate", {"axis": axis}) for axis in (-1, 0, 1, 2)]
    + [("Dot", {"axes": 2})],
)
def test_masks_equal_keras(name, kwargs, masks):
    if name == "Dot" and len(masks) == 3:
        masks = masks[:2]
    np.random.seed(1)
    theirs = getattr(keras.layers, name)(**kwargs)(with_masks(masks, "theirs")[0])
    np.random.seed(1)
    ours = getattr(merging, name)(**kwargs)(with_masks(masks, "ours")[0])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    want, got = getattr(theirs, "_keras_mask", None), mask_of(ours)
    assert (got is None) == (want is None)
    if want is not None:
        assert np.array_equal(got, want)


def test_masks_in_a_model_equal_those_of_plain_calls():
    a, b = ramify.Input((3, 4)), ramify.Input((3, 4))
    mask = Masking()
    joined = merging.Multiply()([mask(a), mask(b)])
    assert joined.mask.shape == (None, 3)
    x, y = (torch.tensor(v) for v in arrays((2, 3, 4), (2, 3, 4)))
    x[0, 1] = 0
    y[0, 1], y[1, 2] = 0, 0
    model = ramify.Model([a, b], joined)
    want = merging.Multiply()([mask(x), mask(y)])
    np.testing.assert_allclose(model([x, y]), want)
    assert (want[0, 1] == 0).all()
    np.testing.assert_allclose(want[1, 2], x[1, 2])


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [(n, {}) for n in ELEMENTWISE] + [("Concatenate", {"axis": 1}), ("Dot", {"axes": (1, 2), "normalize": True})],
)
def test_configs_equal_keras(name, kwargs):
    ours, theirs = getattr(merging, name)(name="x", **kwargs), getattr(keras.layers, name)(name="x", **kwargs)
    assert ours.get_config() == theirs.get_config()
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()


def test_a_call_costs_little_more_than_a_module_that_adds():
    class Plain(torch.nn.Module):
        def forward(self, pair):
            return pair[0] + pair[1]

    pair = [torch.randn(8, 8), torch.randn(8, 8)]
    layer, plain = merging.Add(), Plain()
    layer(pair)

    def best(function):
        times = []
        for _ in range(30):
            start = time.perf_counter()
            for _ in range(100):
                function(pair)
            times.append(time.perf_counter() - start)
        return min(times)

    with torch.no_grad():
        assert best(layer) < 3 * best(plain)  # measured at 1.4; the limit leaves room for a busy machine
