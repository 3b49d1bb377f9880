"""`GroupNormalization`: groups of channels of every sample to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ShapeError
from ramify.layers.arguments import own_arguments
from ramify.layers.input_spec import InputSpec
from ramify.layers.normalization.affine import Affine
from ramify.layers.normalization.layout import ChannelView, checked_axis
from ramify.registry import serializable


@serializable("keras.layers")
class GroupNormalization(Affine):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with mean and variance over groups of channels.

    Source: Wu & He, 2018, https://arxiv.org/abs/1803.08494.

    Args:
        groups: number of groups; it divides the number of channels. -1 for groups of one channel each.
        axis: the axis of the channels.
        epsilon: keeps the division finite.
        center: whether to add `beta`.
        scale: whether to multiply by `gamma`.
        beta_initializer: how beta, of shape ``(channels,)``, starts.
        gamma_initializer: how gamma starts.
        beta_regularizer: penalty on beta.
        gamma_regularizer: penalty on gamma.
        beta_constraint: applied to beta after every update.
        gamma_constraint: applied to gamma after every update.

    Shapes:
        any -> the same.

    Raises:
        ShapeError: the groups do not divide the channels, or their number is unknown.

    Example:

    >>> GroupNormalization(groups=2, epsilon=0.0)(torch.tensor([[1.0, 3.0, 5.0, 9.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    groups: int
    axis: int

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma and beta for the channels."""
        channels = checked_axis(self.axis, tuple(input_shape), self.describe())
        if self.groups == -1:
            self.groups = channels
        if self.groups < 1 or channels % self.groups:
            raise ShapeError(
                f"{self.describe()} cannot divide the {channels} channels on axis {self.axis} of an input of shape "
                f"{tuple(input_shape)} into {self.groups} groups. Choose `groups` so that it divides {channels}."
            )
        self.add_affine((channels,), scale=self.scale, center=self.center)
        self._view = ChannelView(len(input_shape), self.axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The normalized input."""
        view = self._view
        x = view.enter(inputs)
        if not x.requires_grad and x.device.type == "cpu" and torch.is_grad_enabled():
            # With channels last, the backward pass of torch 2.13 crashes where the input itself needs no gradient.
            x = x.contiguous()
        gamma, beta = self.affine_for(x)
        enabled = torch.backends.cudnn.enabled
        if gamma is None and beta is not None:  # alone, the kernel's backward pass does not take an offset
            y = torch.group_norm(x, self.groups, None, None, self.epsilon, enabled)
            y = y + beta.view(-1, *(1,) * (x.ndim - 2))
        else:
            y = torch.group_norm(x, self.groups, gamma, beta, self.epsilon, enabled)
        return view.leave(y, inputs)
