"""Normalizations by length alone, the mean left in: root mean square, and unit length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.layers.normalization.layout import TrailingView, axis_list, checked_axis
from ramify.registry import serializable


@serializable("keras.layers")
class RMSNormalization(Layer):
    """``scale * x / sqrt(mean(x**2) + epsilon)`` over one or more axes.

    Source: Zhang & Sennrich, 2019, https://arxiv.org/abs/1910.07467.

    Args:
        axis: the axis or axes to normalize over; the learned scale has their sizes.
        epsilon: keeps the division finite.

    Shapes:
        any -> the same.

    Raises:
        ShapeError: no such axis, or its size is unknown.

    Example:

    >>> RMSNormalization(epsilon=0.0)(torch.tensor([[1.0, 7.0]])).tolist()
    [[0.2..., 1.39...]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the scale of the sizes of the axes."""
        rank = len(input_shape)
        axes = axis_list(self.axis)
        self.axis = axes if len(axes) == 1 else sorted(axis % rank for axis in axes)
        self._sizes = [checked_axis(axis, tuple(input_shape), self.describe()) for axis in self.axis]
        self.scale = self.add_weight(self._sizes, "ones", name="scale")
        self._view = TrailingView(rank, self.axis)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        """The normalized input."""
        view = self._view
        return view.leave(torch.rms_norm(view.enter(x), self._sizes, self.scale, self.epsilon))


@serializable("keras.layers")
class UnitNormalization(Layer):
    """Vectors along one or more axes brought to Euclidean length 1; those of length 0 stay what they are.

    Args:
        axis: the axis or axes along which the length is taken.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: `axis` is neither a number nor several.

    Example:

    >>> UnitNormalization()(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int) and not (
            isinstance(axis, (list, tuple)) and all(isinstance(one, int) for one in axis)
        ):
            raise ArgumentError(f"UnitNormalization takes an axis or a list of axes, but received axis={axis!r}.")
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The input, its vectors at length 1."""
        # The same as division by the root of max(sum of squares, 1e-12).
        return F.normalize(inputs, dim=self.axis if isinstance(self.axis, int) else tuple(self.axis), eps=1e-6)  # type: ignore[arg-type]
