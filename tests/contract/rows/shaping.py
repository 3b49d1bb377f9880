"""Reshaping and merging."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.contract.draws import SMALL, sizes
from tests.contract.row import Row, spatial


def pairs(rank: int, low: int, high: int) -> object:
    """What is cut off or put on: one number, one for each axis, or two for each axis."""
    one = st.integers(low, high)
    if rank == 1:
        return one | st.tuples(one, one)
    return one | st.tuples(*[one] * rank) | st.tuples(*[st.tuples(one, one)] * rank)


RESHAPING = [
    Row("Flatten", {}, ((2, 3), (2, 5, 3), (2, 4, 5, 3)), known=()),
    Row("Permute", {"dims": (2, 1)}, ((2, 5, 3),), known=(), options={"dims": st.permutations([1, 2]).map(tuple)}),
    Row("RepeatVector", {"n": 3}, ((2, 4),), known=(), options={"n": SMALL}),
    Row(
        "Reshape",
        {"target_shape": (3, -1)},
        ((2, 6), (2, 4, 3)),
        known=(),
        options={"target_shape": st.sampled_from([(6,), (-1,), (2, 3), (-1, 2), (1, 6, 1), (4,)])},
    ),
    *(
        row
        for rank in (1, 2, 3)
        for row in (
            Row(
                f"Cropping{rank}D", {"cropping": 1}, (spatial(rank),), known=(), options={"cropping": pairs(rank, 0, 2)}
            ),
            Row(
                f"ZeroPadding{rank}D",
                {"padding": 2},
                (spatial(rank),),
                known=(),
                options={"padding": pairs(rank, 0, 3)},
            ),
        )
    ),
    Row("UpSampling1D", {"size": 2}, (spatial(1),), known=(), options={"size": SMALL}),
    Row("UpSampling2D", {"size": 2}, (spatial(2),), known=(), keeps={"interpolation": "the next row has them"}),
    Row(
        "UpSampling2D",
        {"interpolation": "bilinear"},
        (spatial(2),),
        known=(),
        options={"size": sizes(2), "interpolation": st.sampled_from(["bilinear", "bicubic", "nearest"])},
    ),
    Row("UpSampling3D", {"size": 2}, (spatial(3),), known=()),
]

PAIRS = ([(2, 3), (2, 3)], [(2, 5, 3), (2, 5, 3)])
MERGING = [
    *(
        Row(name, {}, (*PAIRS, [(2, 3), (2, 3), (2, 3)]), known=())
        for name in "Add Average Maximum Minimum Multiply".split()
    ),
    Row("Subtract", {}, PAIRS, known=()),
    Row(
        "Concatenate",
        {},
        ([(2, 3), (2, 4)], [(2, 5, 3), (2, 5, 4)], [(2, 3), (2, 4), (2, 3)]),
        options={"axis": st.sampled_from([-1, 1])},
    ),
    Row(
        "Dot",
        {"axes": -1},
        ([(2, 3), (2, 3)], [(2, 5, 3), (2, 4, 3)]),
        options={"normalize": st.booleans(), "axes": st.sampled_from([1, -1, (1, 1), (-1, 1)])},
    ),
]

ROWS = [*RESHAPING, *MERGING]
