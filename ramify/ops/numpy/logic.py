"""Comparisons and logic, of values and of their bits."""

from __future__ import annotations

import torch

from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, promoted, tensors, to_tensor, unified

__all__ = [
    "allclose", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "equal", "greater", "greater_equal", "isclose", "isfinite", "isin", "isinf",
    "isnan", "isneginf", "isposinf", "isreal", "left_shift", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "not_equal", "right_shift", "signbit",
]  # fmt: skip


@op
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where x1 is equal to x2.

    >>> equal([1, 2], 2)
    tensor([False,  True])
    """
    a, b = promoted(x1, x2)
    return a == b


@op
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where x1 differs from x2.

    >>> not_equal([1, 2], 2)
    tensor([ True, False])
    """
    a, b = promoted(x1, x2)
    return a != b


@op
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where x1 is greater than x2.

    >>> greater([1, 2], 2)
    tensor([False, False])
    """
    a, b = promoted(x1, x2)
    return a > b


@op
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where x1 is at least x2.

    >>> greater_equal([1, 2], 2)
    tensor([False,  True])
    """
    a, b = promoted(x1, x2)
    return a >= b


@op
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where x1 is less than x2.

    >>> less([1, 2], 2)
    tensor([ True, False])
    """
    a, b = promoted(x1, x2)
    return a < b


@op
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where x1 is at most x2.

    >>> less_equal([1, 2], 2)
    tensor([True, True])
    """
    a, b = promoted(x1, x2)
    return a <= b


@op
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where both are true; every number but 0 counts as true.

    >>> logical_and([1, 0], [True, False])
    tensor([ True, False])
    """
    return torch.logical_and(*tensors(x1, x2))


@op
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where at least one is true; every number but 0 counts as true.

    >>> logical_or([1, 0], [True, True])
    tensor([True, True])
    """
    return torch.logical_or(*tensors(x1, x2))


@op
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where exactly one is true; every number but 0 counts as true.

    >>> logical_xor([1, 0], [True, True])
    tensor([False,  True])
    """
    return torch.logical_xor(*tensors(x1, x2))


@op
def logical_not(x: TensorLike) -> Tensor:
    """Where x is false (0).

    >>> logical_not([1, 0])
    tensor([False,  True])
    """
    return torch.logical_not(to_tensor(x))


@op
def isnan(x: TensorLike) -> Tensor:
    """Where x is NaN.

    >>> isnan([float("nan"), 1.0])
    tensor([ True, False])
    """
    return torch.isnan(to_tensor(x))


@op
def isinf(x: TensorLike) -> Tensor:
    """Where x is infinite.

    >>> isinf([float("inf"), 1.0])
    tensor([ True, False])
    """
    return torch.isinf(to_tensor(x))


@op
def isfinite(x: TensorLike) -> Tensor:
    """Where x is neither infinite nor NaN.

    >>> isfinite([float("inf"), 1.0])
    tensor([False,  True])
    """
    return torch.isfinite(to_tensor(x))


@op
def isposinf(x: TensorLike) -> Tensor:
    """Where x is +∞.

    >>> isposinf([float("inf"), 1.0])
    tensor([ True, False])
    """
    return torch.isposinf(to_tensor(x))


@op
def isneginf(x: TensorLike) -> Tensor:
    """Where x is -∞.

    >>> isneginf([float("-inf"), 1.0])
    tensor([ True, False])
    """
    return torch.isneginf(to_tensor(x))


@op
def isreal(x: TensorLike) -> Tensor:
    """Where x has no imaginary part.

    >>> isreal([1.0, 2.0])
    tensor([True, True])
    """
    return torch.isreal(to_tensor(x))


@op
def signbit(x: TensorLike) -> Tensor:
    """Where the sign bit is set: negative numbers and -0.0.

    >>> signbit([-1.0, 1.0])
    tensor([ True, False])
    """
    return torch.signbit(to_tensor(x))


@op
def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where ``|x1 - x2| <= atol + rtol * |x2|``.

    Args:
        x1: first tensor.
        x2: second tensor; broadcasts against the first.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether NaN counts as close to NaN.

    >>> isclose([1.0, 2.0], [1.0, 2.1])
    tensor([ True, False])
    """
    return torch.isclose(*unified(x1, x2), rtol=rtol, atol=atol, equal_nan=equal_nan)


@op
def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether `isclose` holds everywhere, as a tensor without axes.

    Args:
        x1: first tensor.
        x2: second tensor; broadcasts against the first.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether NaN counts as close to NaN.

    >>> allclose([1.0, 2.0], [1.0, 2.0])
    tensor(True)
    """
    return torch.isclose(*unified(x1, x2), rtol=rtol, atol=atol, equal_nan=equal_nan).all()


@op
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Where an element of x1 is among those of x2.

    Args:
        x1: what is looked for; gives the shape.
        x2: where it is looked for, of any shape.
        assume_unique: promise that neither repeats a value, which can be faster.
        invert: answer where it is not.

    >>> isin([1, 2, 3], [3, 1])
    tensor([ True, False,  True])
    """
    a, b = unified(x1, x2)
    if a.dtype == torch.bool:  # torch has no kernel for these
        a, b = a.int(), b.int()
    return torch.isin(a, b, assume_unique=assume_unique, invert=invert)


@op
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that both have.

    >>> bitwise_and(6, 3)
    tensor(2, dtype=torch.int32)
    """
    return torch.bitwise_and(*tensors(x, y))


@op
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that at least one has.

    >>> bitwise_or(6, 3)
    tensor(7, dtype=torch.int32)
    """
    return torch.bitwise_or(*tensors(x, y))


@op
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that exactly one has.

    >>> bitwise_xor(6, 3)
    tensor(5, dtype=torch.int32)
    """
    return torch.bitwise_xor(*tensors(x, y))


@op
def bitwise_invert(x: TensorLike) -> Tensor:
    """Every bit turned over; of a boolean its opposite.

    >>> bitwise_invert(5)
    tensor(-6, dtype=torch.int32)
    """
    return torch.bitwise_not(to_tensor(x))


@op
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits of x moved up by y places.

    >>> bitwise_left_shift(3, 2)
    tensor(12, dtype=torch.int32)
    """
    return torch.bitwise_left_shift(*tensors(x, y))


@op
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits of x moved down by y places; the sign stays.

    >>> bitwise_right_shift(-8, 1)
    tensor(-4, dtype=torch.int32)
    """
    return torch.bitwise_right_shift(*tensors(x, y))


bitwise_not = bitwise_invert
left_shift = bitwise_left_shift
right_shift = bitwise_right_shift
