"""Images in another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.image_format import checked_choice, per_axis
from ramify.ops.convert import sizes_of
from ramify.ops.image.layout import as_float, as_was, channels_last
from ramify.ops.image.sampling import KERNELS, resampled
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

_METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@op
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size; pixels count as squares, whose middles are read.

    Args:
        images: images, with or without a batch axis.
        size: height and width to have.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: whether kernels grow with the reduction.
        crop_to_aspect_ratio: cut away what would change the proportions.
        pad_to_aspect_ratio: put pixels around instead.
        fill_mode: ``"constant"``, for the padding.
        fill_value: what the padding is made of.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        Images of the same dtype; whole numbers are rounded and kept in range.

    Raises:
        ArgumentError: names or sizes outside their range.

    >>> import torch
    >>> resize(torch.ones(8, 9, 3), (4, 5)).shape
    torch.Size([4, 5, 3])
    """
    wanted = per_axis(size, 2, "resize: size")
    checked_choice(interpolation, _METHODS, "resize: interpolation")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("resize takes crop_to_aspect_ratio or pad_to_aspect_ratio, not both.")
    checked_choice(fill_mode, ("constant",), "resize: fill_mode")
    x, back = channels_last(images, data_format, "resize")
    y = as_float(x).movedim(-1, 1)
    if crop_to_aspect_ratio:
        y = _cropped(y, wanted)
    if pad_to_aspect_ratio:
        y = _padded(y, wanted, fill_value)
    return back(as_was(_scaled(y, wanted, interpolation, antialias).movedim(1, -1), x.dtype))


def _scaled(x: Tensor, size: tuple[int, ...], interpolation: str, antialias: bool) -> Tensor:
    if tuple(x.shape[2:]) == size:
        return x
    if interpolation == "nearest":
        return F.interpolate(x, size, mode="nearest-exact")
    if interpolation in {"bilinear", "bicubic"}:
        # Of one column, torch 2.13 reads the wrong places where channels stand last in memory.
        x = x.contiguous() if antialias and size[1] == 1 else x
        return F.interpolate(x, size, mode=interpolation, align_corners=False, antialias=antialias)
    for axis, length in zip((2, 3), size, strict=True):
        x = resampled(x, axis, length, length / x.shape[axis], 0.0, interpolation, antialias)
    return x


def _proportioned(x: Tensor, size: tuple[int, ...]) -> tuple[int, int]:
    """Height and width at the wanted proportions if the other side stays."""
    return x.shape[3] * size[0] // size[1], x.shape[2] * size[1] // size[0]


def _cropped(x: Tensor, size: tuple[int, ...]) -> Tensor:
    height, width = (max(min(a, b), 1) for a, b in zip(_proportioned(x, size), x.shape[2:], strict=True))
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x.narrow(2, top, height).narrow(3, left, width)


def _padded(x: Tensor, size: tuple[int, ...], fill_value: float) -> Tensor:
    height, width = (max(a, b) for a, b in zip(_proportioned(x, size), x.shape[2:], strict=True))
    top, left = (height - x.shape[2]) // 2, (width - x.shape[3]) // 2  # as many after as before, as Keras has it
    return F.pad(x, (left, left, top, top), value=fill_value)


@op
def scale_and_translate(
    images: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled and moved by amounts that need not be whole; what lies outside counts as zero.

    Args:
        images: tensor of any rank.
        output_shape: shape of the result.
        scale: a factor for each of `spatial_dims`.
        translation: how far to move along each of them, in pixels of the result.
        spatial_dims: the axes that are scaled.
        method: ``"linear"`` (also ``"bilinear"``, ``"trilinear"``), ``"cubic"`` (``"bicubic"``, ``"tricubic"``),
            ``"lanczos3"`` or ``"lanczos5"``.
        antialias: whether kernels grow with the reduction.

    Returns:
        A tensor of shape `output_shape` and the dtype of `images`.

    >>> import torch
    >>> scale_and_translate(torch.ones(2, 2), (4, 4), torch.tensor([2.0, 2.0]), torch.zeros(2), (0, 1), "linear").shape
    torch.Size([4, 4])
    """
    x = to_tensor(images)
    kernel = checked_choice(method, tuple(KERNELS), "scale_and_translate: method")
    y, sizes = as_float(x), sizes_of(output_shape)
    factors, moves = to_tensor(scale, device=x.device), to_tensor(translation, device=x.device)
    for i, axis in enumerate(spatial_dims):
        y = resampled(y, axis, sizes[axis], factors[i], moves[i], kernel, antialias)
    return as_was(y, x.dtype)
