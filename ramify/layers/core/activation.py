"""`Activation`: a function as a layer."""

from __future__ import annotations

from typing import Any

import torch

from ramify import activations
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Activation(Layer):
    """An activation function as a layer of its own.

    Args:
        activation: a name such as ``"relu"``, a function from a tensor to a tensor, or a layer.

    Shapes:
        any -> the same.

    Example:

    >>> Activation("relu")(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The function of the input."""
        return self.activation(inputs)
