"""One table: every function of `ops.numpy` against `keras.ops` on torch, real and symbolic, with gradients.

A row names functions, makes their arguments and lists the options. Where Keras on torch fails or is plainly wrong,
`numpy=` says how and the result of NumPy is expected, in the dtype that we return.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import ops
from ramify.errors import SymbolicValueError
from ramify.graph import Graph, is_symbolic, lower

NAN, INF = float("nan"), float("inf")


@dataclass
class Row:
    name: str
    make: Any
    options: dict[str, Any]
    grad: bool
    symbolic: bool
    numpy: str
    rtol: float

    def __str__(self) -> str:
        given = ",".join(f"{k}={v}" for k, v in self.options.items())
        return f"{self.name}({given})".replace(" ", "")


ROWS: list[Row] = []


def rows(names, make, *options, grad=False, symbolic=True, numpy="", rtol=1e-6):
    """Add rows: each function with each of the options."""
    ROWS.extend(
        Row(name, make, one, grad, symbolic, numpy, rtol) for name in names.split() for one in (options or ({},))
    )


def f(*shape, low=-2.0, high=2.0):
    return torch.rand(shape) * (high - low) + low


def i(*shape, low=0, high=9, dtype=torch.int32):
    return torch.randint(low, high, shape, dtype=dtype)


def gaps(*shape):
    return torch.where(torch.rand(shape) < 0.3, NAN, f(*shape))


AXES = [{}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (0, -1)}]
PLACES = [{}, {"axis": 1}, {"axis": -1, "keepdims": True}]

# Element by element, one tensor.
rows("absolute abs fabs negative square reciprocal exp exp2 expm1 sinc", lambda: (f(4, 3),), grad=True)
rows("sin cos tan arctan sinh cosh tanh arcsinh deg2rad rad2deg", lambda: (f(4, 3),), grad=True)
rows("arcsin arccos arctanh", lambda: (f(4, 3, low=-0.9, high=0.9),), grad=True)
rows("sqrt log log10 log1p log2 cbrt", lambda: (f(4, 3, low=0.1),), grad=True)
rows("cbrt i0", lambda: (f(4, 3),))
rows("arccosh", lambda: (f(4, 3, low=1.1, high=3.0),), grad=True)
rows("sign ceil floor trunc real conjugate conj angle copy ravel", lambda: (f(4, 3),))
rows("real imag conjugate conj angle absolute isreal", lambda: (torch.complex(f(4, 3), f(4, 3)),))
rows("imag", lambda: (f(4, 3),), numpy="refuses real numbers")
rows("round", lambda: (f(4, 3),), {}, {"decimals": 1})
rows("round", lambda: (i(4, 3, high=200),), {"decimals": -1}, {"decimals": 1})
rows("round", lambda: (torch.tensor([True, False]),), numpy="refuses booleans")
rows("nan_to_num", lambda: (gaps(4, 3),), {}, {"nan": 7.0, "posinf": 1.0, "neginf": -1.0})
rows("clip", lambda: (f(4, 3), -0.5, 1), grad=True)
rows("clip", lambda: (i(4, 3), 1, 2.5))
rows("clip", lambda: (f(4, 3), f(3, high=-1.0), f(4, 1, low=1.0)))
rows("clip", lambda: (torch.tensor([True, False]), 0, 1))
rows("isnan isinf isfinite isposinf isneginf signbit isreal", lambda: (torch.tensor([1.0, NAN, INF, -INF, -0.0]),))
rows("logical_not", lambda: (i(4, 3, high=2),))
rows("bitwise_invert bitwise_not", lambda: (i(4, 3),))
rows("bitwise_not", lambda: (torch.tensor([True, False]),))

# Element by element, two tensors.
BINARY = "add subtract multiply divide true_divide maximum minimum fmax fmin logaddexp logaddexp2 hypot arctan2"
rows(BINARY, lambda: (f(4, 3), f(4, 1)), grad=True)
rows(BINARY, lambda: (f(4, 3), 2))
rows(BINARY, lambda: (1.5, i(4, 3)))
rows(BINARY, lambda: (np.ones((4, 3), "int64"), f(3)))
rows("divide_no_nan", lambda: (f(4, 3), i(3, high=2)))
rows("divide_no_nan", lambda: (f(4, 3), f(3, low=0.5)), grad=True)
rows("power", lambda: (f(4, 3, low=0.5), f(3)), grad=True)
rows("power", lambda: (i(4, 3), 2))
rows("power", lambda: (2.0, f(4, 3)), grad=True)
rows("floor_divide mod fmod", lambda: (f(4, 3), f(3, low=0.5)))
rows("floor_divide mod fmod", lambda: (i(4, 3, low=-9), i(3, low=1)))
rows("floor_divide mod fmod", lambda: (-7, i(4, 3, low=1)))
rows("heaviside", lambda: (i(4, 3, low=-1, high=2), 0.5))
rows("nextafter", lambda: (f(4, 3), f(3)))
rows("ldexp", lambda: (f(4, 3), i(3)))
rows("gcd lcm", lambda: (i(4, 3, low=1), i(3, low=1)))
rows("bitwise_and bitwise_or bitwise_xor", lambda: (i(4, 3), i(3)))
rows("bitwise_and bitwise_or bitwise_xor", lambda: (i(4, 3), 5))
rows("left_shift right_shift bitwise_left_shift bitwise_right_shift", lambda: (i(4, 3), i(3, high=3)))
COMPARE = "equal not_equal greater greater_equal less less_equal logical_and logical_or logical_xor"
rows(COMPARE, lambda: (i(4, 3, high=2), i(3, high=2)))
rows(COMPARE, lambda: (f(4, 3), 0))
rows("isclose allclose", lambda: (f(4, 3), f(4, 3)), {}, {"rtol": 0.5, "atol": 1.0})
rows("isclose allclose", lambda: (gaps(4, 3), gaps(4, 3)), {"equal_nan": True, "atol": 9.0})
rows("isin", lambda: (i(4, 3), i(5)), {}, {"invert": True})

# Over axes.
rows("sum mean var std max min amax amin", lambda: (f(4, 3, 5),), *AXES, grad=True)
rows("prod median ptp", lambda: (f(4, 3, 5),), *AXES, grad=True, rtol=1e-5)
rows("sum prod mean var std max min amax amin", lambda: (i(4, 3, 5),), *AXES, rtol=1e-5)
rows("sum max all any", lambda: (f(4, 3),), {"axis": ()})
rows("mean var std nanmean nanvar", lambda: (f(4, 3),), {"axis": ()}, numpy="reduces all axes where none is named")
rows("sum max prod", lambda: (2.5,), {"axis": -1}, numpy="refuses an axis of a number here and there")
REDUCE = "sum prod mean var std median max min amax amin ptp all any nansum nanprod nanmean nanmax argmax"
rows(REDUCE, lambda: (f(4, 3),), {"keepdims": True}, numpy="forgets keepdims over all axes here and there", rtol=1e-5)
rows("prod", lambda: (i(4, 3),), {"dtype": "float32"})
rows("max min", lambda: (f(4, 3),), {"axis": 1, "initial": 1})
rows("all any", lambda: (i(4, 3, 2, high=2),), *AXES)
rows("count_nonzero", lambda: (i(4, 3, 5, high=2),), {}, {"axis": (0, 2)})
rows("count_nonzero", lambda: (i(4, 3, 5, high=2),), {"axis": 1}, numpy="turns the result over")
rows("argmax argmin", lambda: (i(4, 30),), *PLACES)
rows("nanargmax nanargmin", lambda: (gaps(4, 9),), *PLACES)
rows("nansum nanprod nanmean nanvar nanstd nanmax nanmin nanmedian", lambda: (gaps(4, 3, 5),), *AXES, rtol=1e-5)
rows("nansum nanprod nanmean nanvar nanmax", lambda: (i(4, 3, 5),), *AXES, rtol=1e-5)
rows("average", lambda: (f(4, 3),), {}, {"axis": 1}, {"axis": (0, 1)}, grad=True)
rows("average", lambda: (i(4, 3),), {"axis": 1, "weights": [1, 2, 3]})
rows(
    "average",
    lambda: (f(4, 3),),
    {"axis": 0, "weights": [1, 2, 3, 4]},
    numpy="does not align the weights",
    symbolic=False,
)
rows("average", lambda: (f(2, 2),), {"weights": np.ones((2, 2))}, numpy="sums only over the last axis")
rows("cumsum cumprod", lambda: (f(4, 3),), {}, {"axis": 1}, {"axis": 0, "dtype": "int32"}, rtol=1e-5)
rows("nancumsum nancumprod", lambda: (gaps(4, 3),), {}, {"axis": 1}, rtol=1e-5)
rows("diff", lambda: (f(4, 5),), {}, {"n": 2, "axis": 0}, grad=True)
rows("trapezoid", lambda: (f(4, 3),), {}, {"dx": 0.5, "axis": 0}, {"x": [0.0, 1.0, 3.0]}, grad=True)
Q = [{"axis": 1}, {}, {"axis": (0, 1), "keepdims": True}]
rows("quantile nanquantile", lambda: (f(4, 3, 5), 0.3), *Q, grad=True, rtol=1e-5)
rows(
    "quantile", lambda: (i(4, 3), [0.1, 0.75]), *Q, *[{"method": m} for m in ("lower", "higher", "midpoint", "nearest")]
)
rows("percentile nanpercentile", lambda: (f(4, 3, 5), [10, 60.0]), *Q, rtol=1e-5)
rows("nanquantile", lambda: (gaps(4, 3, 5), [0.1, 0.75]), *Q, rtol=1e-5)
rows("quantile", lambda: (gaps(4, 3, 5), 0.5), *Q, rtol=1e-5)
rows("quantile", lambda: (f(4, 3), [[0.1, 0.5]]), {"axis": 1}, numpy="takes no q of two axes", rtol=1e-5)

# Shape and order.
rows("reshape", lambda: (f(4, 6),), {"newshape": (-1, 3)}, {"newshape": -1}, grad=True)
rows("expand_dims", lambda: (f(4, 3),), {"axis": 1}, {"axis": (0, -1)}, {"axis": -1})
rows("squeeze", lambda: (f(4, 1, 3, 1),), {}, {"axis": 1}, {"axis": (1, -1)}, {"axis": 2})
rows("transpose", lambda: (f(4, 3, 2),), {}, {"axes": (1, 2, 0)}, grad=True)
rows("swapaxes", lambda: (f(4, 3, 2),), {"axis1": 0, "axis2": -1})
rows("moveaxis", lambda: (f(4, 3, 2),), {"source": 0, "destination": -1}, {"source": (0, 1), "destination": (-1, 0)})
rows("flip", lambda: (f(4, 3),), {}, {"axis": 1}, {"axis": (0, 1)})
rows("fliplr flipud", lambda: (f(4, 3),))
rows("rot90", lambda: (f(4, 3, 2),), {}, {"k": 3}, {"k": -1, "axes": (1, 2)})
rows("roll", lambda: (f(4, 3),), {"shift": 2}, {"shift": -1, "axis": 1}, {"shift": (1, 2), "axis": (0, 1)})
rows("roll", lambda: (f(4, 3),), {"shift": 1, "axis": (0, 1)}, numpy="refuses one shift for two axes")
rows("repeat", lambda: (f(4, 3),), {"repeats": 2}, {"repeats": 2, "axis": 1}, grad=True)
rows("repeat", lambda: (f(4, 3),), {"repeats": np.array([1, 0, 2]), "axis": 1})
rows("repeat", lambda: (f(4, 3),), {"repeats": [1, 0, 2], "axis": 1}, numpy="refuses lists")
rows("tile", lambda: (f(4, 3),), {"repeats": 2}, {"repeats": (2, 1, 2)})
rows("broadcast_to", lambda: (f(1, 3),), {"shape": (2, 4, 3)}, symbolic=False)
rows("view", lambda: (f(4, 2),), {"dtype": "int32"})
rows("view", lambda: (i(4, 2),), {"dtype": "int16"})
rows(
    "pad", lambda: (f(4, 3),), {"pad_width": ((1, 0), (2, 1))}, {"pad_width": ((0, 0), (1, 1)), "constant_values": 5.0}
)
rows("pad", lambda: (f(4, 3),), {"pad_width": ((0, 0), (2, 1)), "mode": "reflect"}, grad=True)
rows("pad", lambda: (f(4, 3),), {"pad_width": ((1, 1), (2, 1)), "mode": "symmetric"}, numpy="mirrors at a wrong place")
rows("pad", lambda: (f(4, 3),), {"pad_width": 1}, {"pad_width": (1, 2)}, numpy="pads the last axis alone")
rows("pad", lambda: (f(4, 3),), {"pad_width": ((1, 1), (2, 1)), "mode": "edge"}, numpy="lacks the mode")
rows("pad", lambda: (f(4, 3),), {"pad_width": ((1, 1), (2, 1)), "mode": "wrap"}, numpy="lacks the mode")
rows("concatenate", lambda: ([f(4, 3), f(4, 2)],), {"axis": 1}, {"axis": -1}, grad=True)
rows("concatenate", lambda: ([f(2, 3), i(4, 3)],), {})
rows("concatenate", lambda: ([f(2, 3), i(4)],), {"axis": None}, numpy="refuses None")
rows("stack", lambda: ([f(4, 3), i(4, 3)],), {}, {"axis": -1})
rows("hstack vstack dstack", lambda: ([f(4, 3), f(4, 3)],), grad=True)
rows("hstack vstack dstack", lambda: ([f(4), i(4)],))
rows("append", lambda: (f(4, 3), f(4, 3)), {}, {"axis": 1}, grad=True)
rows("split", lambda: (f(4, 6),), {"indices_or_sections": 3, "axis": 1}, {"indices_or_sections": [1, 4], "axis": -1})
rows("array_split", lambda: (f(4, 5),), {"indices_or_sections": 2, "axis": 1}, grad=True)
rows("array_split", lambda: (f(4, 5),), {"indices_or_sections": [1, 3], "axis": 1}, numpy="takes only a number")
rows("hsplit", lambda: (f(4, 6),), {"indices_or_sections": 3}, {"indices_or_sections": [2]})
rows("vsplit", lambda: (f(4, 6),), {"indices_or_sections": 2}, symbolic=False)
rows("dsplit", lambda: (f(4, 3, 6),), {"indices_or_sections": [1, 2]})

# Picking.
rows("get_item", lambda: (f(4, 5),), *[{"key": k} for k in (0, (slice(None), 1), (Ellipsis, None), slice(1, None))])
rows("get_item", lambda: (f(4, 5),), {"key": np.array([0, 2])})
rows("take", lambda: (f(4, 5),), {"indices": [0, -1], "axis": 1}, {"indices": 2, "axis": -1}, grad=True)
rows("take", lambda: (f(4, 5), [[0, 3], [1, 1]]), {}, {"axis": 0})
rows("take_along_axis", lambda: (f(4, 5), i(4, 2, high=5)), {"axis": 1}, grad=True)
rows("take_along_axis", lambda: (f(4, 5), i(6, high=9)), {})
rows("where", lambda: (i(4, 3, high=2), f(4, 3), f(3)), grad=True)
rows("where", lambda: ([True, False, True], i(4, 3), 2.5))
rows("where", lambda: (i(4, 3, high=2),), symbolic=False)
rows("select", lambda: ([f(4, 3) > 1, f(4, 3) > 0], [f(4, 3), i(4, 3)]), {}, {"default": 7})
rows("nonzero", lambda: (i(4, 3, high=2),), symbolic=False)
rows("unravel_index", lambda: (i(4, high=6),), {"shape": (2, 3)})
rows("diag", lambda: (f(4, 3),), {}, {"k": 1})
rows("diag", lambda: (f(4),), {"k": -1})
rows("diagflat", lambda: (f(2, 3),), {}, {"k": 1})
rows("diagonal trace", lambda: (f(4, 3, 5),), {}, {"offset": 1, "axis1": 1, "axis2": 2}, {"axis1": -1}, grad=True)
rows("trace", lambda: (i(4, 3, dtype=torch.int8),))
rows("tril triu", lambda: (f(2, 4, 3),), {}, {"k": 1}, {"k": -1}, grad=True)
rows("ndim size", lambda: (f(4, 3),))

# Products.
rows("matmul", lambda: (f(2, 4, 3), f(3, 5)), grad=True, rtol=1e-5)
rows("matmul", lambda: (i(4, 3), i(3, dtype=torch.int64)))
rows("matmul", lambda: (i(4, 3, dtype=torch.int8), i(3, 2, dtype=torch.int8)))
rows("matmul", lambda: (i(4, 3) > 4, i(3, 2) > 4))
rows("dot", lambda: (f(4, 3), f(3, 5)), grad=True, rtol=1e-5)
rows("dot inner", lambda: (f(4, 3), f(3)), grad=True, rtol=1e-5)
rows("dot inner", lambda: (i(4, 3), 2))
rows("dot", lambda: (f(2, 4, 3), f(5, 3, 6)), numpy="multiplies pairs of matrices", rtol=1e-5)
rows("vdot", lambda: (f(6), f(6)), grad=True, rtol=1e-5, symbolic=False)
rows("vdot", lambda: (f(2, 3), f(2, 3)), numpy="refuses matrices", rtol=1e-5)
rows("inner", lambda: (f(4, 3), f(5, 3)), grad=True, rtol=1e-5)
rows("outer", lambda: (f(4, 2), i(3)))
rows("kron", lambda: (f(4, 2), f(2, 3)), grad=True)
rows("tensordot", lambda: (f(4, 3, 5), f(3, 5, 2)), {}, {"axes": [[1, 2], [0, 1]]}, grad=True, rtol=1e-5)
rows("tensordot", lambda: (f(4, 3), f(3, 2)), {"axes": 1}, {"axes": (1, 0)}, {"axes": 0}, rtol=1e-5)
rows("einsum", lambda: ("ij,jk->ik", f(4, 3), f(3, 2)), grad=True, rtol=1e-5)
rows("einsum", lambda: ("bij,bjk->bik", i(4, 2, 3, dtype=torch.int8), i(4, 3, 2, dtype=torch.int8)))
rows("einsum", lambda: ("...i,i", f(4, 2, 3), f(3)), rtol=1e-5)
rows("einsum", lambda: ("ij,j", i(4, 3), f(3)), numpy="does not promote", rtol=1e-5)
rows("cross", lambda: (f(4, 3), f(4, 3)), {}, {"axis": 1}, grad=True, rtol=1e-5)
rows("cross", lambda: (f(4, 3), i(3)), numpy="does not broadcast", rtol=1e-5)
rows("cross", lambda: (f(3, 5), f(5, 3)), {"axisa": 0, "axisc": 0}, numpy="takes `axis` only", rtol=1e-5)
rows("vander", lambda: (f(4),), {}, {"N": 2, "increasing": True}, symbolic=False, rtol=1e-5)
rows("vander", lambda: (i(4),), {"N": 3})
rows("correlate", lambda: (f(7), f(3)), *[{"mode": m} for m in ("valid", "same", "full")], symbolic=False, rtol=1e-5)
rows("correlate", lambda: (f(3), f(8)), *[{"mode": m} for m in ("valid", "full")], symbolic=False, rtol=1e-5)
rows("corrcoef", lambda: (f(4, 9),), grad=True, rtol=1e-5)
rows("slogdet", lambda: (f(4, 3, 3),), grad=True, rtol=1e-5)

# Order.
rows("sort", lambda: (f(4, 5),), {}, {"axis": 0}, {"axis": None}, grad=True)
rows("argsort", lambda: (i(4, 20),), {}, {"axis": 0}, {"axis": None})
rows("searchsorted", lambda: (torch.sort(f(5)).values, f(4, 3)), {}, {"side": "right"})
rows("digitize", lambda: (f(4, 3), [-1.0, 0.0, 1]), {})
rows("bincount", lambda: (i(20),), {}, {"minlength": 12}, {"weights": np.ones(20, "float32")}, symbolic=False)
rows("histogram", lambda: (f(20),), {}, {"bins": 3}, {"bins": 4, "range": (-1, 1)}, symbolic=False)
rows("histogram", lambda: (f(4, 5),), {"bins": [-2.0, 0.0, 0.5, 1.0]}, numpy="takes no edges", symbolic=False)
rows("unique", lambda: (i(20),), {}, {"size": 4}, {"size": 12, "fill_value": 3}, symbolic=False)
ALL = {"return_index": True, "return_inverse": True, "return_counts": True}
rows("unique", lambda: (i(20),), ALL, symbolic=False)
rows("unique", lambda: (i(9, 2, high=2),), {"axis": 0}, {**ALL, "axis": 0}, symbolic=False)

# New tensors.
rows("zeros ones", lambda: (), {"shape": (2, 3)}, {"shape": 2, "dtype": "int32"})
rows("full", lambda: (), {"shape": (2, 3), "fill_value": 7}, {"shape": (2,), "fill_value": 1.5, "dtype": "float16"})
rows("zeros_like ones_like", lambda: (i(4, 3),), {}, {"dtype": "float16"})
rows("full_like", lambda: (i(4, 3), 2.5), {}, {"dtype": "float32"})
rows("array", lambda: (f(4, 3),), {}, {"dtype": "int32"})
rows("array", lambda: ([[1, 2], [3, 4.5]],))
rows("eye tri", lambda: (), {"N": 3}, {"N": 3, "M": 4, "k": 1}, {"N": 3, "k": -1, "dtype": "int32"})
rows("identity", lambda: (), {"n": 3}, {"n": 2, "dtype": "bool"})
rows("arange", lambda: (5,), {}, {"stop": 9, "step": 2}, {"dtype": "float16"})
rows("arange", lambda: (0, 1, 0.3))
rows(
    "linspace",
    lambda: (0, 10),
    {"num": 7},
    {"num": 4, "endpoint": False, "retstep": True},
    {"num": 5, "dtype": "int32"},
)
rows("linspace", lambda: (f(3), f(3)), {"num": 4}, symbolic=False, rtol=1e-5)
rows("linspace", lambda: (f(3), f(3)), {"num": 4, "axis": -1}, numpy="takes no axis", rtol=1e-5)
rows(
    "logspace",
    lambda: (0, 3),
    {"num": 4},
    {"num": 5, "endpoint": False},
    {"num": 4, "base": 2, "dtype": "int32"},
    rtol=1e-5,
)
rows("geomspace", lambda: (1, 8), {"num": 4}, {"num": 5, "endpoint": False}, {"num": 4, "dtype": "float16"}, rtol=1e-5)
rows("geomspace", lambda: (-1, -8), {"num": 4}, rtol=1e-5)
rows("meshgrid", lambda: (f(4), f(3), f(2)), {}, {"indexing": "ij"})
rows("bartlett blackman hamming hanning", lambda: (), {"x": 7}, {"x": 1})
rows("kaiser", lambda: (), {"x": 7, "beta": 14.0}, rtol=1e-5)

IN_FILES_OF_THEIR_OWN = {"argpartition", "empty", "empty_like", "vectorize"}  # test_others.py


def leaves(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def expected_of(row, args):
    if not row.numpy:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Keras's own use of torch
            return getattr(keras.ops, row.name)(*args, **row.options)
    arrays = [
        [np.asarray(part) for part in arg]
        if isinstance(arg, list)
        else arg
        if isinstance(arg, str)
        else np.asarray(arg)
        for arg in args
    ]
    return getattr(np, row.name)(*arrays, **row.options)


def same(actual, expected, row):
    assert type(actual) is type(expected) or row.numpy or row.name == "meshgrid"
    assert len(leaves(actual)) == len(leaves(expected))
    for a, e in zip(map(torch.as_tensor, leaves(actual)), leaves(expected), strict=True):
        wanted = e.detach() if isinstance(e, torch.Tensor) else torch.as_tensor(np.array(e)).to(a.dtype)
        torch.testing.assert_close(a, wanted, rtol=row.rtol, atol=row.rtol, equal_nan=True)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_values_and_dtypes(row):
    args = row.make()
    same(getattr(ops, row.name)(*args, **row.options), expected_of(row, args), row)


def gradients(function, row, args):
    given = [a.clone().requires_grad_() if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in args]
    outputs = [out for out in leaves(function(*given, **row.options)) if out.requires_grad]
    sum((out * torch.linspace(1, 2, out.numel()).reshape(out.shape)).sum() for out in outputs).backward()
    return [a.grad for a in given if isinstance(a, torch.Tensor) and a.is_floating_point()]


@pytest.mark.parametrize("row", [row for row in ROWS if row.grad], ids=str)
def test_gradients(row):
    args = row.make()
    if isinstance(args[0], list):
        pair = args[0]
        ours, theirs = (lambda *xs, m=module, **o: getattr(m, row.name)(list(xs), **o) for module in (ops, keras.ops))
        args = tuple(pair)
    else:
        ours, theirs = getattr(ops, row.name), getattr(keras.ops, row.name)
    for a, e in zip(gradients(ours, row, args), gradients(theirs, row, args), strict=True):
        torch.testing.assert_close(a, e, rtol=10 * row.rtol, atol=10 * row.rtol)


def to_inputs(value, batch, inputs):
    """The arguments with an `Input` for each tensor; its first axis is unknown where it is the batch."""
    if isinstance(value, (list, tuple)):
        return type(value)(to_inputs(item, batch, inputs) for item in value)
    if not isinstance(value, torch.Tensor) or value.ndim == 0:
        return value
    shape = tuple(None if axis == 0 and size == batch else size for axis, size in enumerate(value.shape))
    inputs.append((ramify.Input(batch_shape=shape, dtype=value.dtype), value))
    return inputs[-1][0]


SYMBOLIC = [row for row in ROWS if row.symbolic and row.make()]
SYMBOLIC = [row for row in SYMBOLIC if any(isinstance(a, torch.Tensor) for arg in row.make() for a in leaves(arg))]


@pytest.mark.parametrize("row", SYMBOLIC, ids=str)
def test_symbolic_calls_are_the_same_calls(row):
    args = row.make()
    function, real = getattr(ops, row.name), leaves(getattr(ops, row.name)(*args, **row.options))
    inputs = []
    known = leaves(function(*to_inputs(args, None, []), **row.options))
    outputs = leaves(function(*to_inputs(args, 4, inputs), **row.options))
    if row.name == "ndim":
        assert outputs == known == real
        return
    for exact, made, got in zip(known, outputs, real, strict=True):
        assert is_symbolic(made)
        assert exact.dtype == made.dtype == got.dtype
        assert exact.shape == tuple(got.shape)
        assert len(made.shape) == got.ndim
        assert all(size in (None, actual) for size, actual in zip(made.shape, got.shape, strict=True))
    run = lower(Graph([made for made, _ in inputs], outputs))(*[value for _, value in inputs])
    for a, e in zip(run, real, strict=True):
        torch.testing.assert_close(a, e, equal_nan=True)


@pytest.mark.parametrize("name", ["nonzero", "bincount", "unique", "where"])
def test_sizes_that_follow_from_numbers_are_refused(name):
    with pytest.raises(SymbolicValueError):
        getattr(ops, name)(ramify.Input(batch_shape=(4,), dtype="int32"))


def test_the_table_is_complete():
    assert {row.name for row in ROWS} | IN_FILES_OF_THEIR_OWN == set(ops.numpy.__all__)
