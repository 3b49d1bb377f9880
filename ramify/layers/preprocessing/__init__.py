"""Data on its way into models: scaled, cut into ranges, looked up, hashed, split into words."""

# ruff: noqa: F403 - the list of the images is the list
from ramify.layers.preprocessing import image
from ramify.layers.preprocessing.audio import MelSpectrogram, STFTSpectrogram
from ramify.layers.preprocessing.categories import CategoryEncoding
from ramify.layers.preprocessing.discretization import Discretization
from ramify.layers.preprocessing.hashes import HashedCrossing, Hashing
from ramify.layers.preprocessing.image import *
from ramify.layers.preprocessing.integer_lookup import IntegerLookup
from ramify.layers.preprocessing.normalization import Normalization, Rescaling
from ramify.layers.preprocessing.pipeline import Pipeline
from ramify.layers.preprocessing.string_lookup import StringLookup
from ramify.layers.preprocessing.text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "MelSpectrogram",
    "Normalization", "Pipeline", "Rescaling", "STFTSpectrogram", "StringLookup", "TextVectorization",
]  # fmt: skip
__all__ += image.__all__
