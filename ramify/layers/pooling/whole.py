"""Global pooling: one number per channel for the whole sequence, image or volume."""

from __future__ import annotations

from typing import Any

import torch

from ramify.image_format import checked_data_format
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D",
]  # fmt: skip


class GlobalPooling(Layer):
    """Base of the layers that summarize each channel in one number.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the spatial axes stay, with size 1.
    """

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format, type(self).__name__)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))


class GlobalMaxPooling(GlobalPooling):
    """Base of the layers that keep the largest value of each channel."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The largest value of each channel."""
        return inputs.amax(self._axes, keepdim=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Base of the layers that keep the mean of each channel."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The mean of each channel."""
        x = inputs if inputs.is_floating_point() else inputs.to(self.compute_torch_dtype)
        return x.mean(self._axes, keepdim=self.keepdims)


@serializable("keras.layers", "GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel over all steps that the mask leaves; the mask ends here.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the axis of the steps stays, with size 1.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, channels)``; the mask is ``(batch, steps)``.

    Source:
        Lin et al., 2014, "Network in Network".

    Example:

    >>> import ramify
    >>> from ramify.layers import GlobalAveragePooling1D
    >>> GlobalAveragePooling1D()(ramify.Input((10, 4))).shape
    (None, 4)
    """

    rank = 1
    supports_masking = True

    def call(self, inputs: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """The mean over the steps whose mask is true; not a number where there is none."""
        if mask is None:
            return super().call(inputs)
        weights = mask.to(self.compute_torch_dtype).unsqueeze(-1 if self._axes == (1,) else 1)
        total = (inputs * weights).sum(self._axes, keepdim=self.keepdims)
        return total / weights.sum(self._axes, keepdim=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """None: there are no steps any more."""


@serializable("keras.layers", "GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of an image.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the spatial axes stay, with size 1.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import GlobalAveragePooling2D
    >>> GlobalAveragePooling2D()(ramify.Input((8, 8, 4))).shape
    (None, 4)
    """

    rank = 2


@serializable("keras.layers", "GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of a volume.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the spatial axes stay, with size 1.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> ``(batch, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import GlobalAveragePooling3D
    >>> GlobalAveragePooling3D()(ramify.Input((8, 8, 8, 4))).shape
    (None, 4)
    """

    rank = 3


@serializable("keras.layers", "GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value of each channel of a sequence.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the spatial axes stay, with size 1.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import GlobalMaxPooling1D
    >>> GlobalMaxPooling1D()(ramify.Input((10, 4))).shape
    (None, 4)
    """

    rank = 1


@serializable("keras.layers", "GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value of each channel of an image.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the spatial axes stay, with size 1.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import GlobalMaxPooling2D
    >>> GlobalMaxPooling2D()(ramify.Input((8, 8, 4))).shape
    (None, 4)
    """

    rank = 2


@serializable("keras.layers", "GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest value of each channel of a volume.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        keepdims: whether the spatial axes stay, with size 1.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> ``(batch, channels)``.

    Example:

    >>> import ramify
    >>> from ramify.layers import GlobalMaxPooling3D
    >>> GlobalMaxPooling3D()(ramify.Input((8, 8, 8, 4))).shape
    (None, 4)
    """

    rank = 3


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
