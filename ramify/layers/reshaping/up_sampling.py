"""`UpSampling1D`, `UpSampling2D`, `UpSampling3D`: larger by whole factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.image_format import checked_choice, checked_data_format, per_axis
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


def repeated(x: torch.Tensor, factors: Sequence[int], first: int) -> torch.Tensor:
    """Every element `factors` times along the axes from `first` on, in a single copy.

    >>> repeated(torch.tensor([[[1], [2]]]), (2,), 1).flatten().tolist()
    [1, 1, 2, 2]
    """
    shape = list(x.shape)
    split, stretched = shape[:first], shape[:first]
    for axis, factor in enumerate(factors, start=first):
        split += [shape[axis], 1]
        stretched += [shape[axis], factor]
        shape[axis] *= factor
    rest = shape[first + len(factors) :]
    return x.reshape(split + rest).expand(stretched + rest).reshape(shape)


@serializable("keras.layers")
class UpSampling1D(Layer):
    """Repeat every step of a sequence.

    Args:
        size: how often.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, steps * size, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import UpSampling1D
    >>> UpSampling1D(3)(ramify.Input((10, 4))).shape
    (None, 30, 4)
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = per_axis(size, 1, "UpSampling1D: size")[0]
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Repeat every step."""
        return repeated(inputs, (self.size,), 1)


@serializable("keras.layers")
class UpSampling2D(Layer):
    """Enlarge images by whole factors.

    Args:
        size: factor per axis, or one for both.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        interpolation: ``"nearest"`` (repeat pixels), ``"bilinear"`` or ``"bicubic"`` (pixel centres at halves, as
            PyTorch and Keras on PyTorch compute them).

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, height * size[0], width * size[1], channels)``.

    Raises:
        ArgumentError: another interpolation, or sizes that are no positive whole numbers.

    Example:

    >>> import ramify
    >>> from ramify.layers import UpSampling2D
    >>> UpSampling2D(2, interpolation="bilinear")(ramify.Input((8, 8, 3))).shape
    (None, 16, 16, 3)
    """

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = per_axis(size, 2, "UpSampling2D: size")
        self.data_format = checked_data_format(data_format, "UpSampling2D")
        self.interpolation = checked_choice(
            interpolation, ("nearest", "bilinear", "bicubic"), "UpSampling2D: interpolation"
        )
        self.input_spec = InputSpec(ndim=4)
        self._last = self.data_format == "channels_last"

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Enlarge."""
        nearest = self.interpolation == "nearest"
        if nearest and not inputs.is_floating_point():  # there is no kernel
            return repeated(inputs, self.size, 1 if self._last else 2)
        x = inputs.permute(0, 3, 1, 2) if self._last else inputs
        size = [x.shape[2] * self.size[0], x.shape[3] * self.size[1]]
        # "nearest" looks up the edges of pixels, where rounding may lead to the neighbour, "nearest-exact" the centres.
        # Its gradient takes two thirds of the time of a sum over what was repeated.
        mode, corners = ("nearest-exact", None) if nearest else (self.interpolation, False)
        x = F.interpolate(x, size, mode=mode, align_corners=corners)
        return x.permute(0, 2, 3, 1) if self._last else x


@serializable("keras.layers")
class UpSampling3D(Layer):
    """Enlarge volumes by repeating every voxel.

    Args:
        size: factor per axis, or one for all.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Shapes:
        ``(batch, depth, height, width, channels)``, the three middle axes longer by their factors.

    Example:

    >>> import ramify
    >>> from ramify.layers import UpSampling3D
    >>> UpSampling3D(2)(ramify.Input((4, 4, 4, 1))).shape
    (None, 8, 8, 8, 1)
    """

    def __init__(self, size: int | Sequence[int] = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = per_axis(size, 3, "UpSampling3D: size")
        self.data_format = checked_data_format(data_format, "UpSampling3D")
        self.input_spec = InputSpec(ndim=5)
        self._first = 1 if self.data_format == "channels_last" else 2

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Repeat every voxel."""
        return repeated(inputs, self.size, self._first)
