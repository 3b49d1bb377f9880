"""Layers that move numbers to other places."""

from ramify.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from ramify.layers.reshaping.flatten import Flatten
from ramify.layers.reshaping.permute import Permute
from ramify.layers.reshaping.repeat_vector import RepeatVector
from ramify.layers.reshaping.reshape import Reshape
from ramify.layers.reshaping.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from ramify.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D

__all__ = [
    "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector", "Reshape", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
]  # fmt: skip
