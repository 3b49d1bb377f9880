"""`Dot`: the sum of products along one axis of each of two tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.layers.merging.base import Merge
from ramify.layers.merging.compare import Problem, Shape
from ramify.registry import serializable


@serializable("keras.layers")
class Dot(Merge):
    """Sum of products of two tensors along an axis of each, sample by sample.

    Args:
        axes: one axis for both, or one for each; not the batch axis.
        normalize: whether vectors along the axes are brought to length 1 first, so that cosines come out.

    Shapes:
        ``(batch, n)`` and ``(batch, n)`` -> ``(batch, 1)``; ``(batch, a, n)`` and ``(batch, b, n)`` ->
        ``(batch, a, b)``: the axes that are left of the first, then those of the second.

    Raises:
        ArgumentError: `axes` is neither a number nor two of them.

    Example:

    >>> import ramify
    >>> Dot(axes=2)([ramify.Input((5, 8)), ramify.Input((7, 8))]).shape
    (None, 5, 7)
    """

    least = most = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int) else tuple(axes) if isinstance(axes, (list, tuple)) else ()
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ArgumentError(f"Dot takes one axis, or one for each of two inputs, but received axes={axes!r}.")
        self.axes = axes
        self.normalize = normalize
        self._pair = pair

    def problem(self, shapes: list[Shape]) -> Problem | None:
        """Axes that are not there, or of different sizes."""
        for shape, axis in zip(shapes, self._pair, strict=True):
            rank = len(shape)
            if rank < 2 or not -rank <= axis < rank or axis % rank == 0:
                why = f"axis {axis} of shape {shape} is {'the batch' if axis in (0, -rank) else 'not there'}"
                return Problem(why, "Use an axis from 1 on, counted with the batch axis as 0.")
        first, second = (shape[axis] for shape, axis in zip(shapes, self._pair, strict=True))
        if None not in (first, second) and first != second:
            why = f"axis {self._pair[0]} of the first has size {first}, axis {self._pair[1]} of the second {second}"
            return Problem(why, "Choose other `axes`, or bring the sizes together with a `Dense(units)` on one branch.")
        return None

    def call(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The sums of products."""
        x, y = inputs
        a, b = self._pair
        if self.normalize:
            # The same as division by the root of max(sum of squares, 1e-12).
            x, y = F.normalize(x, dim=a, eps=1e-6), F.normalize(y, dim=b, eps=1e-6)
        if x.ndim == 2 and y.ndim == 2:
            return (x * y).sum(1, keepdim=True)
        x, y = x.movedim(a, -1), y.movedim(b, 1)
        rest = (*x.shape[1:-1], *y.shape[2:])
        product = torch.bmm(
            x.flatten(1, -2) if x.ndim > 2 else x[:, None], y.flatten(2) if y.ndim > 2 else y[:, :, None]
        )
        return product.reshape(x.shape[0], *rest)

    def compute_mask(self, inputs: list[Any], previous_mask: Any) -> None:
        """The positions are summed over: no mask is left."""
        del inputs, previous_mask
