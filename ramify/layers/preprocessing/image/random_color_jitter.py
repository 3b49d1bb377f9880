"""`RandomColorJitter`: brightness, contrast, saturation and hue at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.random_brightness import RandomBrightness
from ramify.layers.preprocessing.image.random_contrast import RandomContrast
from ramify.layers.preprocessing.image.random_hue import RandomHue
from ramify.layers.preprocessing.image.random_saturation import RandomSaturation
from ramify.layers.preprocessing.image.sublayers import Sublayers
from ramify.registry import serializable

Tensor = torch.Tensor
Factor = float | Sequence[float] | None


@serializable("keras.layers")
class RandomColorJitter(ImageLayer):
    """Change the brightness, contrast, saturation and hue of each image, in this order, while training.

    Args:
        value_range: the lowest and the highest value of a pixel; results end there.
        brightness_factor: see `RandomBrightness`; no change when not given.
        contrast_factor: see `RandomContrast`.
        saturation_factor: see `RandomSaturation`.
        hue_factor: see `RandomHue`.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: a factor outside its limits, or no range.

    Example:

    >>> RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)(torch.rand(2, 8, 8, 3) * 255).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Factor = None,
        contrast_factor: Factor = None,
        saturation_factor: Factor = None,
        hue_factor: Factor = None,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range, "RandomColorJitter")
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        self.seeded(seed)
        kinds = {
            RandomBrightness: brightness_factor,
            RandomContrast: contrast_factor,
            RandomSaturation: saturation_factor,
            RandomHue: hue_factor,
        }
        options = {"value_range": self.value_range, "data_format": self.data_format}
        layers = [kind(factor, **options) for kind, factor in kinds.items() if factor is not None]
        self._steps = Sublayers(self, layers)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What each of the four draws."""
        if not training:
            return None
        return [layer.get_random_transformation(data, seed=seed) for layer in self._steps.layers]

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, changed in all four ways."""
        del training
        for layer, drawn in zip(self._steps.layers, transformation or [], strict=False):
            images = layer.transform_images(images, drawn)
        return images
