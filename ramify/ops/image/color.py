"""Between colour spaces."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ShapeError
from ramify.ops.image.layout import as_float, as_was, channels_last, refuse_whole
from ramify.ops.op import op

Tensor = torch.Tensor


def _three(x: Tensor, who: str) -> tuple[Tensor, ...]:
    if x.shape[-1] != 3:
        raise ShapeError(f"{who} takes images of three channels, but received {x.shape[-1]}.")
    return x.unbind(-1)


@op
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """The brightness of colours, ``0.2989 r + 0.5870 g + 0.1140 b`` (ITU-R BT.601).

    Args:
        images: images of one or three channels, with or without a batch axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        Images of one channel and of the same dtype.

    >>> rgb_to_grayscale(torch.ones(2, 4, 4, 3)).shape
    torch.Size([2, 4, 4, 1])
    """
    x, back = channels_last(images, data_format, "rgb_to_grayscale")
    if x.shape[-1] == 1:
        return back(x)
    red, green, blue = (as_float(channel) for channel in _three(x, "rgb_to_grayscale"))
    gray = 0.2989 * red + 0.5870 * green + 0.1140 * blue
    return back((gray if x.is_floating_point() else gray.trunc()).to(x.dtype).unsqueeze(-1))


@op
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value.

    Source: Smith, 1978, "Color gamut transform pairs", SIGGRAPH.

    Args:
        images: float images of three channels from 0 to 1, with or without a batch axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of the same shape and dtype, from 0 to 1.

    >>> rgb_to_hsv(torch.tensor([[[0.0, 1.0, 0.0]]])).flatten()
    tensor([0.3333, 1.0000, 1.0000])
    """
    x, back = channels_last(images, data_format, "rgb_to_hsv")
    refuse_whole(x, "rgb_to_hsv")
    red, green, blue = _three(as_float(x), "rgb_to_hsv")
    value, least = torch.maximum(torch.maximum(red, green), blue), torch.minimum(torch.minimum(red, green), blue)
    spread = value - least
    safe = torch.where(spread > 0, spread, 1.0)
    hue = torch.where(
        red == value,
        (green - blue) / safe,
        torch.where(green == value, (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )
    hue = torch.where(spread > 0, torch.remainder(hue / 6.0, 1.0), 0.0)
    saturation = torch.where(value > 0, spread / torch.where(value > 0, value, 1.0), 0.0)
    return back(as_was(torch.stack([hue, saturation, value], -1), x.dtype))


@op
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """The inverse of `rgb_to_hsv`; arguments as there.

    >>> hsv_to_rgb(torch.tensor([[[0.5, 1.0, 1.0]]])).flatten()
    tensor([0., 1., 1.])
    """
    x, back = channels_last(images, data_format, "hsv_to_rgb")
    refuse_whole(x, "hsv_to_rgb")
    hue, saturation, value = _three(as_float(x), "hsv_to_rgb")
    turn = hue * 6.0
    # One wave, shifted by a third of a turn for each colour.
    waves = ((turn - 3.0).abs() - 1.0, 2.0 - (turn - 2.0).abs(), 2.0 - (turn - 4.0).abs())
    colours = [(1.0 - saturation + saturation * wave.clamp(0.0, 1.0)) * value for wave in waves]
    return back(as_was(torch.stack(colours, -1), x.dtype))
