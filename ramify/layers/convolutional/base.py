"""What all convolution layers share: arguments, the way to torch's kernels and back, padding, bias and activation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations, regularizers
from ramify.errors import ArgumentError, ShapeError
from ramify.image_format import checked_choice, checked_data_format, per_axis
from ramify.layers.arguments import settle
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.ops.nn.padding import same_pads
from ramify.variables import laid_out

Shape = tuple[int | None, ...]


class Convolution(Layer):
    """Base of the convolution layers; a subclass makes the kernels in `build` and says in `call` how they are used.

    Sequences run as images of height 1: torch's two-dimensional kernels work on channels-last memory as it is, the
    one-dimensional ones copy it (3.1 against 1.2 ms for 64 channels, 32 x 128 steps).

    Kernels have Keras's shape, but lie in memory as torch's kernels read them: with the channels last, or as
    ``(out, in, k...)`` for channels first. So what torch is given is a view, and nothing is put in order at each call
    (3x3 with 512 channels, 7x7, takes 1.6 times as long forward, and 1.2 times in training, with kernels in the order
    of their shape).

    Args:
        kernel_size: one size or one per axis.
        strides: one step or one per axis.
        padding: ``"valid"`` (none), ``"same"`` (``ceil(size / stride)`` outputs) or, for `Conv1D`, ``"causal"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: distance between the kernel's taps, one or one per axis.
        activation: name or function; none when not given.
        use_bias: whether to add a bias per filter.
        bias_initializer: how the bias starts.
        bias_regularizer: penalty on the bias.
        bias_constraint: applied to the bias after every update.
        activity_regularizer: penalty on the output.
    """

    rank: int
    activation: Any
    filters: int
    groups: int = 1
    depth_multiplier: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(self, arguments: Mapping[str, Any], further: Mapping[str, Any]) -> None:
        super().__init__(activity_regularizer=arguments["activity_regularizer"], **further)
        settle(self, arguments)
        who, rank = type(self).__name__, self.rank
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, per_axis(arguments[name], rank, f"{who}: {name}"))
        self.padding = checked_choice(arguments["padding"], self.paddings, f"{who}: padding")
        self.data_format = checked_data_format(arguments["data_format"], who)
        self.input_spec = InputSpec(ndim=rank + 2)
        self._plan()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; as in Keras, the activity regularizer stands there even where there is none."""
        config = super().get_config()
        return {**config, "activity_regularizer": regularizers.serialize(self.activity_regularizer)}

    def _plan(self) -> None:
        """Work out once what every call needs; sequences get an axis of size 1 in front of their own."""
        rank = self.rank
        lift = (1,) if rank == 1 else ()
        axes = tuple(range(1, rank + len(lift) + 1))
        self._last = self.data_format == "channels_last"
        self._lift_axis = (1 if self._last else 2) if rank == 1 else None
        self._to_front = (0, len(axes) + 1, *axes)
        self._kernel_axes = (rank + 1, rank, *range(rank))
        self._channel_axes = (rank, rank + 1, *range(rank))  # for kernels (k..., channels, multiplier)
        self._kernel_memory = (rank + 1, *range(rank), rank) if self._last else self._kernel_axes
        self._to_back = (0, *(axis + 1 for axis in axes), 1)
        self._spatial = slice(1, rank + 1) if self._last else slice(2, rank + 2)
        self._windows = tuple((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))
        self._lift = lift
        self._strides = (*lift, *self.strides)
        self._dilation = (*lift, *self.dilation_rate)
        self._no_padding = (0,) * len(axes)
        self._fixed_padding = self._find_fixed_padding()

    def _find_fixed_padding(self) -> tuple[int, ...] | None:
        """The padding that torch's kernel can do by itself whatever the sizes, or ``None``."""
        if self.padding == "valid":
            return self._no_padding
        odd = all(window % 2 for window in self._windows)
        if self.padding == "same" and odd and set(self.strides) == {1}:
            return (*(0 for _ in self._lift), *(window // 2 for window in self._windows))
        return None

    # ---- building ----

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, counted as in `InputSpec`."""
        return -1 if self._last else 1

    def channels_of(self, input_shape: Shape) -> int:
        """The number of input channels; also fixes it, and checks that the kernel fits into the image.

        Raises:
            ShapeError: the number is unknown, or an axis is shorter than the kernel reaches.
        """
        if len(input_shape) != self.rank + 2:  # where a wrapper builds the layer, no call has looked at the rank
            raise ShapeError(
                f"{self.describe()} takes inputs of {self.rank + 2} axes, but received shape {input_shape}. "
                f"The batch, {self.rank} spatial axes and the channels are needed."
            )
        size = input_shape[self.channel_axis]
        if size is None:
            raise ShapeError(
                f"{self.describe()} needs to know how many channels its input has, but received shape {input_shape} "
                f"with data_format='{self.data_format}'. Give that size in `Input(shape=...)`."
            )
        self._check_room(input_shape)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: size})
        return size

    def _check_room(self, input_shape: Shape) -> None:
        if self.padding != "valid":
            return
        for size, window in zip(input_shape[self._spatial], self._windows, strict=True):
            if size is not None and size < window:
                raise ShapeError(
                    f"{self.describe()} reaches over {self._windows} pixels, but received an input of shape "
                    f"{input_shape}, which is smaller. Use padding='same', a smaller kernel, or larger inputs."
                )

    def add_kernel(self, shape: Shape, weight: str = "kernel", argument: str = "kernel") -> Any:
        """Make a kernel that lies in memory as torch's kernels read it, whatever its shape.

        Args:
            shape: ``(k..., a, b)``.
            weight: its name.
            argument: what the arguments that it is made with begin with.
        """
        kernel = self.add_weight_of(weight, shape, argument)
        kernel.data = laid_out(kernel.detach(), self._channel_axes if argument == "depthwise" else self._kernel_memory)
        return kernel

    def add_bias(self, filters: int) -> Any:
        """Make the bias, or nothing where there is none."""
        return self.add_weight_of("bias", (filters,)) if self.use_bias else None

    # ---- calling ----

    def to_torch(self, x: torch.Tensor) -> torch.Tensor:
        """The input as torch's kernels take it: ``(batch, channels, ...)``; a view."""
        if self._lift_axis is not None:
            x = x.unsqueeze(self._lift_axis)
        return x.permute(self._to_front) if self._last else x

    def from_torch(self, x: torch.Tensor) -> torch.Tensor:
        """What torch's kernel returned, as a view in the layer's own layout, and through the activation."""
        if self._last:
            x = x.permute(self._to_back)
        if self._lift_axis is not None:
            x = x.squeeze(self._lift_axis)
        activation = self.activation
        return x if activation is activations.linear else activation(x)

    def padded(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[int, ...]]:
        """The input, and the padding left to torch's kernel: a copy is made only for padding that is lopsided."""
        fixed = self._fixed_padding
        if fixed is not None:
            return x, fixed
        if self.padding == "causal":
            pads: Any = ((self._windows[0] - 1, 0),)
        else:
            pads = same_pads(x.shape[self._spatial], self._windows, self.strides)
        if all(before == after for before, after in pads):
            return x, (*(0 for _ in self._lift), *(before for before, _ in pads))
        flat = [n for pair in reversed(pads) for n in pair]
        return F.pad(x, [0, 0, *flat] if self._last else flat), self._no_padding

    def torch_kernel(self, kernel: torch.Tensor) -> torch.Tensor:
        """The kernel ``(k..., a, b)`` as torch's ``(b, a, k...)``; a view."""
        kernel = kernel.permute(self._kernel_axes)
        return kernel.unsqueeze(2) if self._lift else kernel

    def depthwise(self, x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Convolve each channel with its own kernels ``(k..., channels, multiplier)``; returns torch's layout.

        torch's groups are the channels then; the outputs of one channel stay together, and the kernel is a view.
        """
        x, padding = self.padded(x)
        filters = kernel.permute(self._channel_axes)
        if kernel.shape[-1] > 1:
            filters = filters.flatten(0, 1).unsqueeze(1)
        if self._lift:
            filters = filters.unsqueeze(2)
        return F.conv2d(self.to_torch(x), filters, bias, self._strides, padding, self._dilation, kernel.shape[-2])


def check_groups(filters: int, groups: Any, who: str) -> None:
    """Refuse numbers of filters and groups that cannot be.

    Raises:
        ArgumentError: not positive whole numbers, or filters that the groups do not share evenly.
    """
    if not isinstance(groups, int) or groups <= 0 or filters % groups:
        raise ArgumentError(
            f"{who} takes groups that share the filters evenly, but received groups={groups!r} for {filters} filters. "
            "Make filters a multiple of groups."
        )


def refuse_strides_with_dilation(strides: tuple[int, ...], dilation: tuple[int, ...], who: str) -> None:
    """Refuse, as Keras does, steps in both the input and the kernel.

    Raises:
        ArgumentError: both are greater than 1 somewhere.
    """
    if max(strides) > 1 and max(dilation) > 1:
        raise ArgumentError(
            f"{who} takes no strides={strides} together with dilation_rate={dilation}. Leave one of them at 1."
        )
