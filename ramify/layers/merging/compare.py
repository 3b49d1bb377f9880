"""Shapes held against each other, and the words for what does not fit: which branch, from which layer, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ramify.graph import SymbolicTensor, visible_shape

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Problem:
    """Why shapes do not fit, as half a sentence, and what to do, as a whole one."""

    why: str
    mend: str


def shapes_in(tensors: Any) -> list[Shape] | None:
    """The shapes of real or symbolic tensors and arrays; ``None`` where there is something else among them.

    Also where torch traces with sizes that it leaves open: it finds out itself whether they fit.
    """
    shapes: list[Shape] = []
    for x in tensors:
        if isinstance(x, SymbolicTensor):
            shapes.append(x.shape)
        elif isinstance(x, torch.Tensor) and all(type(size) is int for size in x.shape):
            shapes.append(visible_shape(x.shape))
        elif isinstance(x, (np.ndarray, np.generic)):
            shapes.append(x.shape)
        else:
            return None
    return shapes


def branches(shapes: list[Shape], tensors: Any) -> str:
    """Every branch with its shape and, where that is known, the layer that made it."""
    makers = [maker(x) for x in tensors] if tensors is not None else [""] * len(shapes)
    told = [f"{shape} {made}".strip() for shape, made in zip(shapes, makers, strict=True)]
    return ", ".join(told[:-1]) + (" and " if told[1:] else "") + told[-1]


def maker(x: Any) -> str:
    """``from Dense 'dense'`` for a symbolic tensor."""
    return f"from {x.node.describe()}" if isinstance(x, SymbolicTensor) else ""


def broadcast_problem(shapes: list[Shape]) -> Problem | None:
    """Shapes fit element by element if, read from the end, sizes are equal or 1, and batches are equal."""
    if not all(shapes):
        return Problem("one of them has no batch axis", "Merge tensors of at least one axis.")
    batches = {shape[0] for shape in shapes} - {None}
    if len(batches) > 1:
        return Problem(
            f"their batch sizes differ ({_numbers(batches)})", "Give all inputs the same `batch_size`, or none."
        )
    most = max(len(shape) for shape in shapes)
    for back in range(1, most):
        sizes = {shape[-back] for shape in shapes if len(shape) > back} - {None, 1}
        if len(sizes) > 1:
            axis = most - back
            why = f"on axis {axis} they have sizes {_numbers(sizes)}, which are neither equal nor 1"
            return Problem(why, _make_equal(shapes, axis))
    return None


def _make_equal(shapes: list[Shape], axis: int) -> str:
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        return _lower_rank(shapes)
    if axis < max(ranks) - 1:
        return (
            "Bring them to one size, for example with padding='same', equal strides, `Cropping` or `ZeroPadding`, "
            "or put them one after the other with `Concatenate(axis=...)`."
        )
    by = "`Conv2D(filters, 1)`" if max(ranks) == 4 else "`Dense(units)`"
    return f"Bring them to one size with a {by} on one branch, or put them side by side with `Concatenate`."


def axis_problem(shapes: list[Shape], axis: int) -> Problem | None:
    """Shapes fit one after the other along an axis if they are equal on all the others."""
    ranks = {len(shape) for shape in shapes}
    if len(ranks) > 1:
        return Problem(
            f"they have different ranks ({_numbers(ranks)} axes, the batch axis counted)", _lower_rank(shapes)
        )
    rank = ranks.pop()
    if not -rank <= axis < rank:
        return Problem(f"there is no axis {axis} in {rank} axes", f"Use an axis from {-rank} to {rank - 1}.")
    for other in range(rank):
        sizes = {shape[other] for shape in shapes} - {None}
        if other != axis % rank and len(sizes) > 1:
            why = f"on axis {other} they have sizes {_numbers(sizes)}, and only axis {axis % rank} may differ"
            return Problem(why, _fit_off_axis(shapes, other, rank))
    return None


def _fit_off_axis(shapes: list[Shape], axis: int, rank: int) -> str:
    if axis == 0:
        return "Give all inputs the same `batch_size`, or none."
    alone = all(len({shape[i] for shape in shapes}) == 1 for i in range(rank) if i != axis)
    where = (
        f"Concatenate along axis {axis} (`axis={axis}`), or bring them to one size"
        if alone
        else "Bring them to one size"
    )
    how = "`Cropping`, `ZeroPadding`, `UpSampling` or pooling" if rank > 2 and axis < rank - 1 else "`Dense(units)`"
    return f"{where} with {how} on one branch."


def _lower_rank(shapes: list[Shape]) -> str:
    """What brings the branch of the highest rank down to the lowest one."""
    high, low = max(shapes, key=len), min(shapes, key=len)
    if len(low) == 2 and 3 <= len(high) <= 5:
        pooling = f"GlobalAveragePooling{len(high) - 2}D"
        return f"Put a `Flatten()` or a `{pooling}()` behind the branch of shape {high} to bring it to 2 axes."
    return f"Put a `Flatten()` behind the branch of shape {high}, or a `Reshape` behind that of shape {low}."


def _numbers(values: Any) -> str:
    ordered = [str(value) for value in sorted(values)]
    return ", ".join(ordered[:-1]) + " and " + ordered[-1]
