"""`RandomInvert`: some images become negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomInvert(ImageLayer):
    """Take the values of some images from the highest value while training.

    Args:
        factor: a number or a pair from 0 to 1: each image is inverted with a probability drawn from that range.
        value_range: the lowest and the highest value of a pixel.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, or no range.

    Example:

    >>> RandomInvert((1.0, 1.0))(torch.tensor([0.0, 55.0]).reshape(1, 2, 1)).flatten()
    tensor([255., 200.])
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomInvert: factor", low=0.0)
        self.value_range = value_range_of(value_range, "RandomInvert")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Whether to invert each image, ``(batch,)``."""
        return {"apply_inversion": self.draws(data, seed).chance(self.factor)} if training else None

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, some of them inverted."""
        del training
        if transformation is None:
            return images
        return torch.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)
