"""`RandomBrightness`: a number is added to all values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomBrightness(ImageLayer):
    """Add a number of its own to each image while training. Whole numbers stay whole numbers of the same dtype.

    Args:
        factor: a number or a pair from -1 to 1, in shares of the value range; a number is the range to it around zero.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.

    Example:

    >>> RandomBrightness((0.5, 0.5), value_range=(0, 1))(torch.tensor([0.0, 0.2, 0.9]).reshape(1, 3, 1)).flatten()
    tensor([0.5000, 0.7000, 1.0000])
    """

    keeps_dtype = True

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(factor, "RandomBrightness: factor")
        self.value_range = value_range_of(value_range, "RandomBrightness")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What to add to each image, ``(batch, 1, 1, 1)``."""
        if not training:
            return None
        span = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": self.draws(data, seed).factors(self.factor) * span}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, brighter or darker."""
        del training
        if transformation is None:
            return images
        delta = per_image(transformation["rgb_delta"])
        return (images + delta).clamp_(*self.value_range).to(images.dtype)
