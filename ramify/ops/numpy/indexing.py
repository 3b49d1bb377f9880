"""Values picked by place or by condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.ops.numpy.creation import shape_of
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, promoted, tensors, to_tensor

__all__ = [
    "diag", "diagflat", "diagonal", "get_item", "ndim", "nonzero", "select", "size", "take", "take_along_axis", "tril",
    "triu", "unravel_index", "where",
]  # fmt: skip


@op
def get_item(x: TensorLike, key: Any) -> Tensor:
    """``x[key]``.

    Args:
        x: tensor.
        key: number, slice, ``None``, ``...``, tensor, list, or a tuple of them.

    >>> get_item([1.0, 2.0, 3.0], slice(1, None))
    tensor([2., 3.])
    """
    return to_tensor(x)[key]


@op
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """The values, or the slices along an axis, at some places.

    Args:
        x: tensor.
        indices: places, of any shape; negative ones count from the end.
        axis: the axis; the flattened tensor when ``None``.

    Returns:
        Tensor in which the shape of `indices` stands in place of the axis.

    >>> take([10.0, 20.0, 30.0], [0, -1])
    tensor([10., 30.])
    """
    x = to_tensor(x)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    if isinstance(indices, int):
        return torch.select(x, axis, indices)
    places = _from_start(to_tensor(indices, device=x.device), x.shape[axis])
    shape = (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])
    return torch.index_select(x, axis, places.reshape(-1)).reshape(shape)


def _from_start(places: Tensor, size: int) -> Tensor:
    places = places if places.dtype in (torch.int32, torch.int64) else places.long()
    return torch.where(places < 0, places + size, places)


@op
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Values at places along an axis, each with places of its own.

    Args:
        x: tensor.
        indices: places, of the rank of `x`; other axes broadcast. Negative ones count from the end.
        axis: the axis; both flattened when ``None``.

    >>> take_along_axis([[1.0, 2.0], [3.0, 4.0]], [[1], [0]], axis=1)
    tensor([[2.],
            [3.]])
    """
    x, places = tensors(x, indices)
    if axis is None:
        x, places, axis = x.reshape(-1), places.reshape(-1), 0
    axis %= x.ndim
    shape = torch.broadcast_shapes(
        (*x.shape[:axis], 1, *x.shape[axis + 1 :]), (*places.shape[:axis], 1, *places.shape[axis + 1 :])
    )
    places = _from_start(places, x.shape[axis]).long()
    places = places.expand(*shape[:axis], places.shape[axis], *shape[axis + 1 :])
    return torch.gather(x.expand(*shape[:axis], x.shape[axis], *shape[axis + 1 :]), axis, places)


@op
def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Tensor:
    """`x1` where the condition holds, else `x2`; all three broadcast.

    Args:
        condition: booleans (other numbers: not 0).
        x1: values where it holds.
        x2: values where it does not.

    Returns:
        The values; without `x1` and `x2` the places where the condition holds, as int64 of shape ``(rank, count)``.

    Raises:
        ArgumentError: only one of `x1` and `x2` was given.

    >>> where([True, False], [1.0, 2.0], 0)
    tensor([1., 0.])
    """
    if x1 is None and x2 is None:
        return torch.stack(torch.where(to_tensor(condition)))
    if x1 is None or x2 is None:
        raise ArgumentError("`where` was given only one of x1 and x2. Give both, or none to get places.")
    a, b = promoted(x1, x2)
    device = next((part.device for part in (condition, a, b) if isinstance(part, Tensor)), None)
    return torch.where(to_tensor(condition, device=device).bool(), a, b)


@op
def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0) -> Tensor:
    """At each place the value of the first choice whose condition holds.

    Args:
        condlist: conditions.
        choicelist: as many tensors or numbers.
        default: the value where no condition holds.

    Raises:
        ArgumentError: lists of different lengths, or empty ones.

    >>> select([[True, False], [True, True]], [1, 2], default=0)
    tensor([1, 2], dtype=torch.int32)
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ArgumentError(
            f"`select` was given {len(condlist)} conditions and {len(choicelist)} choices. Give as many of both."
        )
    result = to_tensor(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result


@op
def nonzero(x: TensorLike) -> Tensor:
    """The places of all values that are not 0, as int32 of shape ``(rank, count)``: one row for each axis.

    The count is known only when data is there, so the op has no symbolic form.

    >>> nonzero([0.0, 3.0, 4.0])
    tensor([[1, 2]], dtype=torch.int32)
    """
    return torch.stack(torch.nonzero(to_tensor(x), as_tuple=True)).int()


@op
def unravel_index(indices: TensorLike, shape: Any) -> tuple[Tensor, ...]:
    """For places in a flattened tensor the places along each axis, as int32.

    Args:
        indices: places, of any shape; negative ones count from the end.
        shape: of the tensor.

    >>> unravel_index([5, 3], (2, 3))
    (tensor([1, 1], dtype=torch.int32), tensor([2, 0], dtype=torch.int32))
    """
    sizes = shape_of(shape)
    rest = _from_start(to_tensor(indices), int(np.prod(sizes)))
    found = []
    for size in reversed(sizes):
        found.append(torch.remainder(rest, size).int())
        rest = torch.div(rest, size, rounding_mode="floor")
    return tuple(reversed(found))


@op
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with the given diagonal, or the diagonal of a matrix.

    Args:
        x: tensor of one axis or two.
        k: which diagonal; above the main one when positive.

    >>> diag([[1.0, 2.0], [3.0, 4.0]])
    tensor([1., 4.])
    """
    return torch.diag(to_tensor(x), k)


@op
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with all values of a tensor on a diagonal.

    >>> diagflat([[1.0, 2.0]])
    tensor([[1., 0.],
            [0., 2.]])
    """
    return torch.diagflat(to_tensor(x), k)


@op
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of the matrices that two axes span, as the last axis.

    Args:
        x: tensor of at least two axes.
        offset: which diagonal; above the main one when positive.
        axis1: the rows.
        axis2: the columns.

    >>> diagonal([[1.0, 2.0], [3.0, 4.0]], offset=1)
    tensor([2.])
    """
    return torch.diagonal(to_tensor(x), offset, axis1, axis2)


@op
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """The lower triangle of the last two axes, zeros above diagonal `k`.

    >>> tril([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 0.],
            [3., 4.]])
    """
    return torch.tril(to_tensor(x), k)


@op
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """The upper triangle of the last two axes, zeros below diagonal `k`.

    >>> triu([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [0., 4.]])
    """
    return torch.triu(to_tensor(x), k)


@op
def ndim(x: TensorLike) -> int:
    """The number of axes.

    >>> ndim([[1, 2]])
    2
    """
    return to_tensor(x).ndim


@op
def size(x: TensorLike) -> Tensor:
    """The number of values, as a tensor of int64 without axes.

    >>> size([[1, 2]])
    tensor(2)
    """
    return torch.tensor(to_tensor(x).numel())
