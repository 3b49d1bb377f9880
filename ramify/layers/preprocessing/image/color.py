"""Colours: grey values, and hue, saturation and value."""

from __future__ import annotations

import torch

from ramify.errors import ShapeError

Tensor = torch.Tensor
GREY = (0.2989, 0.587, 0.114)  # weights of red, green and blue, ITU-R BT.601


def check_rgb(images: Tensor, axis: int, who: str) -> None:
    """Refuse images without three channels.

    Raises:
        ShapeError: another number of channels than 3.
    """
    if images.shape[axis] != 3:
        raise ShapeError(
            f"{who} takes images with 3 channels (red, green, blue) on axis {axis}, but received shape "
            f"{tuple(images.shape)}. Check `data_format`, or repeat a single channel three times."
        )


def grey(images: Tensor, axis: int) -> Tensor:
    """The brightness of colours, with one channel."""
    red, green, blue = images.split(1, axis)
    return GREY[0] * red + GREY[1] * green + GREY[2] * blue


def to_hsv(images: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value, each from 0 to 1 and with one channel, of colours from 0 to 1.

    Source: Smith, 1978, "Color gamut transform pairs".
    """
    red, green, blue = images.split(1, axis)
    value, low = images.amax(axis, keepdim=True), images.amin(axis, keepdim=True)
    spread = value - low
    divisor = torch.where(spread > 0, spread, 1.0)
    sector = torch.where(
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    saturation = spread / torch.where(value > 0, value, 1.0)
    return (sector / 6).remainder(1.0), saturation, value


def from_hsv(hue: Tensor, saturation: Tensor, value: Tensor, axis: int) -> Tensor:
    """The inverse of `to_hsv`."""
    channels = []
    for start in (5.0, 3.0, 1.0):
        place = (start + hue * 6).remainder(6.0)
        channels.append(value - value * saturation * torch.minimum(place, 4 - place).clamp(0, 1))
    return torch.cat(channels, axis)
