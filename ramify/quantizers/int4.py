"""Two 4-bit numbers in a byte."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError

_KINDS = (torch.int8, torch.uint8)


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[torch.Tensor, tuple[int, ...], int]:
    """Put two neighbours along an axis into one byte: the first into the low half, the second into the high one.

    Args:
        arr: integers of `dtype`, in -8 ... 7 (0 ... 15 for ``"uint8"``).
        axis: the axis to halve; an odd one is filled up with a 0.
        dtype: ``"int8"`` or ``"uint8"``, of the input and of the bytes.

    Returns:
        The bytes, their shape, and how many numbers there were along the axis.

    Raises:
        ArgumentError: another dtype.

    Example:

    >>> pack_int4(torch.tensor([[-3, 7], [2, -8], [1, 0]], dtype=torch.int8))[0].tolist()
    [[45, -121], [1, 0]]
    """
    numbers, kind = _checked(arr, dtype)
    numbers = numbers.movedim(axis, 0)
    length = numbers.shape[0]
    if length % 2:
        numbers = torch.cat([numbers, torch.zeros_like(numbers[:1])])
    low, high = numbers[::2].to(torch.int16) & 15, numbers[1::2].to(torch.int16) & 15
    packed = (low | (high << 4)).to(torch.uint8).view(kind).movedim(0, axis).contiguous()
    return packed, tuple(packed.shape), length


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> torch.Tensor:
    """The numbers that `pack_int4` put into bytes.

    Args:
        packed: the bytes.
        orig_len: how many numbers there were along the axis.
        axis: the axis that was halved.
        dtype: ``"int8"``: numbers in -8 ... 7; ``"uint8"``: in 0 ... 15.

    Raises:
        ArgumentError: another dtype.

    Example:

    >>> unpack_int4(torch.tensor([[45, -121], [1, 0]], dtype=torch.int8), 3).tolist()
    [[-3, 7], [2, -8], [1, 0]]
    """
    numbers, kind = _checked(packed, dtype)
    halves = numbers.movedim(axis, 0).view(torch.uint8)
    low, high = halves & 15, halves >> 4
    both = torch.stack([low, high], 1).flatten(0, 1)[:orig_len].view(torch.int8)
    signed = ((both ^ 8) - 8) if kind is torch.int8 else both.view(torch.uint8)
    return signed.movedim(0, axis)


def _checked(arr: Any, dtype: str) -> tuple[torch.Tensor, torch.dtype]:
    kind, numbers = dtypes.to_torch(dtype), torch.as_tensor(arr)
    if kind not in _KINDS or numbers.dtype is not kind:
        raise ArgumentError(
            f"4-bit numbers are held in int8 or uint8, but received dtype={dtype!r} for a tensor of {numbers.dtype}. "
            "Cast the tensor, and pass its dtype."
        )
    return numbers, kind
