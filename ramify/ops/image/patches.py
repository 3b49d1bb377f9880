"""Patches: small windows of images and volumes, each laid out as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F

from ramify.errors import ShapeError
from ramify.image_format import checked_choice, checked_data_format, per_axis
from ramify.ops.nn.padding import same_pads
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

Sizes = int | Sequence[int]


def _patches(
    x: Any, rank: int, size: Sizes, strides: Sizes | None, dilation: Sizes, padding: str, data_format: Any, who: str
) -> Tensor:
    x = to_tensor(x)
    if x.ndim not in {rank + 1, rank + 2}:
        raise ShapeError(f"{who} takes {rank + 1} axes, or {rank + 2} with a batch, but received {tuple(x.shape)}.")
    single, last = x.ndim == rank + 1, checked_data_format(data_format, who) == "channels_last"
    x = x.unsqueeze(0) if single else x
    x = x if last else x.movedim(1, -1)
    window = per_axis(size, rank, f"{who}: size")
    taps = per_axis(dilation, rank, f"{who}: dilation_rate")
    steps = window if strides is None else per_axis(strides, rank, f"{who}: strides")
    reach = tuple((k - 1) * d + 1 for k, d in zip(window, taps, strict=True))
    if checked_choice(padding, ("valid", "same"), f"{who}: padding") == "same":
        pads = same_pads(x.shape[1:-1], reach, steps)
        x = F.pad(x, (0, 0, *(n for pair in reversed(pads) for n in pair)))
    for axis, (far, step, tap) in enumerate(zip(reach, steps, taps, strict=True), start=1):
        x = x.unfold(axis, far, step)[..., ::tap]
    # (batch, places..., channels, window...) -> (batch, places..., window and channels)
    x = x.movedim(rank + 1, -1).flatten(rank + 1)
    x = x if last else x.movedim(-1, 1)
    return x.squeeze(0) if single else x


@op
def extract_patches(
    images: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The windows of images, each as one vector of pixels, row by row, channels last.

    Args:
        images: images, with or without a batch axis.
        size: height and width of a window, or one number.
        strides: how far it moves; its size when not given, so that windows tile the image.
        dilation_rate: distance between its taps.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of shape ``(batch, rows, columns, height * width * channels)``.

    >>> import torch
    >>> extract_patches(torch.ones(2, 8, 9, 3), 3).shape
    torch.Size([2, 2, 3, 27])
    """
    return _patches(images, 2, size, strides, dilation_rate, padding, data_format, "extract_patches")


@op
def extract_patches_3d(
    volumes: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The windows of volumes, each as one vector; arguments as in `extract_patches`, with a depth before the height.

    >>> import torch
    >>> extract_patches_3d(torch.ones(1, 4, 4, 4, 2), 2).shape
    torch.Size([1, 2, 2, 2, 16])
    """
    return _patches(volumes, 3, size, strides, dilation_rate, padding, data_format, "extract_patches_3d")
