"""Layers that change images: sizes, places, colours, and mixtures."""

from ramify.layers.preprocessing.image.aug_mix import AugMix
from ramify.layers.preprocessing.image.auto_contrast import AutoContrast
from ramify.layers.preprocessing.image.clahe import ContrastLimitedAdaptiveHistogramEqualization
from ramify.layers.preprocessing.image.cropping import CenterCrop, RandomCrop
from ramify.layers.preprocessing.image.cut_mix import CutMix
from ramify.layers.preprocessing.image.equalization import Equalization
from ramify.layers.preprocessing.image.max_num_bounding_boxes import MaxNumBoundingBoxes
from ramify.layers.preprocessing.image.mix_up import MixUp
from ramify.layers.preprocessing.image.rand_augment import RandAugment
from ramify.layers.preprocessing.image.random_brightness import RandomBrightness
from ramify.layers.preprocessing.image.random_color_degeneration import RandomColorDegeneration
from ramify.layers.preprocessing.image.random_color_jitter import RandomColorJitter
from ramify.layers.preprocessing.image.random_contrast import RandomContrast
from ramify.layers.preprocessing.image.random_elastic_transform import RandomElasticTransform
from ramify.layers.preprocessing.image.random_erasing import RandomErasing
from ramify.layers.preprocessing.image.random_flip import RandomFlip
from ramify.layers.preprocessing.image.random_gaussian_blur import RandomGaussianBlur
from ramify.layers.preprocessing.image.random_grayscale import RandomGrayscale
from ramify.layers.preprocessing.image.random_hue import RandomHue
from ramify.layers.preprocessing.image.random_invert import RandomInvert
from ramify.layers.preprocessing.image.random_perspective import RandomPerspective
from ramify.layers.preprocessing.image.random_posterization import RandomPosterization
from ramify.layers.preprocessing.image.random_rotation import RandomRotation
from ramify.layers.preprocessing.image.random_saturation import RandomSaturation
from ramify.layers.preprocessing.image.random_sharpness import RandomSharpness
from ramify.layers.preprocessing.image.random_shear import RandomShear
from ramify.layers.preprocessing.image.random_translation import RandomTranslation
from ramify.layers.preprocessing.image.random_zoom import RandomZoom
from ramify.layers.preprocessing.image.resizing import Resizing
from ramify.layers.preprocessing.image.solarization import Solarization

__all__ = [
    "AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization",
    "MaxNumBoundingBoxes", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter",
    "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation",
    "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom", "Resizing", "Solarization",
]  # fmt: skip
