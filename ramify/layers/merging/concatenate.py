"""`Concatenate`: tensors one after the other along an axis."""

from __future__ import annotations

from typing import Any

import torch

from ramify.layers.merging.base import Merge
from ramify.layers.merging.compare import Problem, Shape, axis_problem
from ramify.registry import serializable


@serializable("keras.layers")
class Concatenate(Merge):
    """The inputs one after the other along an axis.

    Args:
        axis: the axis along which they are joined; all other sizes must be equal.

    Shapes:
        ``(batch, ..., a)`` and ``(batch, ..., b)`` -> ``(batch, ..., a + b)``.

    Example:

    >>> import ramify
    >>> Concatenate()([ramify.Input((3,)), ramify.Input((5,))]).shape
    (None, 8)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def problem(self, shapes: list[Shape]) -> Problem | None:
        """Ranks that differ, or sizes off the axis that do."""
        return axis_problem(shapes, self.axis)

    def call(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The joined tensor."""
        return torch.cat(inputs, self.axis) if len(inputs) > 1 else inputs[0]

    def compute_mask(self, inputs: list[Any], previous_mask: Any) -> Any:
        """Masks joined along the axis, where they have it; else a position counts where it counts in any input.

        An input without a mask counts everywhere.
        """
        if not isinstance(previous_mask, (list, tuple)) or all(mask is None for mask in previous_mask):
            return None
        rank = next(mask.ndim for mask in previous_mask if mask is not None)
        masks = [_everywhere(x, rank) if m is None else m for x, m in zip(inputs, previous_mask, strict=True)]
        axis = self.axis % inputs[0].ndim
        if axis < rank:
            return torch.cat(masks, axis)
        first, *others = masks
        for other in others:
            first = torch.logical_or(first, other)
        return first


def _everywhere(x: Any, rank: int) -> Any:
    """A mask over the first `rank` axes of a tensor in which every position counts."""
    first = x[(slice(None),) * rank + (0,) * (x.ndim - rank)]
    return torch.ones_like(first, dtype=torch.bool)
