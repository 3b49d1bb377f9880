"""Layers that hand their input on, masked or through a function."""

from __future__ import annotations

from typing import Any

import torch

from ramify import activations
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Identity(Layer):
    """The input as it is: a place holder where code wants a layer.

    Shapes:
        any structure of tensors -> the same.

    Example:

    >>> import ramify
    >>> Identity()(ramify.Input((3,))).shape
    (None, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The input."""
        return inputs


@serializable("keras.layers")
class Masking(Layer):
    """Mask the steps of sequences whose features are all equal to a value, and set them to zero.

    Layers that know masks leave such steps out.

    Args:
        mask_value: the value that stands for "nothing here".

    Shapes:
        ``(batch, steps, ..., features)`` -> the same, with a mask of shape ``(batch, steps, ...)``.

    Example:

    >>> layer = Masking()
    >>> layer.compute_mask(torch.tensor([[[1.0, 2.0], [0.0, 0.0]]]), None)
    tensor([[ True, False]])
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """True where any feature differs from the value."""
        del previous_mask
        return torch.any(torch.ne(inputs, self.mask_value), -1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The input, zero where it is masked."""
        return inputs * torch.any(torch.ne(inputs, self.mask_value), -1, keepdim=True)


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
