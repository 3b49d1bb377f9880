"""`Softmax` as a layer, with a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify import activations
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along an axis; masked positions get 0 and are left out of the sum.

    Args:
        axis: one axis, or several over which the sum is taken together.

    Shapes:
        any -> the same; the mask broadcasts against the input.

    Example:

    >>> Softmax()(torch.tensor([1.0, 1.0, 5.0]), mask=torch.tensor([True, True, False]))
    tensor([0.5000, 0.5000, 0.0000])
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Positive numbers that sum to 1 where anything counts, zeros elsewhere."""
        if mask is None:
            return activations.softmax(inputs, self.axis)
        counts = torch.as_tensor(mask, device=inputs.device).to(torch.bool)
        # Not -inf: where nothing counts, the sum must not be 0.
        low = torch.finfo(inputs.dtype).min / 2
        return activations.softmax(torch.where(counts, inputs, low), self.axis) * counts
