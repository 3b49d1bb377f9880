"""Layers within a layer that nobody sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify.layers.preprocessing.image.base import ImageLayer


class Sublayers:
    """Layers that another one uses and shows nobody: they have no weights, and draw from its stream.

    Args:
        owner: the layer that uses them.
        layers: what it uses.
    """

    def __init__(self, owner: ImageLayer, layers: Sequence[Any]) -> None:
        self.layers = tuple(layers)
        for layer in self.layers:
            layer.draw_from(owner)
            layer.dtype_policy = owner.dtype_policy
