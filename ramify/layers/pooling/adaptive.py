"""Adaptive pooling: as many windows as outputs are wanted, spread evenly over the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.image_format import checked_data_format, per_axis
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.ops.nn.pooling import adaptive_average_pool, adaptive_max_pool
from ramify.registry import serializable

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip


class AdaptivePooling(Layer):
    """Base of the layers that pool to a given size.

    Window ``i`` of ``n`` goes from ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.

    Args:
        output_size: the number of outputs, per axis or one number.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
    """

    rank: int

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        who = type(self).__name__
        self.output_size = per_axis(output_size, self.rank, f"{who}: output_size")
        self.data_format = checked_data_format(data_format, who)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class AdaptiveAveragePooling(AdaptivePooling):
    """Base of the layers that keep the mean of each window."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The mean of every window."""
        pooled: torch.Tensor = adaptive_average_pool(inputs, self.output_size, self.data_format)
        return pooled


class AdaptiveMaxPooling(AdaptivePooling):
    """Base of the layers that keep the largest value of each window."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The largest value of every window."""
        pooled: torch.Tensor = adaptive_max_pool(inputs, self.output_size, self.data_format)
        return pooled


@serializable("keras.layers")
class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The mean of each of `output_size` windows that cover a sequence.

    Args:
        output_size: the number of windows.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, steps, channels)`` ->
        ``(batch, output_size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AdaptiveAveragePooling1D
    >>> AdaptiveAveragePooling1D(2)(ramify.Input((10, 4))).shape
    (None, 2, 4)
    """

    rank = 1


@serializable("keras.layers")
class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean of each of `output_size` windows that cover an image.

    Args:
        output_size: the number of windows, per axis or one number.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, height, width, channels)`` ->
        ``(batch, *output_size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AdaptiveAveragePooling2D
    >>> AdaptiveAveragePooling2D(2)(ramify.Input((8, 8, 4))).shape
    (None, 2, 2, 4)
    """

    rank = 2


@serializable("keras.layers")
class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The mean of each of `output_size` windows that cover a volume.

    Args:
        output_size: the number of windows, per axis or one number.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, depth, height, width, channels)`` ->
        ``(batch, *output_size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AdaptiveAveragePooling3D
    >>> AdaptiveAveragePooling3D(2)(ramify.Input((8, 8, 8, 4))).shape
    (None, 2, 2, 2, 4)
    """

    rank = 3


@serializable("keras.layers")
class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest value of each of `output_size` windows that cover a sequence.

    Args:
        output_size: the number of windows.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, steps, channels)`` ->
        ``(batch, output_size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AdaptiveMaxPooling1D
    >>> AdaptiveMaxPooling1D(2)(ramify.Input((10, 4))).shape
    (None, 2, 4)
    """

    rank = 1


@serializable("keras.layers")
class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest value of each of `output_size` windows that cover an image.

    Args:
        output_size: the number of windows, per axis or one number.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, height, width, channels)`` ->
        ``(batch, *output_size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AdaptiveMaxPooling2D
    >>> AdaptiveMaxPooling2D(2)(ramify.Input((8, 8, 4))).shape
    (None, 2, 2, 4)
    """

    rank = 2


@serializable("keras.layers")
class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest value of each of `output_size` windows that cover a volume.

    Args:
        output_size: the number of windows, per axis or one number.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, depth, height, width, channels)`` ->
        ``(batch, *output_size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AdaptiveMaxPooling3D
    >>> AdaptiveMaxPooling3D(2)(ramify.Input((8, 8, 8, 4))).shape
    (None, 2, 2, 2, 4)
    """

    rank = 3
