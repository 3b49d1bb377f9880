"""`RepeatVector`: a vector at every step of a sequence."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class RepeatVector(Layer):
    """The input `n` times over, as the steps of a sequence; a view, nothing is copied.

    Args:
        n: number of steps.

    Shapes:
        ``(batch, features)`` -> ``(batch, n, features)``.

    Raises:
        ArgumentError: `n` is no positive whole number.

    Example:

    >>> import ramify
    >>> RepeatVector(3)(ramify.Input((32,))).shape
    (None, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int) or n < 1:
            raise ArgumentError(f"RepeatVector takes a positive whole number of times, but received n={n!r}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The repeated input."""
        return inputs[:, None].expand(-1, self.n, -1)
