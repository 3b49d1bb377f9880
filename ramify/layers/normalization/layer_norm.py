"""`LayerNormalization`: every sample to mean 0 and variance 1, by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.arguments import own_arguments
from ramify.layers.normalization.affine import Affine
from ramify.layers.normalization.layout import TrailingView, axis_list, checked_axis
from ramify.registry import serializable


@serializable("keras.layers")
class LayerNormalization(Affine):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with mean and variance over one or more axes.

    Source: Ba et al., 2016, https://arxiv.org/abs/1607.06450.

    Args:
        axis: the axis or axes to normalize over; gamma and beta have their sizes.
        epsilon: keeps the division finite.
        center: whether to add `beta`.
        scale: whether to multiply by `gamma`.
        beta_initializer: how beta starts.
        gamma_initializer: how gamma starts.
        beta_regularizer: penalty on beta.
        gamma_regularizer: penalty on gamma.
        beta_constraint: applied to beta after every update.
        gamma_constraint: applied to gamma after every update.
        rms_scaling: deprecated: ``gamma * x / sqrt(variance + epsilon)``, the mean left in; there is no beta then.
            `RMSNormalization` is the layer of that name in the literature.

    Shapes:
        any -> the same.

    Raises:
        ShapeError: no such axis, or its size is unknown.

    Example:

    >>> LayerNormalization(epsilon=0.0)(torch.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    rms_scaling: bool

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma and beta of the sizes of the axes."""
        rank = len(input_shape)
        axes = axis_list(self.axis)
        self.axis = axes if len(axes) == 1 else sorted(axis % rank for axis in axes)
        sizes = [checked_axis(axis, tuple(input_shape), self.describe()) for axis in self.axis]
        self.add_affine(sizes, scale=self.scale or self.rms_scaling, center=self.center and not self.rms_scaling)
        self._sizes = sizes
        self._view = TrailingView(rank, self.axis)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The normalized input."""
        view = self._view
        x = view.enter(inputs)
        if self.rms_scaling:
            variance = x.var(view.ends, correction=0, keepdim=True)
            y = x * torch.rsqrt(variance + self.epsilon) * self.gamma
        else:
            y = torch.layer_norm(x, self._sizes, *self.affine_for(x), self.epsilon)
        return view.leave(y)
