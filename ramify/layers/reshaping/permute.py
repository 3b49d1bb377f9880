"""`Permute`: axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Permute(Layer):
    """The axes of each sample in another order; a view, nothing is copied.

    Args:
        dims: the old axes in their new order, counted from 1; the batch axis stays first.

    Shapes:
        ``dims=(2, 1)``: ``(batch, a, b)`` -> ``(batch, b, a)``.

    Raises:
        ArgumentError: `dims` is not an order of 1, 2, ....

    Example:

    >>> import ramify
    >>> Permute((2, 1))(ramify.Input((10, 64))).shape
    (None, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(f"Permute takes an order of the axes 1, 2, ..., but received dims={self.dims}.")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The input with its axes in the new order."""
        return inputs.permute(0, *self.dims)
