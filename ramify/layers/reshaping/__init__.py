"""Layers that move numbers to other places."""

from ramify.layers.reshaping.flatten import Flatten
from ramify.layers.reshaping.permute import Permute
from ramify.layers.reshaping.repeat_vector import RepeatVector
from ramify.layers.reshaping.reshape import Reshape

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]
