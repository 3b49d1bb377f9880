"""Window functions of signal processing, symmetric ones, as float tensors of M points."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ramify import dtypes
from ramify.ops.op import op
from ramify.promotion import Tensor

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _window(make: Callable[..., Tensor], points: int, **options: float) -> Tensor:
    return make(int(points), periodic=False, dtype=dtypes.to_torch(None), **options)


@op
def bartlett(x: int) -> Tensor:
    """The triangle that ends at 0; `x` is the number of points.

    >>> bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window(torch.bartlett_window, x)


@op
def blackman(x: int) -> Tensor:
    """0.42 - 0.5 cos + 0.08 cos of the double angle; `x` is the number of points.

    >>> blackman(3).shape
    torch.Size([3])
    """
    return _window(torch.blackman_window, x)


@op
def hamming(x: int) -> Tensor:
    """0.54 - 0.46 cos; `x` is the number of points.

    >>> hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return _window(torch.hamming_window, x)


@op
def hanning(x: int) -> Tensor:
    """0.5 - 0.5 cos, which ends at 0; `x` is the number of points.

    >>> hanning(3)
    tensor([0., 1., 0.])
    """
    return _window(torch.hann_window, x)


@op
def kaiser(x: int, beta: float) -> Tensor:
    """The Kaiser window, a quotient of Bessel functions.

    Args:
        x: number of points.
        beta: shape; 0 is a rectangle, greater values are narrower.

    >>> kaiser(3, 0.0)
    tensor([1., 1., 1.])
    """
    return _window(torch.kaiser_window, x, beta=float(beta))
