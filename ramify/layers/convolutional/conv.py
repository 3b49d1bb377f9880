"""`Conv1D`, `Conv2D`, `Conv3D`: the same small kernel slides over sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations
from ramify.errors import ShapeError
from ramify.layers.arguments import own_arguments
from ramify.layers.convolutional.base import Convolution, Shape, check_groups, refuse_strides_with_dilation
from ramify.layers.low_rank import LowRank
from ramify.registry import serializable

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D"]


class Conv(LowRank, Convolution):
    """Base of the plain convolutions; the arguments are described at `Conv2D`."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.__dict__.update(lora_rank=kwargs.pop("lora_rank", None), lora_alpha=kwargs.pop("lora_alpha", None))
        super().__init__(own_arguments(locals()), kwargs)
        check_groups(filters, groups, type(self).__name__)
        refuse_strides_with_dilation(self.strides, self.dilation_rate, type(self).__name__)
        self._convolve = F.conv3d if self.rank == 3 else F.conv2d
        ones = {*self.kernel_size, *self.strides, groups}
        self._is_dense = ones == {1} and self._last  # a padding of nothing does not matter

    def build(self, input_shape: Shape) -> None:
        """Make the kernel ``(k..., channels / groups, filters)`` and the bias ``(filters,)``."""
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{self.describe()} has {self.groups} groups that cannot share {channels} channels evenly; it received "
                f"an input of shape {input_shape}. Use a number of groups that divides {channels}."
            )
        self.kernel = self.add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_bias(self.filters)
        self.build_lora()

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Slide the kernel, add the bias, apply the activation."""
        weight = self.updated_weight() if self.lora_enabled else self.kernel
        if self._is_dense and inputs.is_cpu and torch.is_grad_enabled():
            # At most sizes of ResNet-50, forward and backward as matrix products take 0.7 to 1.0 times as long as
            # `nn.Conv2d`, which puts the kernel in order first. Without gradients, it takes the activation along.
            x = F.linear(inputs, weight.flatten(0, -2).t(), self.bias)
            return x if self.activation is activations.linear else self.activation(x)
        x, padding = self.padded(inputs)
        kernel = self.torch_kernel(weight)
        x = self._convolve(self.to_torch(x), kernel, self.bias, self._strides, padding, self._dilation, self.groups)
        return self.from_torch(x)


@serializable("keras.layers", "Convolution1D")
class Conv1D(Conv):
    """Convolution along a sequence; arguments as in `Conv2D`, and ``padding="causal"``: no output sees what is later.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, new_steps, filters)``; the channels come before the steps with
        ``data_format="channels_first"``.

    Source:
        van den Oord et al., 2016, "WaveNet: A Generative Model for Raw Audio" (causal, dilated convolutions).

    Example:

    >>> import ramify
    >>> from ramify.layers import Conv1D
    >>> Conv1D(32, 3, padding="causal", dilation_rate=4)(ramify.Input((128, 10))).shape
    (None, 128, 32)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@serializable("keras.layers", "Convolution2D")
class Conv2D(Conv):
    """Convolution over images: each output pixel is a weighted sum of a window of the input, with the same weights.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one number for both.
        strides: how far the window moves per step, per axis or one number.
        padding: ``"valid"`` (none) or ``"same"`` (zeros around, so that ``ceil(size / stride)`` outputs come;
            an odd zero goes after).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        dilation_rate: distance between the window's taps; not together with strides above 1.
        groups: how many groups the channels fall into; each has its own filters.
        activation: name or function; none when not given.
        use_bias: whether to add a bias per filter.
        kernel_initializer: how the kernel of shape ``(height, width, channels / groups, filters)`` starts.
        bias_initializer: how the bias of shape ``(filters,)`` starts.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: applied to the kernel after every update.
        bias_constraint: applied to the bias after every update.

    Shapes:
        ``(batch, height, width, channels)`` -> ``(batch, new_height, new_width, filters)``; the channels come before
        the height with ``data_format="channels_first"``.

    Raises:
        ArgumentError: sizes, groups or names outside their range.
        ShapeError: on the first call, channels that are unknown or that the groups cannot share, or an image that is
            smaller than the window.

    Source:
        LeCun et al., 1989, "Backpropagation Applied to Handwritten Zip Code Recognition".

    Example:

    >>> import ramify
    >>> from ramify.layers import Conv2D
    >>> Conv2D(8, 3, strides=2, padding="same", activation="relu")(ramify.Input((28, 28, 1))).shape
    (None, 14, 14, 8)
    """

    rank = 2


@serializable("keras.layers", "Convolution3D")
class Conv3D(Conv):
    """Convolution over volumes or videos; arguments as in `Conv2D`, with three axes.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> ``(batch, new_depth, new_height, new_width, filters)``; the
        channels come before the depth with ``data_format="channels_first"``.

    Source:
        Tran et al., 2015, "Learning Spatiotemporal Features with 3D Convolutional Networks".

    Example:

    >>> import ramify
    >>> from ramify.layers import Conv3D
    >>> Conv3D(4, 3)(ramify.Input((16, 16, 16, 1))).shape
    (None, 14, 14, 14, 4)
    """

    rank = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
