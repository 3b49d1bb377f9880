"""Bitwise functions of integers and booleans."""

from __future__ import annotations

import torch

from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, tensors, to_tensor

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "left_shift", "right_shift",
]  # fmt: skip


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
