"""`AutoContrast`: values spread over the whole range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class AutoContrast(ImageLayer):
    """Spread the values of each channel of each image over the whole range, in training and outside of it.

    A channel of one value only stays as it is.

    Args:
        value_range: the lowest and the highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: no range.

    Example:

    >>> AutoContrast()(torch.tensor([10.0, 20.0, 30.0]).reshape(1, 3, 1)).flatten()
    tensor([  0.0000, 127.5000, 255.0000])
    """

    always = True

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range_of(value_range, "AutoContrast")

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """The images with all the contrast that they can have."""
        del transformation, training
        low, high = self.value_range
        darkest = images.amin(self.space_axes, keepdim=True)
        spread = images.amax(self.space_axes, keepdim=True) - darkest
        flat = spread == 0
        values = (images - darkest) * ((high - low) / torch.where(flat, 1.0, spread)) + low
        return torch.where(flat, images, values.clamp(low, high))
