"""Parts of tensors at places that are given as numbers: taken out, put in, added up."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.ops.convert import like, sizes_of
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = ["scatter", "scatter_update", "slice", "slice_update", "unstack"]


@op
def slice(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """A block of a tensor.

    Args:
        inputs: tensor of `n` axes.
        start_indices: `n` whole numbers, or a tensor of them: the first place along each axis.
        shape: `n` sizes of the block; -1 takes all that is left along an axis.

    Returns:
        A tensor of shape `shape`; a view where `start_indices` are plain numbers.

    >>> slice(torch.arange(6).reshape(2, 3), (0, 1), (2, 2))
    tensor([[1, 2],
            [4, 5]])
    """
    x = to_tensor(inputs)
    sizes = sizes_of(shape)
    if isinstance(start_indices, Tensor):
        return _block_at(x, start_indices, sizes)
    for axis, (start, size) in enumerate(zip(sizes_of(start_indices), sizes, strict=True)):
        x = x.narrow(axis, start, x.shape[axis] - start if size == -1 else size)
    return x


def _block_at(x: Tensor, starts: Tensor, sizes: Sequence[int]) -> Tensor:
    """A block whose place is itself data; no number leaves the device."""
    for axis, (start, size) in enumerate(zip(starts.unbind(), sizes, strict=True)):
        x = x.index_select(axis, torch.arange(size, device=x.device) + start)
    return x


@op
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """A copy of a tensor with a block of it replaced.

    Args:
        inputs: tensor of `n` axes.
        start_indices: `n` whole numbers, or a tensor of them: where the block begins.
        updates: tensor of `n` axes that fits in from there.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    >>> slice_update(torch.zeros(4), (1,), torch.ones(2))
    tensor([0., 1., 1., 0.])
    """
    x, new = like(inputs, updates)
    new = new.to(x.dtype)
    if isinstance(start_indices, Tensor):
        axes = enumerate(zip(start_indices.unbind(), new.shape, strict=True))
        places = tuple(_along(torch.arange(n, device=x.device) + start, axis, x.ndim) for axis, (start, n) in axes)
        return x.index_put(places, new)
    key = tuple(
        builtins.slice(start, start + size) for start, size in zip(sizes_of(start_indices), new.shape, strict=True)
    )
    result = x.clone()
    result[key] = new
    return result


def _along(index: Tensor, axis: int, ndim: int) -> Tensor:
    return index.view(*(-1 if i == axis else 1 for i in range(ndim)))


@op
def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros, with values added in at given places.

    Args:
        indices: whole numbers of shape ``(count, k)``: the first `k` coordinates of a place.
        values: tensor of shape ``(count, *shape[k:])``; those for the same place are added up.
        shape: sizes of the result.

    Returns:
        A tensor of shape `shape` and the dtype of `values`.

    >>> scatter(torch.tensor([[0], [2], [0]]), torch.tensor([1.0, 2.0, 3.0]), (4,))
    tensor([4., 0., 2., 0.])
    """
    indices, values = like(indices, values)
    return values.new_zeros(sizes_of(shape)).index_put(_places(indices), values, accumulate=True)


def _places(indices: Tensor) -> tuple[Tensor, ...]:
    return tuple(place.long() for place in indices.unbind(-1))


_REDUCTIONS = {"max": "amax", "min": "amin", "mul": "prod"}


@op
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    """A copy of a tensor with the values at given places replaced, or combined with others.

    Args:
        inputs: tensor of any shape.
        indices: whole numbers of shape ``(count, k)``: the first `k` coordinates of a place.
        updates: tensor of shape ``(count, *inputs.shape[k:])``.
        reduction: ``None`` replaces; ``"add"``, ``"mul"``, ``"max"`` or ``"min"`` combine what is there with all that
            is given for a place.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ArgumentError: another reduction.

    >>> scatter_update(torch.zeros(3), torch.tensor([[0], [2]]), torch.tensor([5.0, 6.0]))
    tensor([5., 0., 6.])
    """
    x, indices, new = like(inputs, indices, updates)
    new = new.to(x.dtype)
    if reduction in {None, "add"}:
        return x.index_put(_places(indices), new, accumulate=reduction == "add")
    if reduction not in _REDUCTIONS:
        raise ArgumentError(f"scatter_update knows reduction None, 'add', 'mul', 'max', 'min', but got {reduction!r}.")
    depth = indices.shape[-1]
    rows = indices.new_zeros(indices.shape[:-1], dtype=torch.int64)
    for size, place in zip(x.shape[:depth], _places(indices), strict=True):
        rows = rows * size + torch.where(place < 0, place + size, place)
    flat, tail = x.reshape(-1, *x.shape[depth:]), x.shape[depth:]
    rows = rows.reshape(-1)
    new = new.broadcast_to(*indices.shape[:-1], *tail).reshape(len(rows), *tail)
    places = rows.view(-1, *(1 for _ in tail)).expand(new.shape)
    return flat.scatter_reduce(0, places, new, _REDUCTIONS[reduction]).view(x.shape)


@op
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of a tensor along an axis, as a list.

    Args:
        x: tensor of at least one axis, of known size along `axis`.
        num: the size along `axis`; only checked.
        axis: the axis that goes.

    Returns:
        A list of tensors with one axis less.

    Raises:
        ShapeError: the size is unknown, or not `num`.

    >>> unstack(torch.tensor([[1, 2], [3, 4]]))
    [tensor([1, 2]), tensor([3, 4])]
    """
    x = to_tensor(x)
    if num is not None and x.shape[axis] != num:
        raise ShapeError(
            f"unstack was told that there are num={num} slices along axis {axis}, but received shape {tuple(x.shape)}. "
            "Leave `num` out."
        )
    return list(x.unbind(axis))
