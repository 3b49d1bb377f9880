"""`RandomGrayscale`: some images lose their colours."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image import color
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.registry import serializable

Tensor = torch.Tensor


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

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ArgumentError(f"RandomGrayscale takes a factor from 0 to 1, a probability, but got {factor!r}.")
        self.factor = factor
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Whether each image turns grey, ``(batch, 1, 1, 1)``."""
        if not training:
            return None
        return self.draws(data, seed).factors((0.0, 1.0)) < self.factor

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, some of them grey."""
        del training
        if transformation is None:
            return images
        color.check_rgb(images, self.channel_axis, self.describe())
        return torch.where(transformation, color.grey(images, self.channel_axis).to(images.dtype), images)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments without the seed, as Keras has it."""
        config = super().get_config()
        del config["seed"]
        return config
