"""`SpectralNormalization`: another layer's kernel kept at spectral norm 1."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import initializers
from ramify.errors import ArgumentError
from ramify.layers.core.wrapper import Wrapper
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class SpectralNormalization(Wrapper):
    """Before every training call, divide a layer's kernel by its largest singular value.

    The singular value is found by power iteration, from where the last call stopped.
    Source: Miyato et al., 2018, https://arxiv.org/abs/1802.05957.

    Args:
        layer: a layer with a `kernel` or with `embeddings`.
        power_iterations: number of iterations in each call.

    Raises:
        ArgumentError: no iterations, or a layer without such a weight.

    Example:

    >>> import ramify
    >>> layer = SpectralNormalization(ramify.layers.Dense(4), power_iterations=20)
    >>> _ = layer(torch.ones(1, 3), training=True)
    >>> round(float(torch.linalg.svdvals(layer.layer.kernel.detach())[0]), 2)
    1.0
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if not isinstance(power_iterations, int) or power_iterations < 1:
            raise ArgumentError(
                f"SpectralNormalization takes a positive number of iterations, but received {power_iterations!r}."
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        """Build the layer, and make the vector that the power iteration goes on from."""
        self.build_inside(input_shape)
        kernel = self._weight()
        self.kernel = kernel
        self.vector_u = self.add_weight(
            (1, kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02), trainable=False, name="vector_u"
        )

    def _weight(self) -> torch.Tensor:
        for name in ("kernel", "embeddings"):
            weight = getattr(self.layer, name, None)
            if isinstance(weight, torch.Tensor):
                return weight
        raise ArgumentError(
            f"{self.describe()} needs a layer with a `kernel` or `embeddings`, which {self.layer.describe()} has not. "
            "Wrap a Dense, convolutional or Embedding layer."
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What the layer returns, with its kernel normalized first while training."""
        if training:
            self.normalize_weights()
        return self.layer(inputs)

    def normalize_weights(self) -> None:
        """One step: move the vector, divide the kernel."""
        with torch.no_grad():
            weight = self._weight()
            matrix = weight.reshape(-1, weight.shape[-1])
            u = self.vector_u.to(matrix.dtype)
            for _ in range(self.power_iterations):
                v = F.normalize(u @ matrix.t(), dim=-1)
                u = F.normalize(v @ matrix, dim=-1)
            sigma = v @ matrix @ u.t()
            self.vector_u.copy_(u)
            weight.div_(sigma.reshape(()))
