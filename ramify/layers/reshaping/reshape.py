"""`Reshape`: the same numbers in other axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.graph import is_probing, visible_shape
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Reshape(Layer):
    """Each sample in another shape.

    Args:
        target_shape: shape of one sample; one size may be -1 (or ``None``) and is then what remains.

    Shapes:
        ``(batch, ...)`` -> ``(batch, *target_shape)``.

    Raises:
        ArgumentError: more than one open size, or something that is no size.
        ShapeError: the sizes do not multiply to the same number.

    Example:

    >>> import ramify
    >>> Reshape((-1, 4))(ramify.Input((6, 2))).shape
    (None, 3, 4)
    """

    def __init__(self, target_shape: Sequence[int | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        target = tuple(target_shape) if isinstance(target_shape, (list, tuple, torch.Size)) else None
        if target is None or not all(size is None or (isinstance(size, int) and size >= -1) for size in target):
            raise ArgumentError(f"Reshape takes a tuple of sizes, but received target_shape={target_shape!r}.")
        if sum(size in (None, -1) for size in target) > 1:
            raise ArgumentError(
                f"Reshape can work out one size, but target_shape={target} leaves several open. Give them."
            )
        self.target_shape = target
        self._sizes = tuple(-1 if size is None else size for size in target)
        self._known = math.prod(size for size in self._sizes if size != -1)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that the sizes multiply to the same number, where they are known."""
        own = input_shape[1:]
        if any(size is None for size in own):
            return
        count = math.prod(size for size in own if size is not None)
        fits = count == self._known if -1 not in self._sizes else self._known and count % self._known == 0
        if not fits:
            raise ShapeError(
                f"{self.describe()} cannot bring samples of shape {tuple(own)}, {count} numbers, into the shape "
                f"{self.target_shape}. Choose sizes whose product is {count}, or leave one open with -1."
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The samples in their new shape."""
        try:
            return inputs.reshape(inputs.shape[0], *self._sizes)
        except RuntimeError:
            own = inputs.shape[1:]
            if inputs.shape[0] == 0 or (is_probing() and None in visible_shape(inputs.shape)[1:]):
                # No samples, or an unknown size that data may yet bring to the right number.
                rest = math.prod(own) // max(self._known, 1)
                return inputs.new_empty(inputs.shape[0], *(rest if size == -1 else size for size in self._sizes))
            raise
