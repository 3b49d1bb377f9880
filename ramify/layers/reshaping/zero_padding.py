"""`ZeroPadding1D`, `ZeroPadding2D`, `ZeroPadding3D`: zeros around sequences, images and volumes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.image_format import checked_data_format, pairs_per_axis
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


class ZeroPadding(Layer):
    """Base of the layers that put zeros around; `pads` holds how many go before and after each axis."""

    rank: int

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        who = type(self).__name__
        pads = pairs_per_axis(padding, self.rank, f"{who}: padding")
        self.padding: tuple[Any, ...] = pads[0] if self.rank == 1 else pads
        self.data_format = checked_data_format(data_format, who)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        flat = [size for pair in reversed(pads) for size in pair]
        self._flat = (0, 0, *flat) if self.data_format == "channels_last" else tuple(flat)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Copy the input into the middle of zeros."""
        return F.pad(inputs, self._flat)


@serializable("keras.layers")
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence.

    Args:
        padding: how many on both sides, or ``(before, after)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, before + steps + after, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import ZeroPadding1D
    >>> ZeroPadding1D((2, 0))(ramify.Input((10, 4))).shape
    (None, 12, 4)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@serializable("keras.layers")
class ZeroPadding2D(ZeroPadding):
    """Zeros around an image.

    Args:
        padding: how many on every side, or ``(height, width)``, or ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, top + height + bottom, left + width + right, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import ZeroPadding2D
    >>> ZeroPadding2D(((1, 0), (2, 2)))(ramify.Input((8, 8, 3))).shape
    (None, 9, 12, 3)
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@serializable("keras.layers")
class ZeroPadding3D(ZeroPadding):
    """Zeros around a volume.

    Args:
        padding: how many on every side, or one number per axis, or a pair ``(before, after)`` per axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, depth, height, width, channels)``, the three middle axes longer by their padding.

    Example:

    >>> import ramify
    >>> from ramify.layers import ZeroPadding3D
    >>> ZeroPadding3D((1, 2, 3))(ramify.Input((4, 4, 4, 1))).shape
    (None, 6, 8, 10, 1)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)
