"""Functions of two tensors that broadcast against each other, element by element."""

from __future__ import annotations

import torch

from ramify.errors import ArgumentError
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, as_float, common, promoted, tensors, unified

__all__ = [
    "add", "divide", "divide_no_nan", "floor_divide", "fmax", "fmin", "fmod", "gcd", "heaviside", "lcm", "ldexp",
    "logaddexp", "logaddexp2", "maximum", "minimum", "mod", "multiply", "nextafter", "power", "subtract", "true_divide",
]  # fmt: skip


@op
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 + x2.

    >>> add([1.0, 2.0], 1)
    tensor([2., 3.])
    """
    a, b = promoted(x1, x2)
    return a + b


@op
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - x2.

    >>> subtract([1.0, 2.0], 1)
    tensor([0., 1.])
    """
    a, b = promoted(x1, x2)
    if _is_bool(a) or _is_bool(b):  # torch does not subtract booleans
        a, b = common(tensors(a, b))
    return a - b


def _is_bool(x: Tensor | float) -> bool:
    return x.dtype == torch.bool if isinstance(x, Tensor) else isinstance(x, bool)


@op
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 · x2.

    >>> multiply([1.0, 2.0], 3)
    tensor([3., 6.])
    """
    a, b = promoted(x1, x2)
    return a * b


@op
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2 as a float; ±∞ or NaN where x2 is 0.

    >>> divide(1, 4)
    tensor(0.2500)
    """
    a, b = promoted(x1, x2)
    return a / b


@op
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2 as a float, and 0 where x2 is 0; so are the gradients there.

    >>> divide_no_nan([1.0, 2.0], [0.0, 4.0])
    tensor([0.0000, 0.5000])
    """
    a, b = unified(x1, x2, floating=True)
    zero = b == 0
    return torch.where(zero, 0, a / torch.where(zero, 1, b))


@op
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotient rounded down.

    >>> floor_divide(-7, 2)
    tensor(-4, dtype=torch.int32)
    """
    return torch.floor_divide(*unified(x1, x2))


@op
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of `floor_divide`: it has the sign of `x2`. Booleans become int32.

    >>> mod(-7, 3)
    tensor(2, dtype=torch.int32)
    """
    a, b = _not_both_bool(x1, x2)
    return torch.remainder(a, b)


@op
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of the division rounded towards 0: it has the sign of `x1`. Booleans become int32.

    >>> fmod(-7, 3)
    tensor(-1, dtype=torch.int32)
    """
    a, b = _not_both_bool(x1, x2)
    return torch.fmod(a, b)


@op
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 to the power x2. Booleans become int32.

    >>> power(2.0, 3)
    tensor(8.)
    """
    if isinstance(x1, Tensor) and isinstance(x2, (int, float)) and x1.dtype != torch.bool:
        a, b = promoted(x1, x2)
        return torch.pow(a, b)
    a, b = _not_both_bool(x1, x2)
    return torch.pow(a, b)


def _not_both_bool(x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    a, b = tensors(x1, x2)
    return (a.int(), b.int()) if a.dtype == b.dtype == torch.bool else (a, b)


@op
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greater of two; NaN where either is NaN.

    >>> maximum([1.0, 5.0], 3)
    tensor([3., 5.])
    """
    return torch.maximum(*unified(x1, x2))


@op
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The less of two; NaN where either is NaN.

    >>> minimum([1.0, 5.0], 3)
    tensor([1., 3.])
    """
    return torch.minimum(*unified(x1, x2))


@op
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greater of two; where one is NaN, the other.

    >>> fmax(float("nan"), 3.0)
    tensor(3.)
    """
    return torch.fmax(*unified(x1, x2))


@op
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The less of two; where one is NaN, the other.

    >>> fmin(float("nan"), 3.0)
    tensor(3.)
    """
    return torch.fmin(*unified(x1, x2))


@op
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow.

    >>> logaddexp(0.0, 0.0)
    tensor(0.6931)
    """
    return torch.logaddexp(*unified(x1, x2, floating=True))


@op
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log2(2^x1 + 2^x2), without overflow.

    >>> logaddexp2(3.0, 3.0)
    tensor(4.)
    """
    return torch.logaddexp2(*unified(x1, x2, floating=True))


@op
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where x1 is negative, `x2` where it is 0, 1 where it is positive.

    >>> heaviside([-1.0, 0.0, 2.0], 0.5)
    tensor([0.0000, 0.5000, 1.0000])
    """
    a, b = tensors(x1, x2)
    return torch.heaviside(a, b) if a.dtype == b.dtype == torch.bool else torch.heaviside(*unified(x1, x2, True))


@op
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The next representable number after `x1` towards `x2`.

    >>> nextafter(0.0, 1.0) > 0
    tensor(True)
    """
    return torch.nextafter(*unified(x1, x2, floating=True))


@op
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 · 2^x2 for whole exponents `x2`.

    Raises:
        ArgumentError: exponents that are not integers.

    >>> ldexp(3.0, 2)
    tensor(12.)
    """
    a, b = tensors(x1, x2)
    if b.is_floating_point() or b.dtype == torch.bool:
        raise ArgumentError(f"`ldexp` takes whole exponents, and x2 is of dtype {b.dtype}. Use `x1 * exp2(x2)`.")
    dtype = unified(a[..., :0] if a.ndim else a, b[..., :0] if b.ndim else b, floating=True)[0].dtype
    return torch.ldexp(*torch.broadcast_tensors(as_float(a).to(dtype), b)).to(dtype)


@op
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor of integers.

    >>> gcd(12, 8)
    tensor(4, dtype=torch.int32)
    """
    return torch.gcd(*tensors(x1, x2))


@op
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple of integers.

    >>> lcm(4, 6)
    tensor(12, dtype=torch.int32)
    """
    return torch.lcm(*tensors(x1, x2))


true_divide = divide
