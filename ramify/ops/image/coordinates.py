"""Tensors read at places between their elements."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.ops.convert import like
from ramify.ops.image.layout import as_float, as_was
from ramify.ops.op import op

Tensor = torch.Tensor
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def checked_fill_mode(fill_mode: str, who: str) -> str:
    """The fill mode.

    Raises:
        ArgumentError: it is none.
    """
    if fill_mode not in FILL_MODES:
        raise ArgumentError(f"{who} takes fill_mode {', '.join(map(repr, FILL_MODES))}, but got {fill_mode!r}.")
    return fill_mode


def _inside(index: Tensor, size: int, fill_mode: str) -> Tensor:
    """Where an index outside the tensor is read instead."""
    if fill_mode == "wrap":
        return index.remainder(size)
    if fill_mode == "mirror":  # about the middle of the last element
        period = max(2 * (size - 1), 1)
        return (size - 1) - ((index.remainder(period)) - (size - 1)).abs()
    if fill_mode == "reflect":  # about its far edge
        folded = index.remainder(2 * size)
        return torch.minimum(folded, 2 * size - 1 - folded)
    return index.clamp(0, size - 1)


@op
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """A tensor read at given places, by its nearest element or by linear interpolation.

    Args:
        inputs: tensor of `n` axes.
        coordinates: tensor of shape ``(n, ...)``: the places.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what lies outside: ``"constant"`` is `fill_value`, ``"nearest"`` the edge, ``"wrap"`` begins again,
            ``"mirror"`` reflects about the last element, ``"reflect"`` about its far edge.
        fill_value: for ``"constant"``.

    Returns:
        A tensor of shape ``coordinates.shape[1:]`` and the dtype of `inputs`.

    Raises:
        ArgumentError: another order or fill mode.
        ShapeError: not one coordinate per axis.

    >>> map_coordinates(torch.tensor([0.0, 10.0]), torch.tensor([[0.25, 1.0]]), 1)
    tensor([ 2.5000, 10.0000])
    """
    x, places = like(inputs, coordinates)
    checked_fill_mode(fill_mode, "map_coordinates")
    if len(places) != x.ndim:
        shapes = f"{tuple(places.shape)} for a tensor of shape {tuple(x.shape)}"
        raise ShapeError(f"map_coordinates takes one coordinate per axis, but received {shapes}.")
    if order not in {0, 1}:
        raise ArgumentError(f"map_coordinates takes order 0 or 1, but got {order!r}.")
    return as_was(read(as_float(x), list(as_float(places).unbind()), order, fill_mode, fill_value), x.dtype)


def read(
    x: Tensor, places: list[Tensor], order: int, fill_mode: str, fill_value: float, batch: Tensor | None = None
) -> Tensor:
    """A float tensor read at given places; see `map_coordinates`.

    Args:
        x: the tensor; it may have more axes than there are coordinates, which are read whole.
        places: one tensor of coordinates for each axis, all of one shape.
        order: 0 or 1.
        fill_mode: what lies outside.
        fill_value: for ``"constant"``.
        batch: numbers of the first axis, beside the coordinates, which begin with the second then.
    """
    first = () if batch is None else (batch,)
    sizes = x.shape[len(first) : len(first) + len(places)]
    rest = (1,) * (x.ndim - len(first) - len(places))
    result: Tensor | None = None
    for corner in itertools.product(*(_corners(place, order) for place in places)):
        found = x[(*first, *(_inside(i, n, fill_mode) for (i, _), n in zip(corner, sizes, strict=True)))]
        if fill_mode == "constant":
            inside = [(i >= 0) & (i < n) for (i, _), n in zip(corner, sizes, strict=True)]
            valid = functools.reduce(torch.logical_and, inside)
            found = torch.where(valid.reshape(*valid.shape, *rest), found, fill_value)
        for _, weight in corner:
            found = found if weight is None else found * weight.reshape(*weight.shape, *rest)
        result = found if result is None else result + found
    assert result is not None  # a tensor has at least one corner
    return result


def _corners(place: Tensor, order: int) -> list[tuple[Tensor, Tensor | None]]:
    """The elements around a place along one axis, with their weights."""
    if order == 0:
        return [(place.round().long(), None)]
    low = place.floor()
    share = place - low
    return [(low.long(), 1 - share), (low.long() + 1, share)]
