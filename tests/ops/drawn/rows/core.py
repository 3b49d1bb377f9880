"""Conversion, indexing, control flow, segments, patterns."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from tests.ops.drawn.draw import BOOL, EXACT, FLOATS, NUMBERS, WHOLE, F, I, T, Table

draw = Table()
FIXED = {"fixed": True}

# ---- conversion ----
KINDS = st.sampled_from(NUMBERS)
draw("cast", T(kinds=NUMBERS), dtype=KINDS)
draw("saturate_cast", T(kinds=[*FLOATS, *WHOLE], low=-400, high=400), dtype=st.sampled_from(WHOLE))
draw("saturate_cast", T(kinds=FLOATS, low=-400, high=400), dtype=st.sampled_from(FLOATS))
VALUES = st.sampled_from([[1, 2], [[1.5], [2.0]], 3, True, np.arange(3), np.ones(2, "float16")])
draw("convert_to_tensor", T(kinds=NUMBERS) | VALUES, dtype=st.none() | KINDS, how=FIXED)
draw("convert_to_numpy", T(kinds=[*EXACT, *WHOLE, "bool"]), how=FIXED)
draw("stop_gradient", T(kinds=NUMBERS))
draw("shape ndim", T(kinds=NUMBERS), how=FIXED)
draw("size", T(kinds=NUMBERS), how=FIXED)
draw("is_tensor", T() | VALUES, how={**FIXED, "then": lambda made, *_: bool(made)})
draw("dtype", T(kinds=NUMBERS), how={**FIXED, "then": lambda name, *_: torch.zeros(1, dtype=getattr(torch, name))})
draw("view_as_complex", F((4, 3, 2), (2,)))
draw("view_as_real", T((4, 3), kinds=EXACT).map(lambda x: torch.complex(x, x + 1)))

# ---- indexing ----
START, SIZES = st.tuples(st.integers(0, 1), st.integers(0, 2)), st.tuples(st.integers(1, 2), st.integers(1, 3))
draw("slice", T((3, 5), kinds=NUMBERS), START | I((2,), below=2), shape=SIZES)
draw("slice_update", T((3, 5), kinds=EXACT), START | I((2,), below=2), updates=T((2, 3), (1, 1), kinds=["float32"]))
draw("scatter", I((3, 1), below=4), F((3,)), shape=st.sampled_from([(4,), (5,)]))
draw("scatter", I((3, 1), below=4), F((3, 2)), shape=st.sampled_from([(4, 2), (6, 2)]))
draw("scatter", I((4, 2), below=3), T((4,), kinds=["float32", "int32"]), shape=st.sampled_from([(3, 3), (4, 5)]))
REDUCTION = st.sampled_from(["add", "max", "min", "mul"])
draw(
    "scatter_update",
    T((5, 2), kinds=EXACT),
    I((3, 1), below=5),
    F((3, 2)),
    reduction=REDUCTION,
    how={"gradient": False, "hides": ("", "the batch")},
)
ONCE = st.permutations(range(5)).map(lambda p: torch.tensor([[i] for i in p[:3]]))
draw("scatter_update", F((5, 2)), ONCE, F((3, 2)), reduction=st.none(), how={"hides": ("", "the batch")})
draw("unstack", T((3, 2, 3), kinds=NUMBERS), num=st.sampled_from([None, 3]), axis=st.sampled_from([0, 2, -1]))

# ---- segments and sets ----
IDS = I((6,), below=4).map(lambda x: x.sort().values)
draw("segment_sum segment_max segment_prod", T((6, 2), (6,), kinds=[*EXACT, "int32"]), IDS,
     num_segments=st.integers(4, 6), sorted=BOOL)  # fmt: skip
draw("segment_min", T((6, 2), (6,), kinds=EXACT), IDS, num_segments=st.integers(4, 6), sorted=BOOL,
     how={"why": "Keras on torch gives segments without whole numbers the least of them, not the largest"})  # fmt: skip
draw("segment_sum segment_max segment_min", F((6, 2)), IDS, num_segments=st.none(), sorted=BOOL, how=FIXED)
draw("top_k", T((4, 6), (5,), (2, 3, 5), kinds=EXACT), k=st.integers(1, 5), sorted=st.just(True))
draw("in_top_k", I((4,)), F((4, 5)), k=st.integers(1, 5))
draw("erf erfc", T(kinds=EXACT))
draw("erfinv", T(kinds=EXACT, low=-0.9, high=0.9))
draw("rsqrt", T(kinds=FLOATS, low=0.5))

# ---- control flow ----
BODY = st.sampled_from([lambda x: x * 2, lambda x: x + x.sum(), lambda x: (x, x * x)])
draw("map", BODY, F((4, 3), (4,), (4, 3, 2)))
draw("vectorized_map", BODY, F((4, 3), (4, 3, 2)))
STEP = st.sampled_from([lambda c, x: (c + x, c * x), lambda c, x: (c * 0.5 + x, c)])
ONWARD = {"reverse": BOOL, "unroll": st.sampled_from([1, 2, True, False])}
draw("scan", STEP, F((3,)), xs=F((4, 3), (6, 3)), length=st.none(), **ONWARD)
draw("scan", st.just(lambda c, _: (c * 1.5, c)), F((3,)), xs=st.none(), length=st.integers(1, 5), **ONWARD)
PAIRING = st.sampled_from([torch.add, torch.maximum, lambda a, b: a * b])
draw("associative_scan", PAIRING, F((5, 4), (4, 7)), reverse=BOOL, axis=st.integers(0, 1),
     how={"narrow": "Keras makes float32 of it"})  # fmt: skip
CHOICE = st.sampled_from([True, False]) | T((), kinds=["bool"])


@st.composite
def branching(draw: Any) -> Any:
    x = draw(F((4, 3)))
    return (draw(CHOICE), lambda: x * 2, lambda: x - 1), {}


draw.whole("cond", branching, "pred true_fn false_fn", fixed=True, gradient=False)
BRANCHES = st.just([lambda x: x + 1, lambda x: x * 2, lambda x: -x])
draw("switch", st.integers(-2, 5) | I(()), BRANCHES, F((4, 3)))
LOOP = {"fixed": True, "gradient": False}
draw("while_loop", st.just(lambda x: x.sum() < 50), st.just(lambda x: x * 2), F((4,), (4, 2), low=0.5),
     maximum_iterations=st.none() | st.integers(0, 5), how=LOOP)  # fmt: skip
draw(
    "fori_loop",
    st.integers(-1, 2),
    st.integers(1, 5),
    st.sampled_from([lambda i, x: x * i, lambda i, x: x + i]),
    F((4,)),
)


def halved(x: Any) -> Any:
    """The value doubled, with a gradient of a half in place of two."""
    return x * 2, lambda *args, upstream=None: (args[0] if upstream is None else upstream) * 0.5


LEAF = torch.arange(4.0)
draw("custom_gradient", st.just(halved), how={**LOOP, "then": lambda f, *_, **__: f(LEAF)})
FUNCTIONS = st.sampled_from([lambda x, y: x * y + x, lambda x, y: x.sin() * y])
TWO = st.tuples(F((4,)), F((4,)))
draw("jvp", FUNCTIONS, TWO, TWO, has_aux=st.just(False), how=LOOP)
draw("jvp", st.just(lambda x, y: (x * y, x + 1)), TWO, TWO, has_aux=st.just(True), how=LOOP)
PATTERN = st.sampled_from(["a (b c) -> (c a) b", "a (b c) -> a b c", "a (b c) -> (a b c)", "a (b c) -> c b a"])
draw("rearrange", T((4, 6), (3, 2), kinds=NUMBERS), PATTERN, b=st.integers(1, 2))
