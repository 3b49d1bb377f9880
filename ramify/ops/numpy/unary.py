"""Functions of one tensor, element by element; integers count as `floatx` where the result is none."""

from __future__ import annotations

import torch

from ramify.errors import ArgumentError
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, as_float32, to_tensor

__all__ = [  # noqa: RUF022 - in lines, not in a column
    "abs", "absolute", "angle", "cbrt", "ceil", "clip", "conj", "conjugate", "exp", "exp2", "expm1", "fabs", "floor",
    "i0", "imag", "log", "log10", "log1p", "log2", "nan_to_num", "negative", "real", "reciprocal", "round", "sign",
    "sinc", "sqrt", "square", "trunc",
]  # fmt: skip

_DOUBLE = torch.float64


@op
def absolute(x: TensorLike) -> Tensor:
    """Absolute value; of a complex number the modulus. The dtype stays.

    >>> absolute([-1.0, 2.0])
    tensor([1., 2.])
    """
    x = to_tensor(x)
    return x if x.dtype in (torch.bool, torch.uint8) else torch.abs(x)


@op
def fabs(x: TensorLike) -> Tensor:
    """Absolute value as a float.

    >>> fabs(-2)
    tensor(2.)
    """
    return torch.abs(as_float(x))


@op
def negative(x: TensorLike) -> Tensor:
    """The number with the opposite sign; booleans have none and are refused.

    >>> negative(2.0)
    tensor(-2.)
    """
    return torch.neg(to_tensor(x))


@op
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1; the dtype stays.

    >>> sign([-3.0, 0.0, 5.0])
    tensor([-1.,  0.,  1.])
    """
    return torch.sign(to_tensor(x))


@op
def square(x: TensorLike) -> Tensor:
    """The square; booleans become int32.

    >>> square(3.0)
    tensor(9.)
    """
    x = to_tensor(x)
    return torch.square(x.int() if x.dtype == torch.bool else x)


@op
def sqrt(x: TensorLike) -> Tensor:
    """The square root that is not negative; NaN below 0.

    >>> sqrt(9.0)
    tensor(3.)
    """
    return torch.sqrt(as_float(x))


@op
def cbrt(x: TensorLike) -> Tensor:
    """The real cube root, of negative numbers too; int64 counts as float64.

    >>> cbrt(-8.0)
    tensor(-2.)
    """
    x = as_float(x, int64=_DOUBLE)
    return torch.sign(x) * torch.pow(torch.abs(x), 1 / 3)


@op
def reciprocal(x: TensorLike) -> Tensor:
    """1 / x.

    >>> reciprocal(4.0)
    tensor(0.2500)
    """
    return torch.reciprocal(as_float(x))


@op
def exp(x: TensorLike) -> Tensor:
    """The exponential function, e to the power x.

    >>> exp(0.0)
    tensor(1.)
    """
    return torch.exp(as_float(x))


@op
def exp2(x: TensorLike) -> Tensor:
    """2 to the power x.

    >>> exp2(3.0)
    tensor(8.)
    """
    return torch.exp2(as_float(x))


@op
def expm1(x: TensorLike) -> Tensor:
    """The exponential less 1, exact near 0.

    >>> expm1(0.0)
    tensor(0.)
    """
    return torch.expm1(as_float(x))


@op
def log(x: TensorLike) -> Tensor:
    """The natural logarithm.

    >>> log(1.0)
    tensor(0.)
    """
    return torch.log(as_float(x))


@op
def log10(x: TensorLike) -> Tensor:
    """The logarithm to base 10.

    >>> log10(1000.0)
    tensor(3.)
    """
    return torch.log10(as_float(x))


@op
def log1p(x: TensorLike) -> Tensor:
    """The logarithm of 1 + x, exact near 0.

    >>> log1p(0.0)
    tensor(0.)
    """
    return torch.log1p(as_float(x))


@op
def log2(x: TensorLike) -> Tensor:
    """The logarithm to base 2.

    >>> log2(8.0)
    tensor(3.)
    """
    return torch.log2(as_float(x))


@op
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind and order 0; int64 counts as float64.

    >>> i0(0.0)
    tensor(1.0000)
    """
    return torch.i0(as_float(x, int64=_DOUBLE))


@op
def sinc(x: TensorLike) -> Tensor:
    """sin(πx) / (πx), and 1 at 0.

    >>> sinc(0.0)
    tensor(1.)
    """
    return torch.sinc(as_float(x))


@op
def ceil(x: TensorLike) -> Tensor:
    """The next whole number at or above, as a float.

    >>> ceil(1.2)
    tensor(2.)
    """
    return torch.ceil(as_float32(x))


@op
def floor(x: TensorLike) -> Tensor:
    """The next whole number at or below, as a float.

    >>> floor(-1.2)
    tensor(-2.)
    """
    return torch.floor(as_float32(x))


@op
def trunc(x: TensorLike) -> Tensor:
    """The whole part, towards 0; the dtype stays.

    >>> trunc(-1.7)
    tensor(-1.)
    """
    x = to_tensor(x)
    return x if x.dtype == torch.bool else torch.trunc(x)


@op
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Round to a number of decimals, halves to the even neighbour; the dtype stays.

    Args:
        x: tensor.
        decimals: places after the point; negative ones count before it.

    >>> round([0.5, 1.5, 2.46]), round(2.46, decimals=1)
    (tensor([0., 2., 2.]), tensor(2.5000))
    """
    x = to_tensor(x)
    if x.dtype == torch.bool:
        return x
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    return x if decimals >= 0 else torch.round(x.double(), decimals=decimals).to(x.dtype)


@op
def real(x: TensorLike) -> Tensor:
    """The real part.

    >>> real(1 + 2j)
    tensor(1.)
    """
    return torch.real(to_tensor(x))


@op
def imag(x: TensorLike) -> Tensor:
    """The imaginary part; 0 for real numbers.

    >>> imag(1 + 2j), imag(3.0)
    (tensor(2.), tensor(0.))
    """
    x = to_tensor(x)
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


@op
def conjugate(x: TensorLike) -> Tensor:
    """The complex conjugate; real numbers as they are.

    >>> conjugate(1 + 2j)
    tensor(1.-2.j)
    """
    return torch.conj(to_tensor(x)).resolve_conj()


@op
def angle(x: TensorLike) -> Tensor:
    """The argument of a complex number in radians; π for negative real ones.

    >>> angle(1j)
    tensor(1.5708)
    """
    return torch.angle(as_float(x))


@op
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Put finite numbers in place of NaN and infinities.

    Args:
        x: tensor.
        nan: in place of NaN.
        posinf: in place of +∞; the greatest number of the dtype when ``None``.
        neginf: in place of -∞; the least number when ``None``.

    >>> nan_to_num([float("nan"), 1.0], nan=7.0)
    tensor([7., 1.])
    """
    return torch.nan_to_num(to_tensor(x), nan, posinf, neginf)


@op
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Limit values to ``[x_min, x_max]``; either end may be ``None`` or a tensor that broadcasts.

    >>> clip([-1.0, 0.5, 3.0], 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    x = to_tensor(x)
    if x_min is None and x_max is None:
        raise ArgumentError("`clip` was given neither x_min nor x_max. Give at least one.")
    ends = [end if end is None else to_tensor(end, device=x.device) for end in (x_min, x_max)]
    if x.dtype == torch.bool:
        x = x.int()
    if x.is_floating_point() and all(isinstance(end, (int, float, type(None))) for end in (x_min, x_max)):
        return torch.clamp(x, x_min, x_max)
    return torch.clamp(x, *ends).to(x.dtype) if x.is_floating_point() else torch.clamp(x, *ends)


abs = absolute
conj = conjugate
