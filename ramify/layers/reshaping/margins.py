"""Layers that cut the edges of sequences, images and volumes off, or put some on."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ShapeError
from ramify.image_format import checked_data_format, pairs_per_axis
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


class Cropping(Layer):
    """Base of the layers that cut edges off; the result is a view."""

    rank: int

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        who = type(self).__name__
        self._pairs = pairs_per_axis(cropping, self.rank, f"{who}: cropping")
        self.cropping: tuple[Any, ...] = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = checked_data_format(data_format, who)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._first = 1 if self.data_format == "channels_last" else 2

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that something is left.

        Raises:
            ShapeError: nothing is.
        """
        spatial = input_shape[self._first : self._first + self.rank]
        if any(size is not None and size <= sum(pair) for size, pair in zip(spatial, self._pairs, strict=True)):
            raise ShapeError(
                f"{self.describe()} cuts off {self.cropping}, which leaves nothing of an input of shape {input_shape}. "
                "Cut off less than the input's size."
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Leave the edges out."""
        for axis, (before, after) in enumerate(self._pairs, start=self._first):
            inputs = inputs.narrow(axis, before, inputs.shape[axis] - before - after)
        return inputs


@serializable("keras.layers")
class Cropping1D(Cropping):
    """Cut steps off both ends of a sequence.

    Args:
        cropping: how many at both ends, or ``(before, after)``.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, steps - before - after, channels)``.

    Raises:
        ShapeError: nothing would be left.

    Example:

    >>> import ramify
    >>> from ramify.layers import Cropping1D
    >>> Cropping1D((2, 0))(ramify.Input((10, 4))).shape
    (None, 8, 4)
    """

    rank = 1

    left_out_of_config = ("data_format",)

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


@serializable("keras.layers")
class Cropping2D(Cropping):
    """Cut the edges off an image.

    Args:
        cropping: how many pixels on every side, or ``(height, width)``, or ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, height - top - bottom, width - left - right, channels)``.

    Raises:
        ShapeError: nothing would be left.

    Example:

    >>> import ramify
    >>> from ramify.layers import Cropping2D
    >>> Cropping2D(((1, 0), (2, 2)))(ramify.Input((8, 8, 3))).shape
    (None, 7, 4, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


@serializable("keras.layers")
class Cropping3D(Cropping):
    """Cut the edges off a volume.

    Args:
        cropping: how many on every side, or one number per axis, or a pair ``(before, after)`` per axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, depth, height, width, channels)``, the three middle axes shorter by what is cut off.

    Raises:
        ShapeError: nothing would be left.

    Example:

    >>> import ramify
    >>> from ramify.layers import Cropping3D
    >>> Cropping3D((1, 2, 3))(ramify.Input((8, 8, 8, 1))).shape
    (None, 6, 4, 2, 1)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


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
