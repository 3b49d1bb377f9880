"""Reductions that take NaN for a missing value; `axis` and `keepdims` as in `reductions`."""

from __future__ import annotations

import math
from typing import Any

import torch

from ramify.ops.numpy.reductions import Axis, place, prod, summable
from ramify.ops.numpy.scans import cumprod, cumsum
from ramify.ops.numpy.statistics import quantiles
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float32, axes_of, to_tensor

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanprod",
    "nanstd", "nansum", "nanvar",
]  # fmt: skip


def _filled(x: TensorLike, value: float) -> Tensor:
    x = to_tensor(x)
    return torch.where(torch.isnan(x), value, x) if x.is_floating_point() else x


@op
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of what is not NaN.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nansum([1.0, float("nan"), 2.0])
    tensor(3.)
    """
    x = summable(x)
    axes = axes_of(axis, x.ndim)
    if not x.is_floating_point():
        return torch.sum(x, dim=axes, keepdim=keepdims, dtype=x.dtype) if axes else x
    return torch.nansum(x, dim=axes, keepdim=keepdims) if axes else _filled(x, 0.0)


@op
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product of what is not NaN.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanprod([3.0, float("nan"), 2.0])
    tensor(6.)
    """
    return prod(_filled(x, 1.0), axis, keepdims)


@op
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of what is not NaN; NaN where nothing is left.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanmean([1.0, float("nan"), 2.0])
    tensor(1.5000)
    """
    x = as_float32(x)
    axes = axes_of(axis, x.ndim)
    return torch.nanmean(x, dim=axes, keepdim=keepdims) if axes else x


@op
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance of what is not NaN; NaN where nothing is left.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanvar([1.0, float("nan"), 3.0])
    tensor(1.)
    """
    x = as_float32(x)
    axes = axes_of(axis, x.ndim)
    distance = x - nanmean(x, axes, keepdims=True)
    return nanmean(distance * distance, axes, keepdims)


@op
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of what is not NaN; NaN where nothing is left.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanstd([1.0, float("nan"), 3.0])
    tensor(1.)
    """
    return torch.sqrt(nanvar(x, axis, keepdims))


@op
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The greatest value that is not NaN; NaN where nothing is left.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanmax([1.0, float("nan"), 2.0])
    tensor(2.)
    """
    return _extreme(torch.amax, -math.inf, x, axis, keepdims)


@op
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The least value that is not NaN; NaN where nothing is left.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanmin([1.0, float("nan"), 2.0])
    tensor(1.)
    """
    return _extreme(torch.amin, math.inf, x, axis, keepdims)


def _extreme(reduce: Any, worst: float, x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    x = to_tensor(x)
    axes = axes_of(axis, x.ndim)
    if not axes:
        return x
    found: Tensor = reduce(_filled(x, worst), dim=axes, keepdim=keepdims)
    if not x.is_floating_point():
        return found
    return torch.where(torch.isnan(x).all(dim=axes, keepdim=keepdims), math.nan, found)


@op
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The place of the greatest value that is not NaN, as int32; -1 where nothing is left.

    Args:
        x: tensor.
        axis: the axis along which places are counted; the flattened tensor when ``None``.
        keepdims: whether the axis stays, with size 1.

    >>> nanargmax([1.0, float("nan"), 2.0])
    tensor(2, dtype=torch.int32)
    """
    return _place(torch.argmax, -math.inf, x, axis, keepdims)


@op
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The place of the least value that is not NaN, as int32; -1 where nothing is left.

    Args:
        x: tensor.
        axis: the axis along which places are counted; the flattened tensor when ``None``.
        keepdims: whether the axis stays, with size 1.

    >>> nanargmin([1.0, float("nan"), 2.0])
    tensor(0, dtype=torch.int32)
    """
    return _place(torch.argmin, math.inf, x, axis, keepdims)


def _place(search: Any, worst: float, x: TensorLike, axis: int | None, keepdims: bool) -> Tensor:
    x = to_tensor(x)
    found = place(search, _filled(x, worst), axis, keepdims)
    if not x.is_floating_point():
        return found
    return torch.where(torch.isnan(x).all(dim=axes_of(axis, x.ndim), keepdim=keepdims), -1, found)


@op
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums with NaN as 0; dtypes as in `cumsum`.

    Args:
        x: tensor.
        axis: the axis to run along; the flattened tensor when ``None``.
        dtype: of the result.

    >>> nancumsum([1.0, float("nan"), 2.0])
    tensor([1., 1., 3.])
    """
    return cumsum(_filled(x, 0.0), axis, dtype)


@op
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products with NaN as 1; dtypes as in `cumprod`.

    Args:
        x: tensor.
        axis: the axis to run along; the flattened tensor when ``None``.
        dtype: of the result.

    >>> nancumprod([3.0, float("nan"), 2.0])
    tensor([3., 3., 6.])
    """
    return cumprod(_filled(x, 1.0), axis, dtype)


@op
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The median of what is not NaN; NaN where nothing is left.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> nanmedian([1.0, float("nan"), 2.0])
    tensor(1.5000)
    """
    return quantiles(x, 0.5, axis, "midpoint", keepdims, skip_nan=True)
