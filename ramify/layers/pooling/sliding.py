"""`MaxPooling` and `AveragePooling`: the largest value, or the mean, of a sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.layers.pooling.base import Pooling
from ramify.registry import serializable

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "MaxPool1D",
    "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip


class MaxPooling(Pooling):
    """Base of the layers that keep the largest value of each window."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def pool(self, x: torch.Tensor, padding: tuple[int, ...], hanging: bool) -> torch.Tensor:
        """The largest value of every window."""
        pool = F.max_pool3d if self.rank == 3 else F.max_pool2d
        return pool(x, self._window, self._strides, padding, 1, hanging)


class AveragePooling(Pooling):
    """Base of the layers that keep the mean of each window; padding does not count."""

    def pool(self, x: torch.Tensor, padding: tuple[int, ...], hanging: bool) -> torch.Tensor:
        """The mean of every window."""
        average = F.avg_pool3d if self.rank == 3 else F.avg_pool2d
        if self.rank == 3 and x.dtype is torch.bfloat16 and x.device.type == "cpu":  # torch has no such kernel
            return self.pool(x.float(), padding, hanging).to(x.dtype)
        return average(x, self._window, self._strides, padding, hanging, count_include_pad=False)


@serializable("keras.layers", "MaxPool1D")
class MaxPooling1D(MaxPooling):
    """The largest value of each window of a sequence; arguments as in `MaxPooling2D`.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, new_steps, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import MaxPooling1D
    >>> MaxPooling1D(2)(ramify.Input((10, 4))).shape
    (None, 5, 4)
    """

    rank = 1


@serializable("keras.layers", "MaxPool2D")
class MaxPooling2D(MaxPooling):
    """The largest value of each window of an image, channel by channel.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: how far the window moves per step; the window's size when not given.
        padding: ``"valid"`` (windows stay inside) or ``"same"`` (``ceil(size / stride)`` outputs; what hangs over the
            edge does not count).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        name: the layer's name.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, new_height, new_width, channels)``.

    Raises:
        ArgumentError: sizes or names outside their range.
        ShapeError: on the first call, an image smaller than the window.

    Example:

    >>> import ramify
    >>> from ramify.layers import MaxPooling2D
    >>> MaxPooling2D(3, strides=2, padding="same")(ramify.Input((15, 15, 4))).shape
    (None, 8, 8, 4)
    """

    rank = 2


@serializable("keras.layers", "MaxPool3D")
class MaxPooling3D(MaxPooling):
    """The largest value of each window of a volume; arguments as in `MaxPooling2D`.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> ``(batch, new_depth, new_height, new_width, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import MaxPooling3D
    >>> MaxPooling3D(2)(ramify.Input((8, 8, 8, 4))).shape
    (None, 4, 4, 4, 4)
    """

    rank = 3


@serializable("keras.layers", "AvgPool1D")
class AveragePooling1D(AveragePooling):
    """The mean of each window of a sequence; arguments as in `AveragePooling2D`.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, new_steps, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AveragePooling1D
    >>> AveragePooling1D(2)(ramify.Input((10, 4))).shape
    (None, 5, 4)
    """

    rank = 1


@serializable("keras.layers", "AvgPool2D")
class AveragePooling2D(AveragePooling):
    """The mean of each window of an image, channel by channel.

    With ``padding="same"`` only pixels of the image are averaged, as in TensorFlow and JAX; Keras on PyTorch averages
    more than these where the padding is lopsided.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: how far the window moves per step; the window's size when not given.
        padding: ``"valid"`` (windows stay inside) or ``"same"`` (``ceil(size / stride)`` outputs).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        name: the layer's name.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, new_height, new_width, channels)``.

    Raises:
        ArgumentError: sizes or names outside their range.
        ShapeError: on the first call, an image smaller than the window.

    Example:

    >>> import ramify
    >>> from ramify.layers import AveragePooling2D
    >>> AveragePooling2D(2)(ramify.Input((15, 15, 4))).shape
    (None, 7, 7, 4)
    """

    rank = 2


@serializable("keras.layers", "AvgPool3D")
class AveragePooling3D(AveragePooling):
    """The mean of each window of a volume; arguments as in `AveragePooling2D`.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> ``(batch, new_depth, new_height, new_width, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import AveragePooling3D
    >>> AveragePooling3D(2)(ramify.Input((8, 8, 8, 4))).shape
    (None, 4, 4, 4, 4)
    """

    rank = 3


AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
