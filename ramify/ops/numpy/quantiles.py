"""Medians, quantiles and percentiles, by sorting: no limit of size, and gradients flow to the neighbours."""

from __future__ import annotations

import math

import torch

from ramify.errors import ArgumentError
from ramify.ops.numpy.reductions import Axis, flat_axes
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float32, to_tensor

__all__ = ["median", "nanpercentile", "nanquantile", "percentile", "quantile"]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantiles(x: TensorLike, q: TensorLike, axis: Axis, method: str, keepdims: bool, skip_nan: bool = False) -> Tensor:
    """Quantiles of the values along some axes; the axes of `q` come first in the result."""
    if method not in _METHODS:
        raise ArgumentError(f"method={method!r} is not known. Use one of {', '.join(map(repr, _METHODS))}.")
    x = as_float32(x)
    q = to_tensor(q, device=x.device)
    flat, axes = flat_axes(x, axis)
    ordered = torch.sort(flat, dim=-1).values  # NaN come last
    missing = torch.isnan(flat)
    count = (~missing).sum(-1) if skip_nan else torch.full((), flat.shape[-1], device=x.device)
    place = q.double().reshape(-1, *[1] * (flat.ndim - 1)) * (count - 1).clamp(min=0)
    place = place.expand(-1, *flat.shape[:-1])
    if method == "nearest":
        place = torch.round(place)
    low, high = torch.floor(place), torch.ceil(place)
    share = {"lower": 0.0, "higher": 1.0, "midpoint": 0.5}.get(method)
    weight = (place - low).to(x.dtype) if share is None else torch.where(low == high, 0.0, share).to(x.dtype)
    ordered = ordered.expand(place.shape[0], *ordered.shape)
    below = ordered.gather(-1, low.long().unsqueeze(-1)).squeeze(-1)
    above = ordered.gather(-1, high.long().unsqueeze(-1)).squeeze(-1)
    result = torch.lerp(below, above, weight)
    if not skip_nan:
        result = torch.where(missing.any(-1), math.nan, result)
    result = result.reshape((*q.shape, *result.shape[1:]))
    if keepdims:
        for a in sorted(axes):
            result = result.unsqueeze(a + q.ndim)
    return result


@op
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The middle value; of an even number of values the mean of the two in the middle.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        keepdims: whether they stay, with size 1.

    >>> median([4.0, 1.0, 2.0, 9.0])
    tensor(3.)
    """
    return quantiles(x, 0.5, axis, "midpoint", keepdims)


@op
def quantile(x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """Values below which given fractions of the values lie.

    Args:
        x: tensor; integers count as floats, doubles as float32.
        q: fractions in [0, 1], of any shape; its axes come first in the result.
        axis: axis or axes; all when ``None``.
        method: between two values: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ArgumentError: an unknown method.

    >>> quantile([1.0, 2.0, 3.0], 0.25)
    tensor(1.5000)
    """
    return quantiles(x, q, axis, method, keepdims)


@op
def percentile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Values below which given percentages of the values lie.

    Args:
        x: tensor; integers count as floats, doubles as float32.
        q: percentages in [0, 100], of any shape; its axes come first in the result.
        axis: axis or axes; all when ``None``.
        method: between two values: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ArgumentError: an unknown method.

    >>> percentile([1.0, 2.0, 3.0], 25)
    tensor(1.5000)
    """
    return quantiles(x, to_tensor(q).double() / 100, axis, method, keepdims)


@op
def nanquantile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Values below which given fractions of the values lie; NaN are left out.

    Args:
        x: tensor; integers count as floats, doubles as float32.
        q: fractions in [0, 1], of any shape; its axes come first in the result.
        axis: axis or axes; all when ``None``.
        method: between two values: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ArgumentError: an unknown method.

    >>> nanquantile([1.0, 2.0, float("nan"), 3.0], 0.25)
    tensor(1.5000)
    """
    return quantiles(x, q, axis, method, keepdims, skip_nan=True)


@op
def nanpercentile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Values below which given percentages of the values lie; NaN are left out.

    Args:
        x: tensor; integers count as floats, doubles as float32.
        q: percentages in [0, 100], of any shape; its axes come first in the result.
        axis: axis or axes; all when ``None``.
        method: between two values: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ArgumentError: an unknown method.

    >>> nanpercentile([1.0, 2.0, float("nan"), 3.0], 25)
    tensor(1.5000)
    """
    return quantiles(x, to_tensor(q).double() / 100, axis, method, keepdims, skip_nan=True)
