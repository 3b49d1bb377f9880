"""`DepthwiseConv1D`, `DepthwiseConv2D`: every channel is convolved on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.arguments import own_arguments
from ramify.layers.convolutional.base import Convolution, Shape
from ramify.registry import serializable

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D"]


class DepthwiseConv(Convolution):
    """Base of the depthwise convolutions; the arguments are described at `DepthwiseConv2D`."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)

    def build(self, input_shape: Shape) -> None:
        """Make the kernel ``(k..., channels, depth_multiplier)`` and a bias per output channel."""
        channels = self.channels_of(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels, self.depth_multiplier), argument="depthwise")
        self.bias = self.add_bias(channels * self.depth_multiplier)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Slide each channel's kernels over it, add the bias, apply the activation."""
        return self.from_torch(self.depthwise(inputs, self.kernel, self.bias))


@serializable("keras.layers")
class DepthwiseConv1D(DepthwiseConv):
    """Convolution of each channel of a sequence on its own; arguments as in `DepthwiseConv2D`.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, new_steps, channels * depth_multiplier)``; the channels come before
        the steps with ``data_format="channels_first"``.

    Example:

    >>> import ramify
    >>> from ramify.layers import DepthwiseConv1D
    >>> DepthwiseConv1D(3, depth_multiplier=2)(ramify.Input((10, 4))).shape
    (None, 8, 8)
    """

    rank = 1


@serializable("keras.layers")
class DepthwiseConv2D(DepthwiseConv):
    """Convolution of each channel of an image on its own.

    Args:
        kernel_size: height and width of the window, or one number for both.
        strides: how far the window moves per step, per axis or one number.
        padding: ``"valid"`` (none) or ``"same"`` (zeros around, so that ``ceil(size / stride)`` outputs come).
        depth_multiplier: number of kernels, and so of outputs, per channel.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        dilation_rate: distance between the window's taps.
        activation: name or function; none when not given.
        use_bias: whether to add a bias per output channel.
        depthwise_initializer: how the kernel of shape ``(height, width, channels, depth_multiplier)`` starts.
        bias_initializer: how the bias of shape ``(channels * depth_multiplier,)`` starts.
        depthwise_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        depthwise_constraint: applied to the kernel after every update.
        bias_constraint: applied to the bias after every update.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, new_height, new_width, channels * depth_multiplier)``;
        the channels come before the height with ``data_format="channels_first"``.

    Raises:
        ArgumentError: sizes or names outside their range.
        ShapeError: on the first call, an unknown number of channels, or an image smaller than the window.

    Source:
        Howard et al., 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications".

    Example:

    >>> import ramify
    >>> from ramify.layers import DepthwiseConv2D
    >>> DepthwiseConv2D(3, padding="same")(ramify.Input((32, 32, 16))).shape
    (None, 32, 32, 16)
    """

    rank = 2
