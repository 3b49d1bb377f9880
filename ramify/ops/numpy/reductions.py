"""Sums, products, extremes and truth over axes.

In all of them `axis` is an axis, a tuple of axes, or ``None`` for all; `keepdims` leaves axes of size 1 in their place.
"""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, as_float32, axes_of, result_dtype, to_tensor

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod", "ptp", "std",
    "sum", "var",
]  # fmt: skip

Axis = int | tuple[int, ...] | list[int] | None
_INTEGERS_KEPT = (torch.int32, torch.int64)


def flat_axes(x: Tensor, axis: Any) -> tuple[Tensor, tuple[int, ...]]:
    """The tensor with the axes in question merged into a last one, and their numbers."""
    axes = axes_of(axis, x.ndim)
    rest = [a for a in range(x.ndim) if a not in axes]
    return x.permute((*rest, *axes)).flatten(len(rest)), axes


def kept(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """A result with axes of size 1 where they were reduced, when asked for."""
    if keepdims:
        for axis in sorted(axes):
            x = x.unsqueeze(axis)
    return x


def summable(x: TensorLike) -> Tensor:
    """Integers narrower than 32 bits, and booleans, as int32."""
    x = to_tensor(x)
    return x if x.is_floating_point() or x.is_complex() or x.dtype in _INTEGERS_KEPT else x.int()


@op
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum; booleans and small integers add up as int32.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``, none when ``()``.
        keepdims: whether they stay, with size 1.

    >>> sum([[1, 2], [3, 4]], axis=0)
    tensor([4, 6], dtype=torch.int32)
    """
    x = summable(x)
    axes = axes_of(axis, x.ndim)
    if not axes:
        return x
    if x.is_floating_point():
        return torch.sum(x, dim=axes, keepdim=keepdims)
    return torch.sum(x, dim=axes, keepdim=keepdims, dtype=x.dtype)


@op
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product; integers multiply as int32, doubles as float32.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.
        dtype: of the product, before anything is multiplied.

    >>> prod([[1, 2], [3, 4]], axis=1)
    tensor([ 2, 12], dtype=torch.int32)
    """
    x = to_tensor(x)
    x = x.to(product_dtype(x) if dtype is None else dtypes.to_torch(dtype))
    flat, axes = flat_axes(x, axis)
    if not axes:
        return x
    if len(axes) == 1:
        return torch.prod(x, dim=axes[0], keepdim=keepdims, dtype=x.dtype)
    return kept(torch.prod(flat, dim=-1, dtype=x.dtype), axes, keepdims)


def product_dtype(x: Tensor) -> torch.dtype:
    """int32 for integers and booleans, float32 for doubles."""
    return result_dtype(x.dtype) if x.is_floating_point() or x.is_complex() else torch.int32


@op
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean, as a float.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> mean([[1, 2], [3, 5]], axis=-1)
    tensor([1.5000, 4.0000])
    """
    x = as_float(x)
    axes = axes_of(axis, x.ndim)
    return torch.mean(x, dim=axes, keepdim=keepdims) if axes else x


@op
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of the squared distances from the mean.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> var([1.0, 2.0, 3.0, 4.0])
    tensor(1.2500)
    """
    x = as_float32(x)
    axes = axes_of(axis, x.ndim)
    return torch.var(x, dim=axes, correction=0, keepdim=keepdims) if axes else torch.zeros_like(x)


@op
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The square root of the variance.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> std([1.0, 1.0, 3.0, 3.0])
    tensor(1.)
    """
    x = as_float(x)
    axes = axes_of(axis, x.ndim)
    return torch.std(x, dim=axes, correction=0, keepdim=keepdims) if axes else torch.zeros_like(x)


@op
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The greatest value; NaN where there is one.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.
        initial: the least that may come out, and what comes out of nothing.

    >>> max([[1, 5], [3, 2]], axis=1)
    tensor([5, 3], dtype=torch.int32)
    """
    x = to_tensor(x)
    return _extreme(torch.amax, torch.maximum, x, axis, keepdims, initial)


@op
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The least value; NaN where there is one.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.
        initial: the greatest that may come out, and what comes out of nothing.

    >>> min([[1, 5], [3, 2]], axis=1)
    tensor([1, 2], dtype=torch.int32)
    """
    x = to_tensor(x)
    return _extreme(torch.amin, torch.minimum, x, axis, keepdims, initial)


def _extreme(reduce: Any, pick: Any, x: Tensor, axis: Axis, keepdims: bool, initial: float | None) -> Tensor:
    axes = axes_of(axis, x.ndim)
    if initial is None:
        return reduce(x, dim=axes, keepdim=keepdims) if axes else x
    start = torch.full((), initial, dtype=x.dtype, device=x.device)
    if 0 in [x.shape[a] for a in axes]:
        shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keepdims or a not in axes]
        return start.expand(shape).clone()
    return pick(reduce(x, dim=axes, keepdim=keepdims) if axes else x, start)


@op
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `max`.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> amax([1.0, 5.0])
    tensor(5.)
    """
    return _extreme(torch.amax, torch.maximum, to_tensor(x), axis, keepdims, None)


@op
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `min`.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> amin([1.0, 5.0])
    tensor(1.)
    """
    return _extreme(torch.amin, torch.minimum, to_tensor(x), axis, keepdims, None)


@op
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Peak to peak: the greatest value less the least.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> ptp([1.0, 5.0, 3.0])
    tensor(4.)
    """
    x = to_tensor(x)
    axes = axes_of(axis, x.ndim)
    if not axes:
        return torch.zeros_like(x)
    return torch.amax(x, dim=axes, keepdim=keepdims) - torch.amin(x, dim=axes, keepdim=keepdims)


@op
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every value is true (not 0).

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> all([[1, 0], [1, 1]], axis=1)
    tensor([False,  True])
    """
    x = to_tensor(x).bool()
    axes = axes_of(axis, x.ndim)
    return torch.all(x, dim=axes, keepdim=keepdims) if axes else x


@op
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether at least one value is true (not 0).

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> any([[1, 0], [0, 0]], axis=1)
    tensor([ True, False])
    """
    x = to_tensor(x).bool()
    axes = axes_of(axis, x.ndim)
    return torch.any(x, dim=axes, keepdim=keepdims) if axes else x


@op
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """How many values are not 0, as int32.

    >>> count_nonzero([[1, 0], [1, 1]], axis=0)
    tensor([2, 1], dtype=torch.int32)
    """
    x = to_tensor(x) != 0
    axes = axes_of(axis, x.ndim)
    return torch.sum(x, dim=axes, dtype=torch.int32) if axes else x.int()


@op
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The place of the first greatest value, as int32; in the flattened tensor when `axis` is ``None``.

    Args:
        x: tensor.
        axis: the axis along which places are counted.
        keepdims: whether the axis stays, with size 1.

    >>> argmax([[1, 5], [3, 2]], axis=1)
    tensor([1, 0], dtype=torch.int32)
    """
    return place(torch.argmax, to_tensor(x), axis, keepdims)


@op
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The place of the first least value, as int32; in the flattened tensor when `axis` is ``None``.

    Args:
        x: tensor.
        axis: the axis along which places are counted.
        keepdims: whether the axis stays, with size 1.

    >>> argmin([[1, 5], [3, 2]], axis=1)
    tensor([0, 1], dtype=torch.int32)
    """
    return place(torch.argmin, to_tensor(x), axis, keepdims)


def place(search: Any, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    """Run `torch.argmax` or `torch.argmin`; booleans count as numbers."""
    x = x.to(torch.uint8) if x.dtype == torch.bool else x
    found = search(x, dim=axis, keepdim=keepdims and axis is not None)
    return (found.reshape((1,) * x.ndim) if keepdims and axis is None else found).int()
