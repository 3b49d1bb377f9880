"""Convolutions of every rank, and pooling of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.contract.row import Row, spatial

GROUPS = {"groups": st.sampled_from([1, 2])}
CAUSAL = {"padding": st.sampled_from(["valid", "same", "causal"])}
PADDED = {"output_padding": st.none() | st.integers(0, 1)}


def conv(name: str, rank: int, **more: Any) -> Row:
    """A convolution."""
    filters = {} if name.startswith("Depthwise") else {"filters": 4}
    return Row(name, {**filters, "kernel_size": 3}, (spatial(rank),), **more)


CONVOLUTIONAL = [
    conv("Conv1D", 1, options={**GROUPS, **CAUSAL}),
    conv("Conv2D", 2, options=GROUPS),
    conv("Conv3D", 3, options=GROUPS),
    *(conv(f"Conv{rank}DTranspose", rank, options=PADDED) for rank in (1, 2, 3)),
    conv("DepthwiseConv1D", 1),
    conv("DepthwiseConv2D", 2),
    conv("SeparableConv1D", 1),
    conv("SeparableConv2D", 2),
]


def pooling(name: str, rank: int, args: dict[str, Any], **options: Any) -> list[Row]:
    """Averages and largest values of patches."""
    return [
        Row(name.format(kind, rank), args, (spatial(rank),), known=(), options=options if kind == "Average" else {})
        for kind in ("Average", "Max")
    ]


# Keras on torch averages its padding in.
POOLING = [
    row
    for rank in (1, 2, 3)
    for row in (
        *pooling("{}Pooling{}D", rank, {"pool_size": 2}, padding=st.just("valid")),
        *pooling("Global{}Pooling{}D", rank, {}),
        *pooling("Adaptive{}Pooling{}D", rank, {"output_size": 3}),
    )
]

ROWS = [*CONVOLUTIONAL, *POOLING]
