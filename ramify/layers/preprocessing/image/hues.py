"""Layers that change the colours of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image import color
from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.layers.preprocessing.image.draws import Draws, factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


class _ColorLayer(ImageLayer):
    """What the layers share that draw a factor for each image."""

    lowest = -1.0  # of the factor

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, f"{type(self).__name__}: factor", low=self.lowest)
        self.value_range = value_range_of(value_range, type(self).__name__)


@serializable("keras.layers")
class RandomHue(_ColorLayer):
    """Turn the hue of each image by an angle of its own while training.

    Args:
        factor: a number or a pair from 0 to 1, in half turns of the colour wheel, to either side.
        value_range: the lowest and the highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, or no range.
        ShapeError: images without three channels.

    Example:

    >>> RandomHue(0.0)(torch.tensor([10.0, 20.0, 30.0]).reshape(1, 1, 3)).flatten().round()
    tensor([10., 20., 30.])
    """

    lowest = 0.0

    def drawn(self, draws: Draws) -> Any:
        """What to add to the hue of each image, in whole turns, ``(batch,)``."""
        return {"factor": draws.uniform((draws.count,), *self.factor) * draws.signs((draws.count,)) * 0.5}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images in other colours."""
        axis = self.channel_axis
        color.check_rgb(images, axis, self.describe())
        values = rescaled(images, self.value_range, (0, 1)).to(torch.float32)
        hue, saturation, value = color.to_hsv(values, axis)
        hue = (hue + per_image(transformation["factor"])).remainder(1.0)
        values = color.from_hsv(hue, saturation, value, axis).clamp(0, 1)
        return rescaled(values, (0, 1), self.value_range).to(images.dtype)


@serializable("keras.layers")
class RandomSaturation(_ColorLayer):
    """Multiply the saturation of each image by a factor of its own while training.

    Args:
        factor: a number or a pair from -1 to 1. What is drawn from the range, ``f``, multiplies by ``f / (1 - f)``: 0.5
            changes nothing, 0 leaves greys, 1 makes pure colours.
        value_range: the lowest and the highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.
        ShapeError: images without three channels.

    Example:

    >>> RandomSaturation((0.0, 0.0))(torch.tensor([10.0, 20.0, 30.0]).reshape(1, 1, 3)).flatten().round()
    tensor([30., 30., 30.])
    """

    def drawn(self, draws: Draws) -> Any:
        """The factor of each image's saturation, ``(batch,)``."""
        share = draws.uniform((draws.count,), *self.factor)
        return {"factor": share / (1 - share).clamp_(min=1e-7)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images in stronger or paler colours."""
        axis = self.channel_axis
        color.check_rgb(images, axis, self.describe())
        values = rescaled(images, self.value_range, (0, 1)).to(torch.float32)
        hue, saturation, value = color.to_hsv(values, axis)
        saturation = (saturation * per_image(transformation["factor"])).clamp(0, 1)
        values = color.from_hsv(hue, saturation, value, axis)
        return rescaled(values, (0, 1), self.value_range).to(images.dtype)


@serializable("keras.layers")
class RandomGrayscale(ImageLayer):
    """Put grey values on all three channels of some images while training. Whole numbers keep their dtype.

    Args:
        factor: the probability, from 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1.
        ShapeError: images without three channels.

    Example:

    >>> RandomGrayscale(1.0)(torch.tensor([0.0, 100.0, 0.0]).reshape(1, 1, 3)).flatten()
    tensor([58.7000, 58.7000, 58.7000])
    """

    keeps_dtype = True

    left_out_of_config = ("seed",)

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        if not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ArgumentError(f"RandomGrayscale takes a factor from 0 to 1, a probability, but got {factor!r}.")
        self.factor = factor

    def drawn(self, draws: Draws) -> Any:
        """Whether each image turns grey, ``(batch, 1, 1, 1)``."""
        return draws.factors((0.0, 1.0)) < self.factor

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, some of them grey."""
        color.check_rgb(images, self.channel_axis, self.describe())
        return torch.where(transformation, color.grey(images, self.channel_axis).to(images.dtype), images)


@serializable("keras.layers")
class RandomColorDegeneration(_ColorLayer):
    """Mix each image with its grey values, in a proportion of its own, while training.

    Args:
        factor: a number or a pair from -1 to 1: the share of grey.
        value_range: the lowest and the highest value of a pixel; results end there.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.
        ShapeError: images without three channels.

    Example:

    >>> RandomColorDegeneration((1.0, 1.0))(torch.tensor([0.0, 100.0, 0.0]).reshape(1, 1, 3)).flatten()
    tensor([58.7000, 58.7000, 58.7000])
    """

    def drawn(self, draws: Draws) -> Any:
        """The share of grey in each image, ``(batch, 1, 1, 1)``."""
        return {"factor": draws.factors(self.factor)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, paler."""
        color.check_rgb(images, self.channel_axis, self.describe())
        share = per_image(transformation["factor"]).to(images.dtype)
        return torch.lerp(images, color.grey(images, self.channel_axis), share).clamp(*self.value_range)
