"""Weighted means and correlations."""

from __future__ import annotations

import torch

from ramify.errors import ShapeError
from ramify.ops.numpy.reductions import Axis
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, axes_of, kind, result_dtype, to_tensor

__all__ = ["average", "corrcoef"]


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
