"""What all operations on images share: one image or a batch, channels last or first, whole numbers or floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.image_format import checked_data_format
from ramify.promotion import Tensor, to_tensor


def channels_last(images: Any, data_format: str | None, who: str) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Images as a batch with channels last.

    Args:
        images: one image of three axes, or a batch of four.
        data_format: where the channels are.
        who: the operation, for messages.

    Returns:
        ``(view, back)``: the batch, and a function that brings one back into the layout that came.

    Raises:
        ShapeError: another number of axes.
    """
    x = to_tensor(images)
    if x.ndim not in {3, 4}:
        raise ShapeError(f"{who} takes an image of three axes or a batch of four, but received {tuple(x.shape)}.")
    single, last = x.ndim == 3, checked_data_format(data_format, who) == "channels_last"
    x = x.unsqueeze(0) if single else x
    x = x if last else x.movedim(1, -1)

    def back(y: Tensor) -> Tensor:
        y = y if last else y.movedim(-1, 1)
        return y.squeeze(0) if single else y

    return x, back


def as_float(x: Tensor) -> Tensor:
    """Numbers to calculate with: whole ones and half precision as float32."""
    return x if x.dtype in {torch.float32, torch.float64} else x.float()


def as_was(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Numbers in the dtype that came; rounded, and kept in range, where it is one of whole numbers."""
    if x.dtype == dtype:
        return x
    if dtype.is_floating_point:
        return x.to(dtype)
    ends = torch.iinfo(dtype)
    return x.round().clamp(ends.min, ends.max).to(dtype)


def refuse_whole(x: Tensor, who: str) -> None:
    """Refuse images of whole numbers where their range would be a guess.

    Raises:
        ArgumentError: the dtype is not a float one.
    """
    if not x.is_floating_point():
        raise ArgumentError(f"{who} takes images of a float dtype, but got {x.dtype}. Cast and scale them first.")
