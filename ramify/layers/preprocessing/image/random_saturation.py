"""`RandomSaturation`: colours grow stronger or paler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image import color
from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomSaturation(ImageLayer):
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

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomSaturation: factor")
        self.value_range = value_range_of(value_range, "RandomSaturation")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The factor of each image's saturation, ``(batch,)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        share = draws.uniform((draws.count,), *self.factor)
        return {"factor": share / (1 - share).clamp_(min=1e-7)}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images in stronger or paler colours."""
        del training
        if transformation is None:
            return images
        axis = self.channel_axis
        color.check_rgb(images, axis, self.describe())
        values = rescaled(images, self.value_range, (0, 1)).to(torch.float32)
        hue, saturation, value = color.to_hsv(values, axis)
        saturation = (saturation * per_image(transformation["factor"])).clamp(0, 1)
        values = color.from_hsv(hue, saturation, value, axis)
        return rescaled(values, (0, 1), self.value_range).to(images.dtype)
