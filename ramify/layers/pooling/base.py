"""What the pooling layers with a sliding window share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ShapeError
from ramify.image_format import checked_choice, checked_data_format, per_axis
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.ops.nn.pooling import same_pooled


class Pooling(Layer):
    """Base of the layers that summarize a sliding window; a subclass defines `pool`.

    Sequences run as images of height 1, and images as they lie in memory: torch's two-dimensional kernels read
    channels-last memory without a copy.

    Args:
        pool_size: size of the window, per axis or one number.
        strides: how far the window moves per step; the window's size when not given.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """

    rank: int

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        who, rank = type(self).__name__, self.rank
        self.pool_size = per_axis(pool_size, rank, f"{who}: pool_size")
        self.strides = per_axis(pool_size if strides is None else strides, rank, f"{who}: strides")
        self.padding = checked_choice(padding, ("valid", "same"), f"{who}: padding")
        self.data_format = checked_data_format(data_format, who)
        self.input_spec = InputSpec(ndim=rank + 2)
        self._plan()

    def _plan(self) -> None:
        lift = (1,) if self.rank == 1 else ()
        axes = tuple(range(1, self.rank + len(lift) + 1))
        self._last = self.data_format == "channels_last"
        self._lift_axis = (1 if self._last else 2) if lift else None
        self._to_front = (0, len(axes) + 1, *axes)
        self._to_back = (0, *(axis + 1 for axis in axes), 1)
        self._window = (*lift, *self.pool_size)
        self._strides = (*lift, *self.strides)
        self._no_padding = (0,) * len(axes)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that the window fits into the image.

        Raises:
            ShapeError: it does not.
        """
        spatial = input_shape[1:-1] if self._last else input_shape[2:]
        small = any(n is not None and n < k for n, k in zip(spatial, self.pool_size, strict=True))
        if self.padding == "valid" and small:
            raise ShapeError(
                f"{self.describe()} has a window of {self.pool_size}, but received an input of shape {input_shape}, "
                "which is smaller. Use padding='same', a smaller window, or larger inputs."
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Summarize every window."""
        x = inputs if self._lift_axis is None else inputs.unsqueeze(self._lift_axis)
        if self._last:
            x = x.permute(self._to_front)
        if self.padding == "valid":
            x = self.pool(x, self._no_padding, False)
        else:
            x = same_pooled(self.pool, x, self._window, self._strides)
        if self._last:
            x = x.permute(self._to_back)
        return x if self._lift_axis is None else x.squeeze(self._lift_axis)

    def pool(self, x: torch.Tensor, padding: tuple[int, ...], hanging: bool) -> torch.Tensor:
        """Summarize every window of ``(batch, channels, ...)``; subclasses define it.

        Args:
            x: input in torch's layout.
            padding: pixels on both sides of each axis that do not count.
            hanging: whether the last window may hang over the end.
        """
        raise AssertionError("a pooling layer defines how it pools")  # pragma: no cover
