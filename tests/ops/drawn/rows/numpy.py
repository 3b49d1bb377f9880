"""Functions as NumPy has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from tests.ops.drawn.draw import AXIS, BOOL, EXACT, FLOATS, HALF, NUMBERS, ONE_AXIS, WHOLE, F, I, T, Table

draw = Table()
NAN, INF = float("nan"), float("inf")
AXES = {"axis": AXIS, "keepdims": BOOL}
HOLES = T(holes=(NAN,))
SUMS = [*WHOLE, *EXACT, "bool"]
DTYPE = st.sampled_from([None, "float32", "int32"])  # asked for float64, Keras on torch gives float32
METHODS = st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"])
Q = st.sampled_from([0.0, 0.3, 0.5, 1.0]) | F((2,), (1,), low=0, high=1)

# ---- over axes ----
draw("sum mean amax amin all any", T(kinds=NUMBERS), **AXES)
draw("max min", T(kinds=[*EXACT, *WHOLE]), **AXES, initial=st.none() | st.sampled_from([-1, 0.5, 2]))


def count_nonzero(x: torch.Tensor, axis: Any = None) -> torch.Tensor:
    """NumPy's, with the dtype of Keras's."""
    return torch.as_tensor(np.count_nonzero(x.float().numpy(), axis)).int()


WRONG_COUNTS = "Keras on torch turns the axes of the result about"
draw("count_nonzero", T(kinds=NUMBERS, low=-1, high=1), axis=AXIS, how={"measure": count_nonzero, "why": WRONG_COUNTS})
draw("prod", T(kinds=SUMS), **AXES, dtype=DTYPE)
draw("std var", T(kinds=FLOATS + WHOLE), **AXES, how={"tolerance": 1e-4})
draw("ptp median", T(kinds=EXACT), **AXES)
draw("logsumexp", T(kinds=EXACT), **AXES)
draw("argmax argmin", T(kinds=EXACT), axis=st.none() | ONE_AXIS, keepdims=BOOL)
draw("nansum nanmax nanmin nanmean nanprod nanmedian", HOLES, **AXES)
draw("nanstd nanvar", HOLES, **AXES, how={"tolerance": 1e-4, "gradient": False})
draw("nanargmax nanargmin", HOLES, axis=st.none() | ONE_AXIS, keepdims=BOOL)
draw("nancumsum nancumprod", HOLES, axis=st.none() | ONE_AXIS, dtype=st.sampled_from([None, "float32"]))
draw("cumsum cumprod", T(kinds=SUMS), axis=st.none() | ONE_AXIS, dtype=DTYPE)
draw("quantile nanquantile", F(), Q, axis=AXIS, method=METHODS, keepdims=BOOL)
draw("percentile nanpercentile", F(), st.floats(0, 100), axis=AXIS, method=METHODS, keepdims=BOOL)
draw("diff", T(kinds=[*WHOLE, *EXACT]), n=st.integers(0, 2), axis=ONE_AXIS)
draw("sort", T(kinds=[*EXACT, *WHOLE]), axis=st.none() | ONE_AXIS)
draw("argsort", T(kinds=EXACT), axis=st.none() | ONE_AXIS)


def parts(places: torch.Tensor, x: torch.Tensor, kth: int, axis: int | None) -> Any:
    """What stands at `kth`, and what before and behind it, in order: the places themselves are free."""
    x, axis = (x.flatten(), 0) if axis is None else (x, axis)
    found = torch.take_along_dim(x, torch.as_tensor(places).long(), axis)
    return [part.sort(axis).values for part in found.tensor_split((kth, kth + 1), axis)]


def argpartition(x: torch.Tensor, kth: int, axis: int | None) -> torch.Tensor:
    """NumPy's."""
    return torch.as_tensor(np.argpartition(x.numpy(), kth, axis))


PARTED = {"then": parts, "measure": argpartition, "gradient": False, "fixed": True}
draw(
    "argpartition",
    F((4, 3, 5), (3, 5)),
    kth=st.integers(0, 2),
    axis=ONE_AXIS | st.none(),
    how={**PARTED, "why": "Keras on torch leaves out what it need not"},
)
draw("corrcoef", T((3, 5), (6,), kinds=EXACT), how={"tolerance": 1e-4})


@st.composite
def weighted(draw: Any) -> Any:
    """Weights of the whole shape, or of the axis alone."""
    x, axis = draw(F((4, 3, 5), (3, 5))), draw(st.sampled_from([None, 0, 1, -1]))
    shape = x.shape if axis is None or draw(BOOL) else (x.shape[axis],)
    return (x,), {"axis": axis, "weights": draw(st.none() | F(tuple(shape), low=0.1))}


def average(x: torch.Tensor, axis: Any = None, weights: Any = None) -> torch.Tensor:
    """The weighted sum, divided by the sum of the weights."""
    weights = torch.ones_like(x) if weights is None else weights
    if weights.ndim < x.ndim:
        weights = torch.movedim(weights.expand(*x.movedim(axis, -1).shape), -1, axis)
    return (x * weights).sum(axis) / weights.sum(axis)


@st.composite
def trapezoids(draw: Any) -> Any:
    y, axis = draw(F((4, 3, 5), (3, 5))), draw(st.sampled_from([0, 1, -1]))
    places = F((y.shape[axis],)).map(lambda x: x.sort().values) if axis == -1 else st.none()
    return (y,), {"x": draw(st.none() | places), "dx": draw(st.sampled_from([1.0, 0.3])), "axis": axis}


draw.whole("average", weighted, "x axis weights", measure=average, why="Keras on torch forgets to sum over all axes")
draw.whole("trapezoid", trapezoids, "y x dx axis")

# ---- element by element ----
draw(
    "abs absolute negative square sign exp exp2 expm1 sin cos tan tanh sinh cosh arctan arcsinh floor ceil trunc sinc "
    "isnan isinf isfinite isposinf isneginf isreal logical_not signbit fabs deg2rad rad2deg real conj conjugate "
    "cbrt i0 copy ravel",
    T(kinds=NUMBERS),
)
draw("angle", T(kinds=EXACT))
COMPLEX = F().map(lambda x: torch.complex(x, x.flip(-1)))
draw("real imag conj conjugate angle abs", COMPLEX)
draw("log log2 log10 log1p sqrt reciprocal", T(kinds=NUMBERS, low=1.0))
draw("arcsin arccos arctanh", T(kinds=FLOATS, low=-0.9, high=0.9))
draw("arccosh", T(kinds=[*FLOATS, *WHOLE], low=1.1))
draw("bitwise_not bitwise_invert", T(kinds=[*WHOLE, "bool"]))
SMALL = ((4, 3, 5), (3, 5), (3, 1), (5,), ())
SCALARS = st.sampled_from([2, 0.5, True])
draw(
    "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal logical_and "
    "logical_or logical_xor fmax fmin",
    T(*SMALL[:-1], kinds=NUMBERS),  # torch weighs two operands without axes in a way of its own
    T(*SMALL, kinds=NUMBERS) | SCALARS,
)
draw("divide true_divide divide_no_nan", T(*SMALL[:-1], kinds=NUMBERS), T(*SMALL, kinds=NUMBERS, low=1) | SCALARS)
draw("arctan2 logaddexp logaddexp2 hypot nextafter", T(*SMALL, kinds=EXACT), T(*SMALL, kinds=EXACT))
draw("heaviside", T(*SMALL, kinds=EXACT), T(*SMALL, kinds=EXACT))
draw("mod floor_divide fmod", T(*SMALL, kinds=[*EXACT, *WHOLE]), T(*SMALL, kinds=[*EXACT, *WHOLE], low=1, high=4))
draw("power", T(*SMALL, kinds=[*FLOATS, "int32"], low=1), T(*SMALL, kinds=[*FLOATS, "int32"], low=0))
draw("ldexp", T(*SMALL, kinds=EXACT), T(*SMALL, kinds=["int32"]))
draw("gcd lcm", T(*SMALL, kinds=WHOLE, low=1, high=30), T(*SMALL, kinds=WHOLE, low=1, high=30))
BITS = T(*SMALL, kinds=WHOLE, low=0, high=9)
draw("bitwise_and bitwise_or bitwise_xor", BITS, BITS)
draw("left_shift right_shift bitwise_left_shift bitwise_right_shift", BITS, T(*SMALL, kinds=WHOLE, low=0, high=3))
CLOSE = {"rtol": st.sampled_from([1e-5, 0.3]), "atol": st.sampled_from([1e-8, 0.2]), "equal_nan": BOOL}
SIMILAR = T((4, 3), (3,), low=0.9, high=1.1, holes=(NAN, INF))
draw("isclose", SIMILAR, SIMILAR, **CLOSE)
draw("allclose", T((4, 3), low=1, high=1.2), T((4, 3), low=1, high=1.2), **CLOSE)
draw("isin", T((4, 3), kinds=WHOLE), T((4,), kinds=WHOLE), assume_unique=st.just(False), invert=BOOL)
BOUND = st.sampled_from([-1, 0, 0.5])
draw("clip", T(kinds=NUMBERS), BOUND, st.sampled_from([1, 2, 2.5]))
draw("clip", F(), F((5,), ()), st.sampled_from([1, 2, 2.5]))  # of tensors of other dtypes, Keras is of two minds
draw("round", T(kinds=[*EXACT, *WHOLE], low=-30, high=30), decimals=st.integers(-1, 2))
FILL = st.floats(-1, 1)
draw("nan_to_num", T(holes=(NAN, INF, -INF)), nan=FILL, posinf=st.none() | FILL, neginf=st.none() | FILL)
SIDES = T((4, 3, 5), (3, 5), (3, 1), (5,), kinds=NUMBERS)  # torch weighs tensors without axes otherwise
draw("where", T(*SMALL, kinds=["bool"]), SIDES, SIDES | SCALARS)
draw("where nonzero", T(kinds=[*EXACT, "bool", "int32"], low=-1, high=1), how={"fixed": True})
CONDITIONS = st.lists(T((4, 3), (3,), kinds=["bool"]), min_size=2, max_size=2)
draw("select", CONDITIONS, st.lists(F((4, 3), (3,)), min_size=2, max_size=2), default=st.sampled_from([0, -1.5]))

# ---- shape ----
SIXTY = T((4, 3, 5), (12, 5), (60,), kinds=NUMBERS)
draw("reshape", SIXTY, newshape=st.sampled_from([(-1,), -1, 60, (60,), (5, -1), (4, 15), (2, 2, -1), (1, 60, 1)]))
draw("broadcast_to", T((3, 5), (5,), (3, 1), kinds=NUMBERS), shape=st.sampled_from([(3, 5), (4, 3, 5), (2, 1, 3, 5)]))
draw("transpose", T(kinds=NUMBERS), axes=st.none() | st.permutations([0, 1, 2]) | st.permutations([0, 1]).map(tuple))
draw("expand_dims", T(kinds=NUMBERS), axis=st.integers(-4, 3) | st.sampled_from([(0, 1), (0, -1)]))
draw(
    "squeeze",
    T((4, 1, 3, 1), (2, 1), kinds=NUMBERS),
    axis=st.sampled_from([1, 3, -1, (1, 3)]),
    how={"hides": ("", "the batch")},
)
draw("squeeze", T((4, 1, 3, 1), (1, 3), kinds=NUMBERS), axis=st.none(), how={"fixed": True})
draw("moveaxis", T(kinds=NUMBERS), source=ONE_AXIS, destination=ONE_AXIS)
draw(
    "moveaxis",
    T((4, 3, 5), kinds=NUMBERS),
    source=st.just((0, 1)),
    destination=st.permutations([0, 1, 2]).map(lambda p: tuple(p[:2])),
)
draw("swapaxes", T(kinds=NUMBERS), axis1=ONE_AXIS, axis2=ONE_AXIS)
draw("repeat", T((4, 3, 5), (3, 5), kinds=NUMBERS), repeats=st.integers(0, 3), axis=st.none() | st.integers(-2, 1))
draw("tile", T(kinds=NUMBERS), repeats=st.integers(1, 3) | st.tuples(*[st.integers(1, 2)] * 3) | st.just((2, 1)))
draw("tril triu", T(kinds=NUMBERS), k=st.integers(-3, 4))
draw("diag", T((6,), (3,), kinds=NUMBERS), k=st.integers(-3, 3))
draw("diag", T((3, 5), (4, 4), kinds=NUMBERS), k=st.integers(-2, 3), how={"fixed": True})
draw("diagflat", T(kinds=NUMBERS), k=st.integers(-3, 3))
draw("diagonal trace", T((4, 3, 5), (3, 5), kinds=NUMBERS), offset=st.integers(-2, 2), axis1=ONE_AXIS, axis2=ONE_AXIS,
     how={"hides": ("",)})  # fmt: skip
WIDTHS = st.tuples(st.integers(0, 2), st.integers(0, 2))
PADS = st.integers(0, 2) | WIDTHS | WIDTHS.map(lambda w: (w,)) | st.tuples(WIDTHS, WIDTHS)
MODES = st.sampled_from(["reflect", "symmetric", "edge", "wrap"])


def pad(x: torch.Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> torch.Tensor:
    """NumPy's."""
    more = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return torch.as_tensor(np.pad(x.numpy(), pad_width, mode, **more))


LAST = {
    "measure": pad,
    "why": "Keras on torch pads the last axis alone, and mirrors without the edge",
    "gradient": False,
}
draw("pad", T((3, 5), (4, 3), kinds=[*EXACT, "int32"]), pad_width=PADS, mode=MODES, constant_values=st.none(), how=LAST)
draw(
    "pad", T((3, 5), kinds=[*EXACT, "int32"]), pad_width=PADS, constant_values=st.none() | st.integers(-2, 2), how=LAST
)
EVERY = st.tuples(WIDTHS, WIDTHS, WIDTHS)
draw("pad", T((3, 5, 4), kinds=[*EXACT, "int32"]), pad_width=EVERY, mode=st.sampled_from(["constant", "reflect"]))
PARTS = st.sampled_from([2, 3, 1, [1], [1, 1], [1, 3], (2, 3)])
draw("split array_split", T((4, 6, 2), (6,), kinds=NUMBERS), indices_or_sections=PARTS, axis=st.integers(-2, 1))
draw("hsplit", T((4, 6, 2), (6,), kinds=NUMBERS), PARTS)
draw("vsplit dsplit", T((4, 3, 6), (6, 3, 4), kinds=NUMBERS), PARTS)
draw("roll", T(kinds=NUMBERS), shift=st.integers(-7, 7) | st.just((1, -2)), axis=st.none() | ONE_AXIS | st.just((0, 1)))
draw(
    "rot90",
    T((4, 3, 5), (3, 5), kinds=NUMBERS),
    k=st.integers(-5, 5),
    axes=st.sampled_from([(0, 1), (1, 0), (1, 2), (0, -1)]),
)
draw("flip", T(kinds=NUMBERS), axis=st.none() | ONE_AXIS | st.just((0, 1)))
draw("fliplr flipud", T((4, 3, 5), (3, 5), kinds=NUMBERS))
TWO = st.lists(T((3, 3), kinds=NUMBERS), min_size=1, max_size=3)
draw("concatenate", TWO, axis=st.none() | st.integers(-2, 1))
draw("stack", TWO, axis=st.integers(-3, 2))
draw("hstack vstack dstack", TWO)
draw("append", T((3, 3), kinds=NUMBERS), T((3, 3), kinds=NUMBERS), axis=st.none() | st.integers(-2, 1))
draw("meshgrid", F((3,)), F((4,)), indexing=st.sampled_from(["xy", "ij"]))
draw("unravel_index", I((4,), (2, 3), below=20), shape=st.sampled_from([(4, 5), (2, 2, 5)]), how={"fixed": False})
draw("vander", T((4,), kinds=[*EXACT, "int32"]), N=st.none() | st.integers(0, 4), increasing=BOOL)
VIEWS = st.sampled_from([None, "int32", "float32", "int64", "int8"])
draw("view", T((4, 2), kinds=["float32", "int32"]), dtype=VIEWS, how={"gradient": False})

# ---- looking things up ----
PLACES = st.lists(st.integers(-3, 2), min_size=1, max_size=4) | st.integers(-3, 2) | I((2, 2), below=3)
draw("take", T((3, 3), (3, 4, 3), (3,), kinds=NUMBERS), indices=PLACES, axis=st.sampled_from([0, -1]))
draw("take", T(kinds=NUMBERS), indices=I((2, 2), (), below=3), axis=st.none())  # Keras on torch miscounts from behind
draw("take_along_axis", T((3, 3), kinds=NUMBERS), I((3, 3), (1, 3), below=3), axis=st.integers(-2, 1))
draw("take_along_axis", T((3, 3), (9,), kinds=NUMBERS), I((4,), below=9, kinds=["int64"]), axis=st.none())
KEYS = [
    0,
    -1,
    slice(1, None),
    slice(None, None, 2),
    (0, 1),
    (slice(None), 1),
    (Ellipsis, 0),
    None,
    (None, Ellipsis),
    [0, 2],
]
draw("get_item", T((4, 3, 5), (3, 5), kinds=NUMBERS), key=st.sampled_from(KEYS))
SORTED = T((6,), kinds=[*EXACT, "int32"]).map(lambda x: x.sort().values)
draw("searchsorted", SORTED, T((4,), (2, 3), kinds=EXACT), side=st.sampled_from(["left", "right"]))
draw("digitize", F((4,), (2, 3)), F((6,)).map(lambda x: x.sort().values))
draw("bincount", I((6,), (2, 4)), weights=st.none(), minlength=st.integers(0, 8), how={"fixed": True})
draw("bincount", I((6,)), weights=F((6,)), minlength=st.integers(0, 8), how={"fixed": True})
draw(
    "histogram",
    T((4, 3), (6,), kinds=["float32"]),
    bins=st.integers(1, 6),
    range=st.sampled_from([None, (-2.0, 2.0), (0, 1)]),
)
FLAGS = {f"return_{what}": BOOL for what in ("index", "inverse", "counts")}
draw(
    "unique", T((3, 4), (6,), kinds=[*EXACT, "int32"], low=-1, high=1).map(torch.round), sorted=st.just(True), **FLAGS,
    axis=st.sampled_from([None, 0, -1]), size=st.none(), fill_value=st.none(), how={"fixed": True},
)  # fmt: skip
draw(
    "unique", T((3, 4), (6,), kinds=[*EXACT, "int32"], low=-1, high=1).map(torch.round), sorted=st.just(True),
    return_index=st.just(False), return_inverse=BOOL, return_counts=BOOL, axis=st.sampled_from([None, 0, -1]),
    size=st.integers(1, 5), fill_value=st.sampled_from([None, -7]),
    how={"fixed": True, "why": "Keras on torch fills places with what is no place of a first occurrence"},
)  # fmt: skip

# ---- products ----
SQUARE = T((3, 3), (2, 3, 3), (3,), kinds=[*FLOATS, "int32", "int8", "bool"])
draw("matmul inner", SQUARE, SQUARE)
FLAT = T((3, 3), (3,), kinds=[*FLOATS, "int32", "int8", "bool"])
draw("dot", FLAT, FLAT)
SUM = {"measure": lambda a, b: (a.flatten() * b.flatten()).sum(), "why": "Keras on torch takes one axis alone"}
draw("vdot", F((3, 3), (9,)), F((3, 3)), how={**SUM, "tolerance": 1e-4})
draw("vdot", T((9,), kinds=[*EXACT, "int32"]), T((9,), kinds=[*EXACT, "int32"]))
draw("outer kron", T((3, 3), (9,), kinds=[*EXACT, "int32"]), T((3, 3), (9,), kinds=[*EXACT, "int32"]))
PAIRED = st.sampled_from([0, 1, 2, [[0], [1]], ((1, 0), (0, 1)), [0, 1]])
draw("tensordot", T((3, 3), (2, 3, 3), kinds=[*EXACT, "int32"]), T((3, 3), kinds=[*EXACT, "int32"]), axes=PAIRED)
END = st.sampled_from([-1, 0])


def cross(x1: torch.Tensor, x2: torch.Tensor, **axes: int) -> torch.Tensor:
    """NumPy's."""
    return torch.as_tensor(np.cross(x1.numpy(), x2.numpy(), **axes))


NO_AXES = {
    "measure": cross,
    "why": "Keras on torch takes `axis` alone, and the first one of three without it",
    "gradient": False,
}
draw("cross", F((3, 3), (3,)), F((3, 3)), axis=st.sampled_from([None, -1, 0]), how=NO_AXES)
draw("cross", F((3, 3), (3, 4, 3)), F((3, 3)), axisa=END, axisb=END, axisc=END, how=NO_AXES)
draw("correlate", F((5,)), F((3,), (2,)), mode=st.sampled_from(["valid", "same", "full"]))
EQUATIONS = st.sampled_from(["ij,jk->ik", "ij,jk", "ij,ij->", "ij,kj->ikj", "...j,jk->...k", "ii,jj->ij"])
KINDS = [*HALF, "float32", "int32"]  # of float64 beside others Keras makes float64 here, float32 elsewhere
draw("einsum", EQUATIONS, T((3, 3), kinds=KINDS), T((3, 3), kinds=KINDS))

# ---- from nothing ----
KIND = st.sampled_from([None, *EXACT, "int32", "bfloat16", "bool"])
SIZE = st.sampled_from([(), (3,), (2, 3), [2, 1], 4])
NEW: dict[str, Any] = {"fixed": True}
draw("zeros ones", SIZE, dtype=KIND, how=NEW)
draw("full", SIZE, fill_value=st.sampled_from([0, 2, -1.5, True]), dtype=KIND, how=NEW)
draw("zeros_like ones_like", T(kinds=NUMBERS), dtype=KIND)
draw("full_like", T(kinds=NUMBERS), fill_value=st.sampled_from([0, 2, -1.5]), dtype=KIND)
draw("eye tri", st.integers(0, 4), M=st.none() | st.integers(1, 5), k=st.integers(-3, 3), dtype=KIND, how=NEW)
draw("identity", st.integers(0, 4), dtype=KIND, how=NEW)
STEP = st.sampled_from([None, 1, 2, -1, 0.5])
draw("arange", st.integers(-3, 3), stop=st.none() | st.integers(-4, 6), step=STEP, dtype=KIND, how=NEW)
SPACED = {
    "num": st.integers(2, 6),
    "endpoint": BOOL,
    "dtype": st.sampled_from([None, *EXACT]),
    "axis": st.integers(-1, 0),
}
ENDS = st.integers(1, 4) | F((2,), low=0.5)
draw("linspace", ENDS, ENDS, **SPACED, retstep=BOOL, how=NEW)
draw("logspace", ENDS, ENDS, **SPACED, base=st.sampled_from([10, 2.0]), how=NEW)


def geomspace(*ends: Any, dtype: Any = None, **options: Any) -> torch.Tensor:
    """NumPy's."""
    return torch.as_tensor(np.geomspace(*map(np.asarray, ends), **options)).to(getattr(torch, dtype or "float32"))


draw("geomspace", ENDS, ENDS, **SPACED, how={**NEW, "measure": geomspace, "why": "Keras on torch forgets steps"})
draw("bartlett blackman hamming hanning", st.integers(1, 9), how=NEW)
draw("kaiser", st.integers(1, 9), beta=st.floats(0, 14), how=NEW)
LISTS = st.sampled_from([[1, 2], [[1.5], [2]], 3, True, np.arange(3), np.ones(2, "float16")])
draw("array", LISTS | T(kinds=NUMBERS), dtype=KIND, how=NEW)


def scaled(x: Any, y: Any, by: Any = 2) -> Any:
    """For `vectorize`: numbers to a number."""
    return x * by + y


draw(
    "vectorize",
    st.just(scaled),
    excluded=st.sampled_from([None, [2], {2}]),
    signature=st.none(),
    how={"fixed": True, "then": lambda f, *_, **__: f(torch.arange(3.0), torch.ones(3), 2.0)},
)
draw(
    "vectorize",
    st.just(lambda x, y: (x * y).sum()),
    excluded=st.none(),
    signature=st.just("(n),(n)->()"),
    how={"fixed": True, "then": lambda f, *_, **__: f(torch.arange(6.0).reshape(2, 3), torch.ones(3))},
)
