"""The dtype of every function for every dtype, and pair of dtypes, is that of `keras.ops` on torch."""

from __future__ import annotations

import itertools
import warnings

import keras
import numpy as np
import pytest
import torch

from ramify import dtypes, ops
from ramify.errors import InputError
from ramify.promotion import result_dtype, to_tensor

NAMES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()
ALL = [*NAMES, "uint16", "uint32"]

UNARY = (
    "abs absolute amax amin array conj conjugate copy diag diagflat diff dstack empty_like flip flipud hstack max "
    "min nan_to_num nanmax nanmin ones_like ravel real sign sort squeeze stack transpose trunc unique vstack "
    "zeros_like all any isfinite isinf isnan isneginf isposinf isreal logical_not signbit angle arccos arccosh "
    "arcsin arcsinh arctan arctanh cos cosh exp exp2 expm1 fabs log log10 log1p log2 mean reciprocal sin sinc sinh "
    "sqrt std tan tanh trapezoid argmax argmin argsort count_nonzero nanargmax nanargmin nonzero average ceil floor "
    "median nanmean nanmedian nanstd nanvar var bincount bitwise_invert bitwise_not cbrt corrcoef deg2rad i0 "
    "rad2deg cumprod cumsum nancumprod nancumsum nanprod prod nansum sum negative ptp round size where square "
    "vander"
).split()
BINARY = (
    "add append kron multiply outer allclose equal greater greater_equal isclose isin less less_equal logical_and "
    "logical_or logical_xor not_equal arctan2 correlate divide_no_nan geomspace logaddexp logaddexp2 logspace "
    "nextafter bitwise_and bitwise_or bitwise_xor left_shift right_shift digitize divide true_divide dot fmax fmin "
    "inner maximum minimum vdot floor_divide fmod mod heaviside hypot ldexp linspace matmul quantile percentile "
    "power searchsorted subtract gcd lcm"
).split()

# Keras takes Python numbers for arrays of 32 bits here; JAX and NumPy, and we, let them be weak.
STRONG_NUMBERS = set("arctan2 logaddexp logaddexp2 nextafter hypot heaviside dot inner left_shift right_shift".split())


def ones(name):
    return torch.ones(2, dtype=getattr(torch, name))


def dtype_of(function, *args):
    """The name of the result's dtype; None where the call is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dtypes.name(function(*args).dtype)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError):
        return None


@pytest.mark.parametrize("name", UNARY)
def test_dtype_of_one(name):
    ours, theirs = getattr(ops, name), getattr(keras.ops, name)
    values = {dtype: ones(dtype) for dtype in NAMES} | {"list": [1, 1], "floats": [1.0, 1], "array": np.ones(2)}
    for dtype, x in values.items():
        expected = dtype_of(theirs, x)
        assert expected is None or dtype_of(ours, x) == expected, (name, dtype)


@pytest.mark.parametrize("name", BINARY)
def test_dtype_of_two(name):
    ours, theirs = getattr(ops, name), getattr(keras.ops, name)
    values = {dtype: ones(dtype) for dtype in NAMES}
    values |= {"True": True, "2": 2, "2.5": 2.5, "ints": [1, 2], "floats": [1.0, 2], "int64[]": np.ones(2, "int64")}
    values |= {
        "float64[]": np.ones(2),
        "uint32[]": np.ones(2, "uint32"),
        "np.int64": np.int64(1),
        "np.float64": np.float64(1),
    }
    for (a, x), (b, y) in itertools.product(values.items(), values.items()):
        if name in STRONG_NUMBERS and (isinstance(x, (int, float)) or isinstance(y, (int, float))):
            continue
        expected = dtype_of(theirs, x, y)
        assert expected is None or dtype_of(ours, x, y) == expected, (name, a, b, expected)


def test_the_lattice_is_that_of_keras():
    weak = {"int": int, "float": float, "bool": bool}
    for a, b in itertools.product([*ALL, *weak], [*ALL, *weak]):
        expected = keras.backend.result_type(weak.get(a, a), weak.get(b, b))
        assert dtypes.name(result_dtype(weak.get(a, a), weak.get(b, b))) == expected, (a, b)


@pytest.mark.parametrize("floatx", ["float16", "bfloat16", "float64"])
def test_numbers_follow_floatx(floatx):
    before = dtypes.floatx()
    dtypes.set_floatx(floatx)
    try:
        assert (
            to_tensor(1.5).dtype == ops.add([1, 2], 1.5).dtype == ops.maximum([1], 1.5).dtype == getattr(torch, floatx)
        )
        assert ops.sin([1]).dtype == ops.zeros(2).dtype == ops.mean([1]).dtype == getattr(torch, floatx)
    finally:
        dtypes.set_floatx(before)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, torch.int32), (2**40, torch.int64), (1.0, torch.float32), (True, torch.bool), (1j, torch.complex64),
        ([1, 2], torch.int32), ([1, 2.0], torch.float32), ([True, 2], torch.int32), ([[1], [2.0]], torch.float32),
        ([], torch.float32), (np.ones(2), torch.float64), (np.ones(2, "uint16"), torch.int32), ([2**40], torch.int64),
        (np.ones(2, "uint32"), torch.int64), (np.float64(1), torch.float32), (np.int64(1), torch.int64),
        ([torch.ones(2, dtype=torch.float64), torch.ones(2)], torch.float64), (range(3), torch.int32),
        (np.broadcast_to(np.ones(2), (3, 2)), torch.float64), (np.arange(4)[::-1], torch.int64),
    ],
)  # fmt: skip
def test_values_as_tensors(value, dtype):
    tensor = to_tensor(value)
    assert tensor.dtype == dtype
    wanted = np.stack([np.asarray(v) for v in value]) if isinstance(value, list) and value else np.asarray(value)
    np.testing.assert_array_equal(tensor.numpy(), wanted)


@pytest.mark.parametrize("value", ["words", [[1], [1, 2]], None, object(), {"a": 1}])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InputError, match="cannot become a tensor"):
        to_tensor(value)


def test_tensors_of_one_dtype_are_not_touched():
    x, y = torch.randn(3), torch.randn(3)
    with torch.profiler.profile() as profile:
        ops.add(x, y)
        ops.maximum(x, y)
        ops.arctan2(x, y)
        ops.matmul(x, y)
        ops.sum(x, axis=-1)
    kernels = {event.key for event in profile.key_averages()}
    assert not kernels & {"aten::to", "aten::_to_copy", "aten::copy_", "aten::lift_fresh"}
