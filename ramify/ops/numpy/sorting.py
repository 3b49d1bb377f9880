"""Order: sorting, searching in what is sorted, counting, what is there once."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, tensors, to_tensor, unified

__all__ = ["argpartition", "argsort", "bincount", "digitize", "histogram", "searchsorted", "sort", "unique"]


@op
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Ascending along an axis; of the flattened tensor when ``None``.

    >>> sort([3.0, 1.0, 2.0])
    tensor([1., 2., 3.])
    """
    x = to_tensor(x)
    return torch.sort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis).values


@op
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The places, as int32, in the order that sorts the values; equal values keep their order.

    >>> argsort([3.0, 1.0, 2.0])
    tensor([1, 2, 0], dtype=torch.int32)
    """
    x = to_tensor(x)
    dim = -1 if axis is None else axis
    return torch.sort(x.reshape(-1) if axis is None else x, dim=dim, stable=True).indices.int()


@op
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Tensor:
    """Places, as int32, in an order that puts the value of rank `kth` in its sorted place, less before it.

    Args:
        x: tensor.
        kth: the rank, from 0; negative ones count from the end.
        axis: the axis; the flattened tensor when ``None``.

    >>> argpartition([3.0, 1.0, 2.0], 1)[1]
    tensor(2, dtype=torch.int32)
    """
    x = to_tensor(x)
    size = x.numel() if axis is None else x.shape[axis]
    if not -size <= kth < size:
        raise ArgumentError(f"kth={kth} is no rank among {size} values. Use {-size} to {size - 1}.")
    return argsort(x, axis)  # sorted places are one such order; torch has no kernel for less


@op
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values would go into a sorted sequence so that it stays sorted, as int32.

    Args:
        sorted_sequence: ascending, of one axis.
        values: of any shape.
        side: ``"left"`` before equal ones, ``"right"`` after them.

    Raises:
        ArgumentError: a sequence of more axes.

    >>> searchsorted([1.0, 2.0, 3.0], [2.0, 2.5])
    tensor([1, 2], dtype=torch.int32)
    """
    sequence, values = _comparable(sorted_sequence, values)
    if sequence.ndim != 1:
        raise ArgumentError(f"`searchsorted` takes a sequence of one axis, not of shape {tuple(sequence.shape)}.")
    return torch.searchsorted(sequence, values, side=side, out_int32=True)


@op
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The number, as int32, of the bin that each value falls in; 0 is below the first edge.

    Args:
        x: values.
        bins: the edges, ascending; each belongs to the bin above it.

    >>> digitize([0.2, 6.4, 1.0], [0.0, 1.0, 2.5])
    tensor([1, 3, 2], dtype=torch.int32)
    """
    edges, values = _comparable(bins, x)
    return torch.bucketize(values, edges, right=True, out_int32=True)


def _comparable(a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    a, b = unified(a, b)
    a, b = (a.int(), b.int()) if a.dtype == torch.bool else (a, b)
    return a.contiguous(), b.contiguous()


@op
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each of 0, 1, 2, … occurs.

    Args:
        x: whole numbers that are not negative, of shape ``(n,)`` or ``(batch, n)``.
        weights: what each occurrence counts, of the same shape; 1 when ``None``.
        minlength: the least size of the result.
        sparse: not supported.

    Returns:
        int32, or the dtype of the weights, of shape ``(bins,)`` or ``(batch, bins)``. The size depends on the data.

    Raises:
        ArgumentError: sparse results asked for.

    >>> bincount([1, 2, 2], minlength=4)
    tensor([0, 1, 2, 0], dtype=torch.int32)
    """
    if sparse:
        raise ArgumentError("`bincount` makes no sparse tensors. Leave `sparse` out.")
    x = to_tensor(x).long()
    amount = torch.ones_like(x, dtype=torch.int32) if weights is None else to_tensor(weights, device=x.device)
    bins = max(int(x.max()) + 1 if x.numel() else 0, int(minlength))
    result = torch.zeros((*x.shape[:-1], bins), dtype=amount.dtype, device=x.device)
    return result.scatter_add(-1, x, amount)


@op
def histogram(x: TensorLike, bins: Any = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """How many values fall in each of several bins.

    Args:
        x: values, of any shape.
        bins: how many bins of equal width, or their edges.
        range: the outer edges; those of the values when ``None``.

    Returns:
        The counts, of shape ``(bins,)``, and the edges, of shape ``(bins + 1,)``, both as floats.

    >>> histogram([1.0, 2.0, 2.0], bins=2)
    (tensor([1., 2.]), tensor([1.0000, 1.5000, 2.0000]))
    """
    x = as_float(x).reshape(-1)
    if not isinstance(bins, int):
        edges = to_tensor(bins, device=x.device).to(x.dtype)
    else:
        low, high = (x.min(), x.max()) if range is None else tensors(*map(float, range))
        low, high = low.to(x), high.to(x)
        same = low == high
        low, high = torch.where(same, low - 0.5, low), torch.where(same, high + 0.5, high)
        steps = torch.arange(bins + 1, dtype=x.dtype, device=x.device) / bins
        edges = torch.where(steps == 1, high, low + steps * (high - low))
    place = torch.bucketize(x, edges, right=True) - 1
    place = torch.where(x == edges[-1], edges.shape[0] - 2, place)
    inside = (place >= 0) & (x <= edges[-1])
    counts = torch.zeros(edges.shape[0] - 1, dtype=x.dtype, device=x.device)
    return counts.scatter_add(0, place.clamp(0, edges.shape[0] - 2), inside.to(x.dtype)), edges


@op
def unique(
    x: TensorLike,
    sorted: bool = True,  # noqa: ARG001 - Keras's signature
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: float | None = None,
) -> Any:
    """The values, or the slices along an axis, that occur, each once.

    Args:
        x: tensor.
        sorted: always true here; taken for compatibility.
        return_index: whether the places of their first occurrence are returned.
        return_inverse: whether the places among them of the values of `x` are returned.
        return_counts: whether the numbers of their occurrences are returned.
        axis: the axis whose slices count as values; the flattened tensor when ``None``.
        size: cut or fill the result to this many, which makes its shape known without data.
        fill_value: what fills; 0 when ``None``.

    Returns:
        The values, or a tuple of them and of int64 tensors, in the order of the arguments.

    >>> unique([3, 1, 1], return_counts=True)
    (tensor([1, 3], dtype=torch.int32), tensor([2, 1]))
    """
    x = to_tensor(x)
    shape = x.shape
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True, dim=dim)
    index = torch.argsort(inverse, stable=True)[torch.cumsum(counts, 0) - counts]
    if size is not None:
        values = _sized(values, dim, size, 0 if fill_value is None else fill_value)
        index, counts = _sized(index, 0, size, None), _sized(counts, 0, size, 0)
    inverse = inverse.reshape(shape) if axis is None else inverse
    extras = [(return_index, index), (return_inverse, inverse), (return_counts, counts)]
    chosen = [extra for wanted, extra in extras if wanted]
    return (values, *chosen) if chosen else values


def _sized(x: Tensor, dim: int, size: int, fill: float | None) -> Tensor:
    """Cut or fill an axis to a size; with its first slice when `fill` is ``None``."""
    lacking = size - x.shape[dim]
    if lacking <= 0:
        return x.narrow(dim, 0, size)
    first = x.narrow(dim, 0, 1)
    first = first if fill is None else torch.full_like(first, fill)
    return torch.cat((x, first.expand([lacking if a == dim else n for a, n in enumerate(x.shape)])), dim)
