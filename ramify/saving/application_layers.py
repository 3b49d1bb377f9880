"""Layers that models of `keras.applications` bring along: nobody builds with them, but their files name them."""

from __future__ import annotations

from typing import Any

import torch

from ramify.layers.layer import Layer
from ramify.registry import serializable
from ramify.seeds import Stream


@serializable("keras")
class LayerScale(Layer):
    """The input times a learned factor for each feature, which begins small, so that a deep residual net can start.

    Source: Touvron et al., 2021, "Going deeper with image transformers", equation 4.

    Args:
        init_values: what all factors begin with.
        projection_dim: the number of features.

    Shapes:
        (..., projection_dim) -> the same.

    Example:

    >>> LayerScale(0.5, 2)(torch.ones(1, 2)).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:
        """Make the factors."""
        self.gamma = self.add_weight((self.projection_dim,), self._start, name="gamma")

    def _start(self, shape: Any, dtype: Any = None) -> torch.Tensor:
        return torch.full(tuple(shape), self.init_values)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The scaled input."""
        return inputs * self.gamma


@serializable("keras")
class CustomScaleLayer(Layer):
    """The first input plus the second one times a fixed factor: the residual sums of Inception-ResNet.

    Source: Szegedy et al., 2017, "Inception-v4, Inception-ResNet and the impact of residual connections on learning".

    Args:
        scale: the factor.

    Shapes:
        Two tensors of one shape -> that shape.

    Example:

    >>> CustomScaleLayer(0.5)([torch.ones(1, 2), torch.ones(1, 2)]).tolist()
    [[1.5, 1.5]]
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The sum."""
        return torch.add(inputs[0], inputs[1], alpha=self.scale)


@serializable("keras")
class StochasticDepth(Layer):
    """While training, drops whole samples of a residual branch and scales up the others; passes all on otherwise.

    Source: Huang et al., 2016, "Deep networks with stochastic depth".

    Args:
        drop_path_rate: the share of samples that are dropped, from 0 to below 1.

    Shapes:
        (batch, ...) -> the same.

    Example:

    >>> StochasticDepth(0.5)(torch.ones(1, 2)).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = drop_path_rate
        self._stream = Stream(None, type(self).__name__)

    def call(self, inputs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """The input, while training with zeros for some samples."""
        if not training:
            return inputs
        kept = 1 - self.drop_path_rate
        return inputs / kept * self._stream.bernoulli(inputs, (inputs.shape[0], *(1,) * (inputs.ndim - 1)), kept)
