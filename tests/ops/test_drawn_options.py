"""Every family of ops with options that hypothesis draws: values, dtypes and symbolic shapes are those of `keras.ops`.

`numpy/test_parity.py` has the cases that were chosen; this table has what nobody would choose.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ramify
from ramify.errors import RamifyError

BOOL = st.booleans()
AXIS = st.sampled_from([None, 0, 1, -1, 2, (0, 1), (0, -1), (1, 2)])
ONE_AXIS = st.integers(-3, 2)
FLOATS = st.sampled_from(["float32", "float64", "float16", "bfloat16"])
NUMBERS = st.sampled_from(["float32", "float64", "bfloat16", "int32", "int64", "int8", "uint8", "bool"])
WHOLE = st.sampled_from(["int32", "int64", "int8", "uint8"])
SHAPE = (4, 3, 5)


def data(dtype: str, shape: tuple[int, ...] = SHAPE, seed: int = 0, low: float = -3, high: float = 3) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    kind = getattr(torch, dtype)
    if dtype == "bool":
        return torch.as_tensor(rng.integers(0, 2, shape)).to(kind)
    if not kind.is_floating_point:
        return torch.as_tensor(rng.integers(1 if dtype == "uint8" else -4, 5, shape)).to(kind)
    return torch.as_tensor(rng.uniform(low, high, shape)).to(kind)


ROWS: list[Any] = []


def rows(names: str, dtypes: Any = NUMBERS, tensors: int = 1, shapes: Any = (SHAPE,), low: float = -3, **options: Any):
    """Ops of some tensors, whose options have strategies. An option called ``_1`` is a positional argument."""
    ROWS.extend(
        pytest.param(name, dtypes, tensors, shapes, low, options, id=f"{name}-{'-'.join(options)}")
        for name in names.split()
    )


# Over axes.
rows("prod", WHOLE | st.sampled_from(["float32", "float64"]), axis=AXIS, keepdims=BOOL)
rows("sum mean max min amax amin all any count_nonzero", axis=AXIS, keepdims=BOOL)
rows("std var", FLOATS, axis=AXIS, keepdims=BOOL)
rows("argmax argmin", axis=st.none() | ONE_AXIS, keepdims=BOOL)
rows("nansum nanmax nanmin nanmean", FLOATS, axis=AXIS, keepdims=BOOL)
rows("cumsum cumprod", WHOLE | st.sampled_from(["float32", "float64"]), axis=ONE_AXIS)
rows("median", st.sampled_from(["float32", "float64"]), axis=AXIS, keepdims=BOOL)
rows("logsumexp", st.sampled_from(["float32", "float64"]), axis=AXIS, keepdims=BOOL)
rows(
    "norm", st.sampled_from(["float32"]), ord=st.sampled_from([None, 1, 2, float("inf")]), axis=ONE_AXIS, keepdims=BOOL
)
rows("average", st.sampled_from(["float32", "float64"]), axis=st.none() | ONE_AXIS)
rows("diff", WHOLE | st.just("float32"), n=st.integers(0, 2), axis=ONE_AXIS)
rows(
    "quantile",
    st.just("float32"),
    _1=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    axis=AXIS,
    keepdims=BOOL,
    method=st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]),
)
rows("sort argsort softmax log_softmax", st.just("float32"), axis=ONE_AXIS)
rows("flip", NUMBERS, axis=ONE_AXIS)
rows("roll", NUMBERS, shift=st.integers(-7, 7), axis=st.none() | ONE_AXIS)
rows("normalize", st.just("float32"), axis=st.integers(-3, 2), order=st.sampled_from([1, 2, 3]))
rows("glu", st.just("float32"), shapes=((4, 6, 2),), axis=st.sampled_from([0, 1, 2, -1, -2]))
# Element by element.
ONE = (
    "abs negative square sign exp expm1 sqrt log1p sin cos tanh sinh arctan floor ceil isnan isinf isfinite logical_not"
)
rows(ONE, NUMBERS, low=0.1)
rows(
    "log log2 log10 reciprocal rsqrt",
    st.sampled_from(["float32", "float64", "int32", "uint8"]),
    shapes=((4,),),
    low=0.1,
)
TWO = (
    "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal logical_and logical_or"
)
rows(TWO, NUMBERS, tensors=2, shapes=(SHAPE, (3, 1), (5,)))
rows(
    "divide arctan2 logaddexp",
    st.sampled_from(["float32", "float64", "bfloat16", "int32"]),
    tensors=2,
    shapes=(SHAPE, (3, 1)),
)
rows("bitwise_and bitwise_or bitwise_xor", WHOLE, tensors=2, shapes=(SHAPE, (3, 1)))
rows("matmul", st.sampled_from(["float32", "float64", "int32"]), tensors=2, shapes=((2, 3, 3), (3, 3)))
rows(
    "relu relu6 sigmoid softplus softsign silu elu selu hard_sigmoid log_sigmoid hard_tanh",
    st.sampled_from(["float32", "float64", "bfloat16"]),
)
rows("leaky_relu", FLOATS, negative_slope=st.floats(0, 1))
rows("celu", st.just("float32"), alpha=st.floats(0.1, 2))
rows("gelu", st.just("float32"), approximate=BOOL)
rows("clip", NUMBERS, _1=st.sampled_from([-1, 0]), _2=st.sampled_from([1, 2]))
rows("round", st.sampled_from(["float32", "float64"]), decimals=st.integers(-1, 2))
rows("nan_to_num", st.just("float32"), nan=st.floats(-1, 1))
rows("cast", NUMBERS, dtype=NUMBERS)
# Shape.
rows("reshape", NUMBERS, newshape=st.sampled_from([(-1,), (60,), (5, -1), (4, 15), (2, 2, -1)]))
rows("transpose", NUMBERS, axes=st.none() | st.permutations([0, 1, 2]).map(tuple))
rows("expand_dims", NUMBERS, axis=st.integers(-4, 3))
rows("squeeze", NUMBERS, shapes=((4, 1, 3, 1),), axis=st.sampled_from([None, 1, 3, -1, (1, 3)]))
rows("moveaxis", NUMBERS, source=ONE_AXIS, destination=ONE_AXIS)
rows("swapaxes", NUMBERS, axis1=ONE_AXIS, axis2=ONE_AXIS)
rows("repeat", NUMBERS, repeats=st.integers(1, 3), axis=st.none() | ONE_AXIS)
rows("tile", NUMBERS, repeats=st.integers(1, 3) | st.tuples(*[st.integers(1, 2)] * 3))
rows("tril triu", NUMBERS, k=st.integers(-3, 4))
rows(
    "diagonal trace",
    st.sampled_from(["float32", "int32"]),
    offset=st.integers(-2, 2),
    axis1=st.just(0),
    axis2=st.sampled_from([1, 2]),
)
rows("pad", st.just("float32"), pad_width=st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 3))
rows(
    "split", NUMBERS, shapes=((4, 6, 2),), indices_or_sections=st.sampled_from([2, [1], [1, 1]]), axis=st.integers(0, 1)
)
rows(
    "one_hot", st.just("int32"), shapes=((4,), (4, 3)), num_classes=st.integers(3, 6), axis=st.sampled_from([-1, 0, 1])
)
rows("top_k", st.sampled_from(["float32", "int32"]), k=st.integers(1, 5))
# Neighbourhoods.
IMAGES = ((2, 7, 6, 4),)
rows(
    "max_pool",
    st.just("float32"),
    shapes=IMAGES,
    pool_size=st.integers(1, 3),
    strides=st.none() | st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]),
)
rows(
    "average_pool",
    st.just("float32"),
    shapes=IMAGES,
    pool_size=st.integers(1, 3),
    strides=st.none() | st.integers(1, 3),
)
rows("depth_to_space", st.just("float32"), shapes=((2, 4, 4, 4),), block_size=st.just(2))
rows("layer_normalization", st.just("float32"), axis=st.sampled_from([-1, (1, 2)]), epsilon=st.floats(1e-5, 0.1))
EXAMPLES = 10


def call(library: Any, name: str, inputs: list[Any], options: dict[str, Any]) -> list[Any]:
    positional = [options[key] for key in sorted(options) if key.startswith("_")]
    named = {key: value for key, value in options.items() if not key.startswith("_")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = getattr(library.ops, name)(*inputs, *positional, **named)
    return list(made) if isinstance(made, (list, tuple)) else [made]


def compare(name: str, tensors: list[torch.Tensor], options: dict[str, Any]) -> None:
    try:
        want = [torch.as_tensor(one) for one in call(keras, name, [t.clone() for t in tensors], options)]
    except (ValueError, RuntimeError, IndexError, TypeError, NotImplementedError):
        try:  # what Keras refuses, or torch within it, is refused or right: the chosen cases say which
            call(ramify, name, tensors, options)
        except (RamifyError, RuntimeError, IndexError, TypeError, ValueError):
            return
        return
    if options.get("keepdims") and options.get("axis") is None and want[0].ndim == 0:
        want = [one.reshape([1] * tensors[0].ndim) for one in want]  # Keras on torch forgets `keepdims` over all axes
    got = call(ramify, name, tensors, options)
    half = any(t.dtype in (torch.float16, torch.bfloat16) for t in (*tensors, *want))
    tolerance = 2e-2 if half else 1e-5
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    symbols = [ramify.Input(batch_shape=t.shape, dtype=t.dtype) for t in tensors]
    for symbol, real in zip(call(ramify, name, symbols, options), got, strict=True):
        assert (symbol.shape, symbol.dtype) == (tuple(real.shape), real.dtype)


@pytest.mark.parametrize(("name", "dtypes", "tensors", "shapes", "low", "options"), ROWS)
@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(300, marks=pytest.mark.slow)])
def test_as_keras(name, dtypes, tensors, shapes, low, options, examples):
    @settings(
        max_examples=examples, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        kinds=st.lists(dtypes, min_size=tensors, max_size=tensors),
        sizes=st.lists(st.sampled_from(shapes), min_size=tensors, max_size=tensors),
        drawn=st.fixed_dictionaries(options),
    )
    def check(kinds, sizes, drawn):
        compare(
            name, [data(kind, size, i, low) for i, (kind, size) in enumerate(zip(kinds, sizes, strict=True))], drawn
        )

    check()
