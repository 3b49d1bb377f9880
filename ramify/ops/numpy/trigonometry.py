"""Circular and hyperbolic functions and their inverses; angles in radians; integers count as `floatx`."""

from __future__ import annotations

import torch

from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, unified

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cos", "cosh", "deg2rad", "hypot",
    "rad2deg", "sin", "sinh", "tan", "tanh",
]  # fmt: skip


@op
def sin(x: TensorLike) -> Tensor:
    """Sine of an angle.

    >>> sin(0.0)
    tensor(0.)
    """
    return torch.sin(as_float(x))


@op
def cos(x: TensorLike) -> Tensor:
    """Cosine of an angle.

    >>> cos(0.0)
    tensor(1.)
    """
    return torch.cos(as_float(x))


@op
def tan(x: TensorLike) -> Tensor:
    """Tangent of an angle.

    >>> tan(0.0)
    tensor(0.)
    """
    return torch.tan(as_float(x))


@op
def arcsin(x: TensorLike) -> Tensor:
    """The angle in [-π/2, π/2] of a sine.

    >>> arcsin(0.0)
    tensor(0.)
    """
    return torch.asin(as_float(x))


@op
def arccos(x: TensorLike) -> Tensor:
    """The angle in [0, π] of a cosine.

    >>> arccos(1.0)
    tensor(0.)
    """
    return torch.acos(as_float(x))


@op
def arctan(x: TensorLike) -> Tensor:
    """The angle in (-π/2, π/2) of a tangent.

    >>> arctan(0.0)
    tensor(0.)
    """
    return torch.atan(as_float(x))


@op
def sinh(x: TensorLike) -> Tensor:
    """Hyperbolic sine.

    >>> sinh(0.0)
    tensor(0.)
    """
    return torch.sinh(as_float(x))


@op
def cosh(x: TensorLike) -> Tensor:
    """Hyperbolic cosine.

    >>> cosh(0.0)
    tensor(1.)
    """
    return torch.cosh(as_float(x))


@op
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent.

    >>> tanh(0.0)
    tensor(0.)
    """
    return torch.tanh(as_float(x))


@op
def arcsinh(x: TensorLike) -> Tensor:
    """Inverse of the hyperbolic sine.

    >>> arcsinh(0.0)
    tensor(0.)
    """
    return torch.asinh(as_float(x))


@op
def arccosh(x: TensorLike) -> Tensor:
    """Inverse of the hyperbolic cosine; NaN below 1.

    >>> arccosh(1.0)
    tensor(0.)
    """
    return torch.acosh(as_float(x))


@op
def arctanh(x: TensorLike) -> Tensor:
    """Inverse of the hyperbolic tangent; NaN outside [-1, 1].

    >>> arctanh(0.0)
    tensor(0.)
    """
    return torch.atanh(as_float(x))


@op
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle in (-π, π] of the point with ordinate `x1` and abscissa `x2`.

    >>> arctan2(0.0, -1.0)
    tensor(3.1416)
    """
    return torch.atan2(*unified(x1, x2, floating=True))


@op
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The length of the hypotenuse, sqrt(x1² + x2²), without overflow between.

    >>> hypot(3.0, 4.0)
    tensor(5.)
    """
    return torch.hypot(*unified(x1, x2, floating=True))


@op
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees to radians; int64 counts as float64.

    >>> deg2rad(180.0)
    tensor(3.1416)
    """
    return torch.deg2rad(as_float(x, int64=torch.float64))


@op
def rad2deg(x: TensorLike) -> Tensor:
    """Radians to degrees; int64 counts as float64.

    >>> rad2deg(0.0)
    tensor(0.)
    """
    return torch.rad2deg(as_float(x, int64=torch.float64))
