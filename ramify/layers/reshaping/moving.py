"""Layers that move numbers to other axes, or repeat them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.graph import is_probing, visible_shape
from ramify.image_format import checked_data_format
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Flatten(Layer):
    """One axis for each sample.

    Args:
        data_format: ``"channels_first"`` moves axis 1 to the end before, so that both formats give the same order.

    Shapes:
        ``(batch, a, b, ...)`` -> ``(batch, a * b * ...)``; ``(batch,)`` -> ``(batch, 1)``.

    Example:

    >>> import ramify
    >>> Flatten()(ramify.Input((4, 4, 3))).shape
    (None, 48)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format, "Flatten")
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The samples as vectors."""
        if inputs.ndim == 1:
            return inputs[:, None]
        if inputs.ndim > 2 and self.data_format == "channels_first":
            inputs = inputs.movedim(1, -1)
        return inputs.flatten(1)


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
