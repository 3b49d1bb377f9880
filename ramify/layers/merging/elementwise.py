"""Merging element by element: sum, difference, product, mean, extremes."""
from __future__ import annotations

from functools import reduce

import torch

from ramify.layers.merging.base import Merge
from ramify.registry import serializable


@serializable("keras.layers")
class Add(Merge):
    """Sum of the inputs."""

    def merge(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The sum."""
        return reduce(torch.add, inputs)
