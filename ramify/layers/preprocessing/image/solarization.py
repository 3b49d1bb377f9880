"""`Solarization`: bright values turn dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor
_BYTES = (0.0, 255.0)


@serializable("keras.layers")
class Solarization(ImageLayer):
    """Add a number to each image, and invert the values from a threshold up, while training.

    Args:
        addition_factor: a number or a pair from 0 to 1: what is added, as a share of the value range.
        threshold_factor: the threshold, in the same way; 0 inverts everything.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, or no range.

    Example:

    >>> Solarization(threshold_factor=(0.5, 0.5))(torch.tensor([10.0, 200.0]).reshape(1, 2, 1)).flatten()
    tensor([10., 55.])
    """

    def __init__(
        self,
        addition_factor: float | Sequence[float] = 0.0,
        threshold_factor: float | Sequence[float] = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.addition_factor = factor_range(addition_factor, "Solarization: addition_factor", low=0.0)
        self.threshold_factor = factor_range(threshold_factor, "Solarization: threshold_factor", low=0.0)
        self.value_range = value_range_of(value_range, "Solarization")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What to add and the threshold, each ``(batch, 1, 1, 1)``, on a scale from 0 to 255."""
        if not training:
            return None
        draws = self.draws(data, seed)
        return {
            "additions": draws.factors(self.addition_factor) * 255,
            "thresholds": draws.factors(self.threshold_factor) * 255,
        }

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, solarized."""
        del training
        if transformation is None:
            return images
        additions = per_image(transformation["additions"]).to(images.dtype)
        values = (rescaled(images, self.value_range, _BYTES) + additions).clamp(*_BYTES)
        values = torch.where(values < per_image(transformation["thresholds"]), values, 255 - values)
        return rescaled(values, _BYTES, self.value_range)
