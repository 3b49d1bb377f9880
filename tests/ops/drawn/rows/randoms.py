"""Random tensors: shapes, dtypes and distributions, since each library draws numbers of its own."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from tests.ops.drawn.draw import EXACT, F, T, Table

draw = Table("random.")
SHAPE = st.sampled_from([(2000,), (50, 40), [20, 10, 10]])
KIND = st.sampled_from([None, "float32", "float64", "float16", "bfloat16"])
SEED = st.none() | st.integers(0, 2**31 - 1)
HOW = {"random": True, "fixed": True}
PLACE = st.floats(-3, 3)
MADE = {"dtype": KIND, "seed": SEED, "how": HOW}
draw("normal truncated_normal", SHAPE, mean=PLACE, stddev=st.floats(0.1, 3), **MADE)
draw("uniform", SHAPE, minval=st.floats(-3, -1), maxval=st.floats(0, 3), **MADE)
draw(
    "randint",
    SHAPE,
    minval=st.integers(-9, 0),
    maxval=st.integers(1, 20),
    dtype=st.sampled_from(["int32", "int64", "uint8"]).filter(lambda k: k != "uint8"),
    seed=SEED,
    how=HOW,
)
draw("gamma", SHAPE, alpha=st.floats(0.5, 4), **MADE)
draw("beta", SHAPE, alpha=st.floats(0.5, 4), beta=st.floats(0.5, 4), **MADE)
draw("binomial", SHAPE, counts=st.integers(1, 20).map(float), probabilities=st.floats(0.1, 0.9), **MADE)
draw(
    "categorical",
    F((3, 4), (1, 6)),
    num_samples=st.just(2000),
    dtype=st.sampled_from(["int32", "int64"]),
    seed=SEED,
    how={"random": True},
)
draw("shuffle", T((40, 5), (9, 30), (12,), kinds=EXACT), axis=st.just(0), seed=SEED, how={"random": True})
STILL = {"measure": lambda x, **_: x, "why": "Keras on torch loses numbers along other axes", "random": True}
draw("shuffle", T((40, 5), (9, 30), kinds=EXACT), axis=st.sampled_from([1, -1]), seed=SEED, how=STILL)
NOISE = st.sampled_from([None, (50, 1), (None, 40), (1, 40)])


def decisions(made: Any, *_: Any, noise_shape: Any, **__: Any) -> int:
    """How often dropout throws its coin."""
    sizes = noise_shape or made.shape
    return math.prod(size or other for size, other in zip(sizes, made.shape, strict=True))


draw(
    "dropout",
    T((50, 40), kinds=["float32", "bfloat16"], low=0.5, high=1.5),
    rate=st.floats(0, 0.8),
    noise_shape=NOISE,
    seed=SEED,
    how={"random": True, "independent": decisions},
)
