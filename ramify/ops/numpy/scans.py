"""What runs along an axis: running sums and products, differences, the trapezoidal rule."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, result_dtype, to_tensor

__all__ = ["cumprod", "cumsum", "diff", "trapezoid"]


def _runnable(x: TensorLike, axis: int | None, dtype: Any) -> tuple[Tensor, int, torch.dtype]:
    x = to_tensor(x)
    if dtype is None:
        dtype = torch.int32 if x.dtype == torch.bool else result_dtype(x.dtype)
    return (x.reshape(-1), 0, dtypes.to_torch(dtype)) if axis is None else (x, axis, dtypes.to_torch(dtype))


@op
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums.

    Args:
        x: tensor.
        axis: the axis to run along; the flattened tensor when ``None``.
        dtype: of the result; booleans become int32 and 64-bit dtypes 32-bit ones when not given.

    >>> cumsum([1, 2, 3])
    tensor([1, 3, 6], dtype=torch.int32)
    """
    x, dim, dtype = _runnable(x, axis, dtype)
    return torch.cumsum(x, dim, dtype=dtype)


@op
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products.

    Args:
        x: tensor.
        axis: the axis to run along; the flattened tensor when ``None``.
        dtype: of the result; booleans become int32 and 64-bit dtypes 32-bit ones when not given.

    >>> cumprod([1, 2, 3])
    tensor([1, 2, 6], dtype=torch.int32)
    """
    x, dim, dtype = _runnable(x, axis, dtype)
    return torch.cumprod(x, dim, dtype=dtype)


@op
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Differences between neighbours, `n` times over; of booleans where they differ.

    Args:
        a: tensor.
        n: how many times.
        axis: the axis, which becomes shorter by `n`.

    >>> diff([1.0, 4.0, 9.0])
    tensor([3., 5.])
    """
    return torch.diff(to_tensor(a), n=n, dim=axis)


@op
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral by the trapezoidal rule.

    Args:
        y: values.
        x: where they were taken, one-dimensional or of the shape of `y`; every `dx` when ``None``.
        dx: distance between them.
        axis: the axis to integrate along.

    >>> trapezoid([1.0, 2.0, 3.0])
    tensor(4.)
    """
    y = as_float(y)
    if x is None:
        return torch.trapezoid(y, dx=dx, dim=axis)
    x = to_tensor(x, device=y.device)
    if x.ndim == 1:
        return torch.trapezoid(y.movedim(axis, -1), x, dim=-1)
    return torch.trapezoid(y, x, dim=axis)
