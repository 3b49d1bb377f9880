"""`Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`: the gradient of a convolution, used to enlarge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.image_format import per_axis
from ramify.layers.arguments import own_arguments
from ramify.layers.convolutional.base import Convolution, Shape, refuse_strides_with_dilation
from ramify.ops.nn.padding import transposed_pads
from ramify.registry import serializable

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution1DTranspose", "Convolution2DTranspose",
    "Convolution3DTranspose",
]  # fmt: skip


class ConvTranspose(Convolution):
    """Base of the transposed convolutions; the arguments are described at `Conv2DTranspose`."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        super().__init__(own_arguments(locals()), kwargs)
        who = type(self).__name__
        refuse_strides_with_dilation(self.strides, self.dilation_rate, who)
        self.output_padding = _checked_output_padding(output_padding, self.strides, who)
        self._plan_pads()

    def _plan_pads(self) -> None:
        extra = self.output_padding or (None,) * self.rank
        pads = [
            transposed_pads(window, stride, self.padding, more)
            for window, stride, more in zip(self._windows, self.strides, extra, strict=True)
        ]
        lifted = [*((0, 0, 0) for _ in self._lift), *pads]
        self._pads, self._tails, self._cuts = (tuple(column) for column in zip(*lifted, strict=True))
        self._fits = not any(self._tails) and not any(self._cuts)
        self._convolve = F.conv_transpose3d if self.rank == 3 else F.conv_transpose2d

    def _check_room(self, input_shape: Shape) -> None:
        """Any size is enough to enlarge."""

    def build(self, input_shape: Shape) -> None:
        """Make the kernel ``(k..., filters, channels)`` and the bias ``(filters,)``."""
        channels = self.channels_of(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, self.filters, channels))
        self.bias = self.add_bias(self.filters)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Spread every input pixel over a window, add the bias, apply the activation."""
        x, kernel, bias = self.to_torch(inputs), self.torch_kernel(self.kernel), self.bias
        early = bias if not any(self._tails) else None
        x = self._convolve(x, kernel, early, self._strides, self._pads, 0, 1, self._dilation)
        return self.from_torch(x if self._fits else self._resized(x, bias))

    def _resized(self, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Cut pixels off the end, or add some that no window reaches, so that the size is the one promised.

        torch's `output_padding` could add them, but where no window reaches them it corrupts memory on the CPU (torch
        2.13: window 1, stride 2, output padding 1, in the backward pass).
        """
        for axis, cut in enumerate(self._cuts, start=2):
            if cut:
                x = x.narrow(axis, 0, x.shape[axis] - cut)
        if not any(self._tails):
            return x
        x = F.pad(x, [n for tail in reversed(self._tails) for n in (0, tail)])
        return x if bias is None else x + bias.view(-1, *(1 for _ in self._tails))


def _checked_output_padding(value: Any, strides: tuple[int, ...], who: str) -> tuple[int, ...] | None:
    if value is None:
        return None
    extra = per_axis(value, len(strides), f"{who}: output_padding", least=0)
    if any(more >= stride for more, stride in zip(extra, strides, strict=True)):
        raise ArgumentError(
            f"{who} takes an output_padding below the strides on every axis, but received output_padding={extra} with "
            f"strides={strides}. Make it smaller, or leave it out."
        )
    return extra


@serializable("keras.layers", "Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    """Transposed convolution along a sequence; arguments as in `Conv2DTranspose`.

    Shapes:
        ``(batch, steps, channels)`` -> ``(batch, new_steps, filters)``; the channels come before the steps with
        ``data_format="channels_first"``.

    Example:

    >>> import ramify
    >>> from ramify.layers import Conv1DTranspose
    >>> Conv1DTranspose(8, 4, strides=2, padding="same")(ramify.Input((50, 16))).shape
    (None, 100, 8)
    """

    rank = 1


@serializable("keras.layers", "Convolution2DTranspose")
class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over images: from the shape of a convolution's output to that of its input.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one number for both.
        strides: how many output pixels apart two neighbouring input pixels land, per axis or one number.
        padding: ``"valid"`` (everything that the windows reach) or ``"same"`` (``size * stride`` outputs).
        output_padding: fixes the output size to ``(size - 1) * stride + reach - 2 * cut + output_padding``, with
            ``cut`` 0 for ``"valid"`` and half of the kernel's reach, rounded down, for ``"same"``; below the stride.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.
        dilation_rate: distance between the window's taps; not together with strides above 1.
        activation: name or function; none when not given.
        use_bias: whether to add a bias per filter.
        kernel_initializer: how the kernel of shape ``(height, width, filters, channels)`` starts.
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
        ArgumentError: sizes or names outside their range.
        ShapeError: on the first call, an unknown number of channels.

    Source:
        Zeiler et al., 2010, "Deconvolutional Networks"; Dumoulin and Visin, 2016, "A guide to convolution arithmetic".

    Example:

    >>> import ramify
    >>> from ramify.layers import Conv2DTranspose
    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(ramify.Input((14, 14, 16))).shape
    (None, 28, 28, 8)
    """

    rank = 2


@serializable("keras.layers", "Convolution3DTranspose")
class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over volumes; arguments as in `Conv2DTranspose`, `data_format` before `output_padding`.

    Shapes:
        ``(batch, depth, height, width, channels)`` -> ``(batch, new_depth, new_height, new_width, filters)``; the
        channels come before the depth with ``data_format="channels_first"``.

    Example:

    >>> import ramify
    >>> from ramify.layers import Conv3DTranspose
    >>> Conv3DTranspose(4, 2, strides=2)(ramify.Input((8, 8, 8, 16))).shape
    (None, 16, 16, 16, 4)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        super().__init__(**own_arguments(locals()), **kwargs)


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
