"""`SeparableConv1D`, `SeparableConv2D`: a convolution split into one over space and one over channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.layers.arguments import own_arguments
from ramify.layers.convolutional.base import Convolution, Shape
from ramify.registry import serializable

__all__ = ["SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D"]


class SeparableConv(Convolution):
    """Base of the separable convolutions; the arguments are described at `SeparableConv2D`."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)

    def build(self, input_shape: Shape) -> None:
        """Make a kernel per channel, the kernel of window 1 that mixes the channels, and the bias."""
        channels = self.channels_of(input_shape)
        middle = channels * self.depth_multiplier
        windows, mixing = (*self.kernel_size, channels, self.depth_multiplier), (middle, self.filters)
        self.depthwise_kernel = self.add_kernel(windows, "depthwise_kernel", "depthwise")
        self.pointwise_kernel = self.add_kernel((*(1,) * self.rank, *mixing), "pointwise_kernel", "pointwise")
        self.bias = self.add_bias(self.filters)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Convolve each channel on its own, then mix the channels pixel by pixel."""
        x = self.depthwise(inputs, self.depthwise_kernel, None)
        return self.from_torch(F.conv2d(x, self.torch_kernel(self.pointwise_kernel), self.bias))


@serializable("keras.layers", "SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """Separable convolution along a sequence; arguments as in `SeparableConv2D`.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, new_steps, filters)``; the channels come before the steps with
        ``data_format="channels_first"``.

    Example:

    >>> import ramify
    >>> from ramify.layers import SeparableConv1D
    >>> SeparableConv1D(8, 3)(ramify.Input((10, 4))).shape
    (None, 8, 8)
    """

    rank = 1


@serializable("keras.layers", "SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """A depthwise convolution, then a convolution with a window of one pixel that mixes the channels.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the first window, or one number for both.
        strides: how far the first window moves per step, per axis or one number.
        padding: ``"valid"`` (none) or ``"same"`` (zeros around, so that ``ceil(size / stride)`` outputs come).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        dilation_rate: distance between the first window's taps.
        depth_multiplier: number of channels between the two steps per input channel.
        activation: name or function, after both steps; none when not given.
        use_bias: whether to add a bias per filter.
        depthwise_initializer: how the kernel of shape ``(height, width, channels, depth_multiplier)`` starts.
        pointwise_initializer: how the kernel of shape ``(1, 1, channels * depth_multiplier, filters)`` starts.
        bias_initializer: how the bias of shape ``(filters,)`` starts.
        depthwise_regularizer: penalty on the first kernel.
        pointwise_regularizer: penalty on the second kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        depthwise_constraint: applied to the first kernel after every update.
        pointwise_constraint: applied to the second kernel after every update.
        bias_constraint: applied to the bias after every update.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, new_height, new_width, filters)``; the channels come before
        the height with ``data_format="channels_first"``.

    Raises:
        ArgumentError: sizes or names outside their range.
        ShapeError: on the first call, an unknown number of channels, or an image smaller than the window.

    Source:
        Chollet, 2017, "Xception: Deep Learning with Depthwise Separable Convolutions".

    Example:

    >>> import ramify
    >>> from ramify.layers import SeparableConv2D
    >>> SeparableConv2D(16, 3, padding="same")(ramify.Input((32, 32, 3))).shape
    (None, 32, 32, 16)
    """

    rank = 2


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
