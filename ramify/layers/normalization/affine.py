"""The scale and the offset that normalizing layers learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify.layers.arguments import settle
from ramify.layers.layer import Layer


class Affine(Layer):
    """Base of layers with a learned `gamma` (scale) and `beta` (offset), each of which may be left out.

    Args:
        arguments: the constructor's own arguments, by their names.
        further: the rest, for `Layer`.
    """

    center: bool
    scale: bool
    epsilon: float
    gamma: Any
    beta: Any

    def __init__(self, arguments: Mapping[str, Any], further: Mapping[str, Any]) -> None:
        super().__init__(**further)
        settle(self, arguments)
        self.supports_masking = True

    def add_affine(self, shape: Any, *, scale: bool, center: bool, autocast: bool = True) -> None:
        """Make the weights that are wanted."""
        self.gamma = self.add_weight_of("gamma", shape, autocast=autocast) if scale else None
        self.beta = self.add_weight_of("beta", shape, autocast=autocast) if center else None
