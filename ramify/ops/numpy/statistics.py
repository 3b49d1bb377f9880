"""Means, medians, quantiles and correlations.

Quantiles are found by sorting: there is no limit of size, and gradients flow to the neighbours.
"""

from __future__ import annotations

import math

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.ops.numpy.reductions import Axis, flat_axes
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, as_float32, axes_of, kind, result_dtype, to_tensor

__all__ = ["average", "corrcoef", "median", "nanpercentile", "nanquantile", "percentile", "quantile"]

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


@op
def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None) -> Tensor:
    """The mean in which values count by their weights.

    Args:
        x: tensor.
        axis: axis or axes; all when ``None``.
        weights: of the shape of `x`, or of one axis along `axis`; all alike when ``None``.

    Raises:
        ShapeError: weights of another shape.

    >>> average([1.0, 3.0], weights=[3, 1])
    tensor(1.5000)
    """
    kinds = [kind(x), float] if weights is None else [kind(x), kind(weights), float]
    dtype = result_dtype(*kinds)
    x = to_tensor(x, dtype)
    axes = axes_of(axis, x.ndim)
    if not axes:
        return x
    if weights is None:
        return torch.mean(x, dim=axes)
    weight = to_tensor(weights, device=x.device).to(dtype)
    if weight.shape != x.shape:
        if weight.ndim != 1 or len(axes) != 1 or weight.shape[0] != x.shape[axes[0]]:
            raise ShapeError(
                f"`average` got weights of shape {tuple(weight.shape)} for a tensor of shape {tuple(x.shape)} over "
                f"axis={axis}. Give weights of the tensor's shape, or one for each place along the axis."
            )
        weight = weight.reshape([-1 if a == axes[0] else 1 for a in range(x.ndim)])
    total = torch.sum(weight.expand_as(x), dim=axes)
    return torch.sum(x * weight, dim=axes) / total


@op
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients between the rows of a matrix; int64 counts as float64.

    >>> corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = as_float(x, int64=torch.float64)
    rows = x.reshape(1, -1) if x.ndim < 2 else x
    rows = rows - rows.mean(dim=1, keepdim=True)
    products = rows @ rows.mH  # torch.corrcoef looks at numbers on its way, which symbolic tensors have not
    spread = torch.sqrt(torch.diagonal(products).real)
    result = products / spread[:, None] / spread
    result = result if x.is_complex() else torch.clamp(result, -1, 1)
    return result.reshape(()) if x.ndim < 2 else result
