"""The ways to change an image that `RandAugment` and `AugMix` choose from."""

from __future__ import annotations

from typing import Any

from ramify.layers.preprocessing.image.auto_contrast import AutoContrast
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.image.equalization import Equalization
from ramify.layers.preprocessing.image.random_brightness import RandomBrightness
from ramify.layers.preprocessing.image.random_color_degeneration import RandomColorDegeneration
from ramify.layers.preprocessing.image.random_contrast import RandomContrast
from ramify.layers.preprocessing.image.random_posterization import RandomPosterization
from ramify.layers.preprocessing.image.random_rotation import RandomRotation
from ramify.layers.preprocessing.image.random_sharpness import RandomSharpness
from ramify.layers.preprocessing.image.random_shear import RandomShear
from ramify.layers.preprocessing.image.random_translation import RandomTranslation
from ramify.layers.preprocessing.image.solarization import Solarization


def plain_augmentations(factor: Any, value_range: Any, interpolation: str, data_format: str) -> list[ImageLayer]:
    """Shear, translation, rotation, grey, posterization, solarization, automatic contrast and equalization.

    Args:
        factor: how strong each is, a pair.
        value_range: the lowest and the highest value of a pixel.
        interpolation: of those that move pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """
    layout: dict[str, Any] = {"data_format": data_format}
    moving: dict[str, Any] = {"interpolation": interpolation, **layout}
    colored: dict[str, Any] = {"value_range": value_range, **layout}
    return [
        RandomShear(factor, factor, **moving),
        RandomTranslation(factor, factor, **moving),
        RandomRotation(factor, **moving),
        RandomColorDegeneration(factor, **colored),
        RandomPosterization((1, 8), **colored),
        Solarization(factor, factor, **colored),
        AutoContrast(**colored),
        Equalization(**colored),
    ]


def further_augmentations(factor: Any, value_range: Any, data_format: str) -> list[ImageLayer]:
    """Brightness, contrast and sharpness."""
    options: dict[str, Any] = {"value_range": value_range, "data_format": data_format}
    kinds = (RandomBrightness, RandomContrast, RandomSharpness)
    return [kind(factor, **options) for kind in kinds]
