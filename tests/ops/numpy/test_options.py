"""Axes, shapes, keepdims and the other options as hypothesis draws them, against NumPy, which settles what is right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ramify
from ramify import ops
from ramify.errors import ArgumentError

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
few = settings(max_examples=12, deadline=None, database=None, derandomize=True)


def values(shape, missing=False):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    return np.where(np.abs(x) < 0.3, np.float32("nan"), x) if missing else x


def axis_of(data, rank, several=True):
    one = st.integers(-rank, rank - 1)
    some = st.sets(st.integers(0, rank - 1), min_size=1).map(tuple)
    return data.draw(st.one_of(st.none(), one, some) if several else one)


def check(name, x, *args, like=None, **options):
    """The real result is NumPy's; the symbolic one has its shape."""
    expected = getattr(np, like or name)(x, *args, **options)
    actual = getattr(ops, name)(x, *args, **options)
    shape = (None, *x.shape[1:])
    made = getattr(ops, name)(ramify.Input(batch_shape=shape, dtype=str(x.dtype)), *args, **options)
    actual, expected, made = (list(r) if isinstance(r, (list, tuple)) else [r] for r in (actual, expected, made))
    assert len(actual) == len(expected) == len(made)
    for a, e, m in zip(actual, expected, made, strict=True):
        np.testing.assert_allclose(a.numpy(), e, rtol=1e-4, atol=1e-5)
        assert m.dtype == a.dtype
        assert len(m.shape) == a.ndim
        assert all(size in (None, known) for size, known in zip(m.shape, a.shape, strict=True))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "name",
    "sum prod mean var std max min amax amin ptp all any median nansum nanprod nanmean nanvar nanstd nanmax nanmin "
    "nanmedian".split(),
)
@few
@given(data=st.data(), shape=SHAPES, keepdims=st.booleans())
def test_reductions(name, data, shape, keepdims):
    check(name, values(shape, "nan" in name), axis=axis_of(data, len(shape)), keepdims=keepdims)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@few
@given(data=st.data(), shape=SHAPES, keepdims=st.booleans())
def test_places(name, data, shape, keepdims):
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    check(name, values(shape), axis=axis, keepdims=keepdims)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["quantile", "percentile", "nanquantile", "nanpercentile"])
@few
@given(
    data=st.data(),
    shape=SHAPES,
    q=st.one_of(st.floats(0, 1, width=16), st.lists(st.floats(0, 1, width=16), min_size=1, max_size=3)),
    method=st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]),
    keepdims=st.booleans(),
)
def test_quantiles(name, data, shape, q, method, keepdims):
    q = np.asarray(q, "float64") * (100 if "percentile" in name else 1)
    check(name, values(shape, "nan" in name), q, axis=axis_of(data, len(shape)), method=method, keepdims=keepdims)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "flip", "count_nonzero"])
@few
@given(data=st.data(), shape=SHAPES)
def test_along_one_axis_or_all(name, data, shape):
    check(name, values(shape), axis=data.draw(st.none() | st.integers(-len(shape), len(shape) - 1)))


@few
@given(data=st.data(), shape=SHAPES, n=st.integers(1, 2))
def test_diff_sort_and_argsort(data, shape, n):
    axis = axis_of(data, len(shape), several=False)
    check("sort", values(shape), axis=axis)
    check("argsort", values(shape), axis=axis)
    if shape[axis] > n:
        check("diff", values(shape), n=n, axis=axis)


@few
@given(data=st.data(), shape=SHAPES)
def test_moving_axes(data, shape):
    rank = len(shape)
    check("transpose", values(shape), axes=data.draw(st.permutations(range(rank))))
    one, other = data.draw(st.integers(-rank, rank - 1)), data.draw(st.integers(-rank, rank - 1))
    check("swapaxes", values(shape), one, other)
    check("moveaxis", values(shape), one, other)
    count = data.draw(st.integers(1, rank))
    source, destination = (data.draw(st.permutations(range(rank)))[:count] for _ in range(2))
    check("moveaxis", values(shape), source, destination)


@few
@given(data=st.data(), shape=SHAPES)
def test_expanding_and_rolling(data, shape):
    rank = len(shape)
    check("expand_dims", values(shape), axis=data.draw(st.integers(-rank - 1, rank)))
    check(
        "expand_dims", values(shape), axis=tuple(data.draw(st.sets(st.integers(0, rank + 1), min_size=2, max_size=2)))
    )
    axes = tuple(data.draw(st.sets(st.integers(0, rank - 1), min_size=1)))
    check("roll", values(shape), tuple(data.draw(st.integers(-5, 5)) for _ in axes), axis=axes)
    if data.draw(st.booleans()):
        check("roll", values(shape), data.draw(st.integers(-5, 5)))


@few
@given(data=st.data(), shape=SHAPES, times=st.integers(0, 3))
def test_repeating(data, shape, times):
    check("repeat", values(shape), times, axis=data.draw(st.none() | st.integers(-len(shape), len(shape) - 1)))
    check("tile", values(shape), tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))))
    axis = data.draw(st.integers(1, len(shape))) - 1
    if axis:
        check(
            "repeat",
            values(shape),
            data.draw(st.lists(st.integers(0, 3), min_size=shape[axis], max_size=shape[axis])),
            axis=axis,
        )


@few
@given(data=st.data(), shape=SHAPES, mode=st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
def test_padding(data, shape, mode):
    width = st.integers(0, 3)
    widths = [(0, 0), *[(data.draw(width), data.draw(width)) for _ in shape[1:]]]  # a batch is not mirrored
    check("pad", values(shape), widths, mode=mode)


@few
@given(data=st.data(), shape=SHAPES)
def test_taking_and_cutting(data, shape):
    axis = data.draw(st.integers(1, len(shape))) - 1
    if axis:
        places = st.integers(-shape[axis], shape[axis] - 1)
        check(
            "take",
            values(shape),
            data.draw(st.lists(st.lists(places, min_size=2, max_size=2), min_size=1, max_size=3)),
            axis=axis,
        )
        check("array_split", values(shape), data.draw(st.integers(1, 4)), axis=axis)
        cuts = sorted(data.draw(st.lists(st.integers(0, 4), max_size=3)))
        check("split", values(shape), cuts, axis=axis)
        index = data.draw(st.lists(places, min_size=1, max_size=3))
        check(
            "take_along_axis",
            values(shape),
            np.array(index).reshape([-1 if a == axis else 1 for a in range(len(shape))]),
            axis=axis,
        )


@few
@given(data=st.data(), rank=st.integers(2, 4))
def test_diagonals(data, rank):
    shape = tuple(data.draw(st.integers(2, 4)) for _ in range(rank))
    one, other = data.draw(st.permutations(range(rank)))[:2]
    offset = data.draw(st.integers(-1, 1))
    np.testing.assert_allclose(
        ops.diagonal(values(shape), offset, one, other), np.diagonal(values(shape), offset, one, other)
    )
    np.testing.assert_allclose(
        ops.trace(values(shape), offset, one, other), np.trace(values(shape), offset, one, other), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(ops.tril(values(shape), offset), np.tril(values(shape), offset))
    np.testing.assert_allclose(ops.triu(values(shape), offset), np.triu(values(shape), offset))


@few
@given(
    start=st.integers(-5, 5),
    stop=st.integers(-5, 5),
    num=st.integers(0, 7),
    endpoint=st.booleans(),
    axis=st.integers(-2, 1),
)
def test_spacing(start, stop, num, endpoint, axis):
    ends = np.array([start, 1.0], "float32"), np.array([stop, 4.0], "float32")
    for name, (a, b) in {
        "linspace": ends,
        "logspace": ends,
        "geomspace": (np.abs(ends[0]) + 1, np.abs(ends[1]) + 1),
    }.items():
        expected = getattr(np, name)(a, b, num, endpoint=endpoint, axis=axis)
        np.testing.assert_allclose(
            getattr(ops, name)(a, b, num, endpoint=endpoint, axis=axis), expected, rtol=1e-4, atol=1e-4
        )


@few
@given(data=st.data(), left=st.integers(1, 3), right=st.integers(1, 3))
def test_dot_and_tensordot(data, left, right):
    a = values(tuple(data.draw(st.integers(1, 3)) for _ in range(left)))
    b = values(tuple(data.draw(st.integers(1, 3)) for _ in range(right)))
    if a.shape[-1] == b.shape[-min(2, right)]:
        np.testing.assert_allclose(ops.dot(a, b), np.dot(a, b), rtol=1e-4, atol=1e-5)
    pairs = [(p, q) for p in range(left) for q in range(right) if a.shape[p] == b.shape[q]]
    if pairs:
        p, q = data.draw(st.sampled_from(pairs))
        np.testing.assert_allclose(
            ops.tensordot(a, b, [[p], [q]]), np.tensordot(a, b, [[p], [q]]), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("axis", [3, -4, (0, 0), (1, -2)])
def test_axes_that_are_not_there_are_refused(axis):
    with pytest.raises(ArgumentError, match="axis="):
        ops.sum(torch.ones(2, 2, 2), axis=axis)
