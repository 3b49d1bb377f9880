"""`RandomContrast`: values are drawn away from their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomContrast(ImageLayer):
    """Multiply the distance of each channel to its mean by a factor of each image's own while training.

    Args:
        factor: a pair ``(less, more)`` from 0 to 1: the factor is drawn from ``1 - less`` to ``1 + more``. A number is
            the pair of 0 and it.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.

    Example:

    >>> RandomContrast((1.0, -1.0))(torch.tensor([10.0, 20.0]).reshape(1, 2, 1)).flatten()
    tensor([ 5., 25.])
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(factor, "RandomContrast: factor")
        if not isinstance(factor, (list, tuple)):
            self.factor = (0, self.factor[1])
        self.value_range = value_range_of(value_range, "RandomContrast")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The factor per image, ``(batch, 1, 1, 1)``."""
        if not training:
            return None
        low, high = sorted((1 - self.factor[0], 1 + self.factor[1]))
        return {"contrast_factor": self.draws(data, seed).factors((low, high))}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images with more or less contrast."""
        del training
        if transformation is None:
            return images
        factor = per_image(transformation["contrast_factor"])
        values = images.to(torch.float32)
        mean = values.mean(self.space_axes, keepdim=True)
        return torch.lerp(mean, values, factor).clamp(*self.value_range).to(images.dtype)
