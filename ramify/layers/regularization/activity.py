"""`ActivityRegularization`: a penalty on what flows through."""

from __future__ import annotations

from typing import Any

import torch

from ramify import regularizers
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class ActivityRegularization(Layer):
    """Pass the input on, and add ``l1 * sum(|x|) + l2 * sum(x**2)``, divided by the batch's size, to the loss.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Shapes:
        any -> the same.

    Example:

    >>> layer = ActivityRegularization(l1=0.1)
    >>> _ = layer(torch.ones(1, 5))
    >>> layer.losses
    [tensor(0.5000)]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The input."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The two factors; the regularizer made of them is no argument."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config
