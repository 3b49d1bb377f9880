"""`Dropout`: parts of the input are set to zero at random while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.image_format import checked_data_format
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable
from ramify.seeds import Stream

NoiseShape = Sequence[int | None] | None


@serializable("keras.layers")
class Dropout(Layer):
    """Set numbers to zero with a probability while training, and scale the others so that their mean stays.

    Source: Srivastava et al., 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Args:
        rate: the probability, from 0 to 1.
        noise_shape: shape of the draw, broadcast against the input: with size 1 on an axis, the whole axis is kept or
            dropped together. ``None`` in it stands for the input's size.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: a rate outside 0 to 1, or a noise shape that is none.

    Example:

    >>> x = torch.ones(2, 4)
    >>> bool((Dropout(0.5)(x) == x).all())
    True
    >>> sorted(Dropout(0.5, seed=1)(x, training=True).unique().tolist())
    [0.0, 2.0]
    """

    def __init__(self, rate: float, noise_shape: NoiseShape = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(rate, type(self).__name__)
        self.noise_shape = checked_noise_shape(noise_shape, type(self).__name__)
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        self.supports_masking = True

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """The input, while training with zeros in it."""
        rate = self.rate
        if not training or rate == 0:
            return inputs
        if self.noise_shape is None and self._stream.is_global:
            return F.dropout(inputs, rate)
        return drop(inputs, rate, noise_sizes(inputs, self.noise_shape), self._stream)


class SpatialDropout(Layer):
    """Base of the dropouts that drop whole channels; a subclass says which axes go together.

    Neighbouring positions of one feature map are much alike, so that dropping them one by one hides little.
    Source: Tompson et al., 2015, "Efficient object localization using convolutional networks".
    """

    def __init__(
        self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.rate = checked_rate(rate, type(self).__name__)
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        self.supports_masking = True

    def noise_shape(self, shape: torch.Size) -> tuple[int, ...]:
        """The input's shape with 1 for the axes that go together."""
        return (shape[0], *(1,) * (len(shape) - 2), shape[-1])

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """The input, while training with zeros in whole channels."""
        if not training or self.rate == 0:
            return inputs
        return drop(inputs, self.rate, self.noise_shape(inputs.shape), self._stream)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["trainable"]
        return {**config, "dtype": self.dtype_policy.name}


@serializable("keras.layers")
class SpatialDropout1D(SpatialDropout):
    """Drop whole channels of sequences; see `Dropout` and `SpatialDropout`.

    Args:
        rate: the probability that a channel is dropped.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        name: the layer's name.
        dtype: dtype or dtype policy.

    Shapes:
        ``(batch, steps, channels)`` -> the same.

    Example:

    >>> SpatialDropout1D(0.5, seed=1)(torch.ones(1, 9, 2), training=True).std(1)
    tensor([[0., 0.]])
    """

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, seed, name, dtype)
        self.input_spec = InputSpec(ndim=3)


class _ImageDropout(SpatialDropout):
    axes = 4

    def __init__(
        self, rate: float, data_format: str | None = None, seed: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, seed, name, dtype)
        self.data_format = checked_data_format(data_format, type(self).__name__)
        self.input_spec = InputSpec(ndim=self.axes)

    def noise_shape(self, shape: torch.Size) -> tuple[int, ...]:
        """The input's shape with 1 for the axes of space."""
        if self.data_format == "channels_first":
            return (shape[0], shape[1], *(1,) * (len(shape) - 2))
        return super().noise_shape(shape)


@serializable("keras.layers")
class SpatialDropout2D(_ImageDropout):
    """Drop whole channels of images; see `Dropout` and `SpatialDropout`.

    Args:
        rate: the probability that a channel is dropped.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        name: the layer's name.
        dtype: dtype or dtype policy.

    Shapes:
        ``(batch, height, width, channels)`` -> the same.

    Example:

    >>> SpatialDropout2D(0.5, seed=1)(torch.ones(1, 3, 3, 2), training=True).std((1, 2))
    tensor([[0., 0.]])
    """


@serializable("keras.layers")
class SpatialDropout3D(_ImageDropout):
    """Drop whole channels of volumes; see `Dropout` and `SpatialDropout`.

    Args:
        rate: the probability that a channel is dropped.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        name: the layer's name.
        dtype: dtype or dtype policy.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> the same.

    Example:

    >>> SpatialDropout3D(0.5, seed=1)(torch.ones(1, 3, 3, 3, 2), training=True).std((1, 2, 3))
    tensor([[0., 0.]])
    """

    axes = 5


def drop(x: torch.Tensor, rate: float, shape: Any, stream: Stream) -> torch.Tensor:
    """Zeros where a draw of the given shape says so; the rest scaled up."""
    if rate >= 1:
        return x * 0
    return x * stream.bernoulli(x, shape, 1 - rate).div_(1 - rate)


def noise_sizes(x: torch.Tensor, noise_shape: NoiseShape) -> tuple[int, ...]:
    """The noise's shape for an input, with the input's sizes in place of ``None``."""
    if noise_shape is None:
        return tuple(x.shape)
    return tuple(x.shape[i] if size is None else size for i, size in enumerate(noise_shape))


def checked_rate(rate: float, who: str, *, below_one: bool = False) -> float:
    """The rate, if it is a probability."""
    if not isinstance(rate, (int, float)) or not 0 <= rate <= 1 or (below_one and rate == 1):
        end = "below 1" if below_one else "to 1"
        raise ArgumentError(f"{who} takes a rate from 0 {end}, the share that is dropped, but received rate={rate!r}.")
    return rate


def checked_noise_shape(noise_shape: Any, who: str) -> tuple[int | None, ...] | None:
    """The noise's shape as a tuple, if it is one."""
    if noise_shape is None:
        return None
    sizes = tuple(noise_shape) if isinstance(noise_shape, (list, tuple)) else ()
    if not sizes or not all(size is None or (isinstance(size, int) and size > 0) for size in sizes):
        raise ArgumentError(
            f"{who} takes a noise_shape of positive sizes (None for the input's own), but received {noise_shape!r}."
        )
    return sizes
