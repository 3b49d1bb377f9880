"""`RandomColorDegeneration`: colours fade to grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image import color
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomColorDegeneration(ImageLayer):
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

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomColorDegeneration: factor")
        self.value_range = value_range_of(value_range, "RandomColorDegeneration")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The share of grey in each image, ``(batch, 1, 1, 1)``."""
        return {"factor": self.draws(data, seed).factors(self.factor)} if training else None

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, paler."""
        del training
        if transformation is None:
            return images
        color.check_rgb(images, self.channel_axis, self.describe())
        share = per_image(transformation["factor"]).to(images.dtype)
        return torch.lerp(images, color.grey(images, self.channel_axis), share).clamp(*self.value_range)
