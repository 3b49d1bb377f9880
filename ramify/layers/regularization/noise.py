"""Layers that disturb their input in training, or penalize it."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from ramify import regularizers
from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.layers.regularization.dropout import NoiseShape, checked_noise_shape, checked_rate, noise_sizes
from ramify.registry import serializable
from ramify.seeds import Stream

# Of SELU (Klambauer et al., 2017): its limit on the left is -_SCALE * _ALPHA.
_ALPHA = 1.6732632423543772848170429916717
_SCALE = 1.0507009873554804934193349852946


@serializable("keras.layers")
class GaussianNoise(Layer):
    """Add normal noise while training.

    Args:
        stddev: its standard deviation, from 0 to 1.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: a standard deviation outside 0 to 1.

    Example:

    >>> GaussianNoise(0.1, seed=1)(torch.zeros(1000), training=True).std() < 0.2
    tensor(True)
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= stddev <= 1:
            raise ArgumentError(f"GaussianNoise takes a stddev from 0 to 1, but received stddev={stddev!r}.")
        self.stddev = stddev
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        self.supports_masking = True

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """The input, while training with noise."""
        if not training or self.stddev == 0:
            return inputs
        return inputs + self._stream.normal(inputs, 0.0, self.stddev)


@serializable("keras.layers")
class GaussianDropout(Layer):
    """Multiply by normal noise of mean 1 while training, of the variance that dropout at the same rate has.

    Source: Srivastava et al., 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 10.

    Args:
        rate: the standard deviation is ``sqrt(rate / (1 - rate))``; from 0 to below 1.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: a rate outside 0 to below 1.

    Example:

    >>> GaussianDropout(0.2, seed=1)(torch.ones(1000), training=True).mean() > 0.9
    tensor(True)
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(rate, "GaussianDropout", below_one=True)
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        self.supports_masking = True

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """The input, while training times noise."""
        if not training or self.rate == 0:
            return inputs
        return inputs * self._stream.normal(inputs, 1.0, math.sqrt(self.rate / (1 - self.rate)))


@serializable("keras.layers")
class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1: what is dropped becomes the lower limit of `selu`.

    Source: Klambauer et al., 2017, "Self-normalizing neural networks", https://arxiv.org/abs/1706.02515.

    Args:
        rate: the probability that a number is dropped, from 0 to below 1.
        noise_shape: shape of the draw, broadcast against the input; ``None`` in it stands for the input's size.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: a rate outside 0 to below 1, or a noise shape that is none.

    Example:

    >>> AlphaDropout(0.5, seed=1)(torch.randn(1000), training=True).shape
    torch.Size([1000])
    """

    def __init__(self, rate: float, noise_shape: NoiseShape = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(rate, "AlphaDropout", below_one=True)
        self.noise_shape = checked_noise_shape(noise_shape, "AlphaDropout")
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        self.supports_masking = True

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """The input, while training with some of it dropped."""
        rate = self.rate
        if not training or rate == 0:
            return inputs
        if self.noise_shape is None and self._stream.is_global:
            return F.alpha_dropout(inputs, rate, training=True)
        low = -_ALPHA * _SCALE
        kept = self._stream.bernoulli(inputs, noise_sizes(inputs, self.noise_shape), 1 - rate)
        scale = ((1 - rate) * (1 + rate * low**2)) ** -0.5
        return (inputs * kept + low * (1 - kept)) * scale - scale * low * rate


@serializable("keras.layers")
class ActivityRegularization(Layer):
    """Pass the input on, and add ``l1 * sum(|x|) + l2 * sum(x**2)``, divided by the batch's size, to the loss.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Shapes:
        any -> the same.

    Example:

    >>> layer = ActivityRegularization(l1=0.1)
    >>> _ = layer(torch.ones(1, 5))
    >>> layer.losses
    [tensor(0.5000)]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The input."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The two factors; the regularizer made of them is no argument."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config
