"""Layers that make one tensor out of several, and the functions of the same names."""

from ramify.layers.merging.base import Merge
from ramify.layers.merging.concatenate import Concatenate
from ramify.layers.merging.dot import Dot
from ramify.layers.merging.elementwise import Add, Average, Maximum, Minimum, Multiply, Subtract
from ramify.layers.merging.functions import add, average, concatenate, dot, maximum, minimum, multiply, subtract

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Merge", "Minimum", "Multiply", "Subtract", "add", "average",
    "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip
