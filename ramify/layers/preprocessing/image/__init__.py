"""Layers that change images: sizes, places, colours, and mixtures."""

from ramify.layers.preprocessing.image.distortions import RandomElasticTransform, RandomPerspective
from ramify.layers.preprocessing.image.filters import RandomGaussianBlur, RandomSharpness
from ramify.layers.preprocessing.image.histograms import (
    AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization,
    Equalization,
)
from ramify.layers.preprocessing.image.hues import RandomColorDegeneration, RandomGrayscale, RandomHue, RandomSaturation
from ramify.layers.preprocessing.image.max_num_bounding_boxes import MaxNumBoundingBoxes
from ramify.layers.preprocessing.image.mixtures import CutMix, MixUp, RandomErasing
from ramify.layers.preprocessing.image.motions import (
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from ramify.layers.preprocessing.image.policies import AugMix, RandAugment, RandomColorJitter
from ramify.layers.preprocessing.image.sizes import CenterCrop, RandomCrop, Resizing
from ramify.layers.preprocessing.image.tones import (
    RandomBrightness,
    RandomContrast,
    RandomInvert,
    RandomPosterization,
    Solarization,
)

__all__ = [
    "AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization",
    "MaxNumBoundingBoxes", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter",
    "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation",
    "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom", "Resizing", "Solarization",
]  # fmt: skip
