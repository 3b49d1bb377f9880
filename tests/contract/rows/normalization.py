"""Normalization, and regularization by noise."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.contract.draws import RATE, SMALL
from tests.contract.row import Row, inner, spatial

SOME = ((2, 3), (2, 5, 3))
MOVING = frozenset({"moving_mean", "moving_variance"})
POSITIVE = {"moving_variance_initializer": st.sampled_from(["ones", "zeros"])}
AXIS = {"axis": "the last one or another: a size that must be known"}
SPECTRAL = {
    "frozen": "as in Keras, training mode divides the kernel by its norm even where the layer is frozen",
    "symbolic masks": "the layer inside marks real outputs with its mask, the wrapper does not support masks",
}

NORMALIZATION = [
    Row(
        "BatchNormalization",
        {"momentum": 0.8},
        ((6, 3), (4, 5, 3)),
        moves=MOVING,
        options={"momentum": st.floats(0, 1), **POSITIVE},
        keeps={
            **AXIS,
            **dict.fromkeys(("renorm", "renorm_clipping", "renorm_momentum"), "the family's tests have it"),
        },
    ),
    Row(
        "BatchNormalization",
        {},
        ((4, 2, 5, 3),),
        moves=MOVING,
        options={"axis": st.sampled_from([-1, 1, 2]), **POSITIVE},
        known=(-1, 1, 2),
        exceptions={"masks": "its mask has a rank less than the input"},
    ),
    Row("LayerNormalization", {}, (*SOME, (2, 4, 5, 3)), options={"rms_scaling": st.booleans()}, keeps=AXIS),
    Row("LayerNormalization", {}, ((2, 5, 3),), known=(1, 2), options={"axis": st.sampled_from([-1, [1, 2], [-1]])}),
    Row(
        "GroupNormalization",
        {"groups": 2},
        ((2, 4), (2, 5, 4), (2, 3, 5, 4)),
        tolerance=(1e-4, "of two numbers in a group, a gradient is what cancelling terms leave"),
        options={"groups": st.sampled_from([-1, 1, 2, 4])},
        keeps=AXIS,
    ),
    Row(
        "GroupNormalization",
        {"groups": 2, "axis": 1},
        ((2, 4, 5, 6),),
        known=(1, 2, 3),
        options={"axis": st.sampled_from([1, 3, -1])},
    ),
    Row("RMSNormalization", {}, SOME, keeps={"axis": "Keras on torch takes the last one alone"}),
    Row("UnitNormalization", {}, SOME, known=(), options={"axis": st.sampled_from([-1, 1])}),
    Row(
        "SpectralNormalization",
        inner("Dense", 4),
        SOME,
        moves=frozenset({"vector_u"}),
        options={"power_iterations": SMALL},
        exceptions=SPECTRAL,
    ),
    Row(
        "SpectralNormalization",
        inner("Conv2D", 4, 3),
        (spatial(2),),
        moves=frozenset({"vector_u"}),
        exceptions=SPECTRAL,
    ),
]


def noise(name: str, shapes: tuple[tuple[int, ...], ...] = SOME, **options: object) -> Row:
    """A layer that draws numbers in training mode."""
    argument = "stddev" if name == "GaussianNoise" else "rate"
    return Row(name, {argument: 0.4}, shapes, known=(), random=True, options={argument: RATE, **options})


NOISE_SHAPE = st.sampled_from([None, (None, 1), (2, 1)])
REGULARIZATION = [
    Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, SOME, known=(), options={"l1": RATE, "l2": RATE}),
    noise("Dropout", noise_shape=NOISE_SHAPE),
    noise("AlphaDropout", noise_shape=NOISE_SHAPE),
    noise("GaussianDropout"),
    noise("GaussianNoise"),
    *(noise(f"SpatialDropout{rank}D", (spatial(rank),)) for rank in (1, 2, 3)),
]

ROWS = [*NORMALIZATION, *REGULARIZATION]
