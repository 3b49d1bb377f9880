"""`RandomHue`: colours go round the colour wheel."""

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
class RandomHue(ImageLayer):
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

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomHue: factor", low=0.0)
        self.value_range = value_range_of(value_range, "RandomHue")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What to add to the hue of each image, in whole turns, ``(batch,)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        return {"factor": draws.uniform((draws.count,), *self.factor) * draws.signs((draws.count,)) * 0.5}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images in other colours."""
        del training
        if transformation is None:
            return images
        axis = self.channel_axis
        color.check_rgb(images, axis, self.describe())
        values = rescaled(images, self.value_range, (0, 1)).to(torch.float32)
        hue, saturation, value = color.to_hsv(values, axis)
        hue = (hue + per_image(transformation["factor"])).remainder(1.0)
        values = color.from_hsv(hue, saturation, value, axis).clamp(0, 1)
        return rescaled(values, (0, 1), self.value_range).to(images.dtype)
