"""Convolutional LSTM: the cell, and the layers for one, two and three spatial axes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ShapeError
from ramify.image_format import checked_choice, checked_data_format, per_axis
from ramify.layers.arguments import own_arguments
from ramify.layers.convolutional.base import refuse_strides_with_dilation
from ramify.layers.recurrent.cell import Cell, States, settle_cell
from ramify.layers.recurrent.lstm import UnitForgetBias
from ramify.layers.recurrent.unit_rnn import UnitRNN
from ramify.ops.nn.padding import same_pads
from ramify.registry import serializable

_CONVOLUTIONS = (F.conv1d, F.conv2d, F.conv3d)


class ConvLSTMCell(Cell):
    """One step of an LSTM whose matrix products are convolutions (Shi et al., 2015).

    Args:
        rank: number of spatial axes.
        arguments: the arguments of `ConvLSTM2D` that are the cell's.
        **kwargs: what every layer takes.
    """

    gates = 4
    state_count = 2
    filters: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    data_format: str
    dilation_rate: tuple[int, ...]

    def __init__(self, rank: int, arguments: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        who = f"ConvLSTM{rank}D"
        settle_cell(self, arguments)
        self.rank = rank
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, per_axis(arguments[name], rank, f"{who}: {name}"))
        refuse_strides_with_dilation(self.strides, self.dilation_rate, who)
        self.padding = checked_choice(arguments["padding"], ("valid", "same"), f"{who}: padding")
        self.data_format = checked_data_format(arguments["data_format"], who)

    @property
    def state_size(self) -> list[int]:
        """The channels of both states."""
        return [self.filters, self.filters]

    @property
    def output_size(self) -> int:
        """The channels of the output."""
        return self.filters

    def build(self, input_shape: Any) -> None:
        """Make the kernels ``(*kernel_size, channels, 4 * filters)`` and ``(*kernel_size, filters, 4 * filters)``."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ShapeError(
                f"{self.describe()} needs to know its input's channels, but received shape {tuple(input_shape)} "
                f"({self.data_format}). Give them in `Input(shape=...)`."
            )
        width = 4 * self.filters
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, width))
        self.recurrent_kernel = self._weight("recurrent_kernel", (*self.kernel_size, self.filters, width))
        self.bias = self._weight("bias", (width,)) if self.use_bias else None

    def _bias_start(self) -> Any:
        return UnitForgetBias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def zeros(self, inputs: torch.Tensor) -> States:
        """The states that sequences ``(batch, time, ...)`` start with: of the size that the input convolution makes."""
        first = self._channel_axis == -1
        sizes = inputs.shape[2:-1] if first else inputs.shape[3:]
        made = []
        for size, window, step, gap in zip(sizes, self.kernel_size, self.strides, self.dilation_rate, strict=True):
            made.append(-(-size // step) if self.padding == "same" else (size - gap * (window - 1) - 1) // step + 1)
        shape = (*made, self.filters) if first else (self.filters, *made)
        zeros = inputs.new_zeros((inputs.shape[0], *shape))
        return [zeros, zeros]

    def project(self, inputs: torch.Tensor) -> torch.Tensor:
        """The convolution of the inputs; one or two leading axes."""
        leading = inputs.shape[: inputs.ndim - self.rank - 1]
        flat = inputs.flatten(0, len(leading) - 1)
        made = self._convolve(flat, self.kernel, self.bias, self.padding, self.strides, self.dilation_rate)
        return made.unflatten(0, leading)

    def step(self, projected: torch.Tensor, states: States, keep: torch.Tensor | None) -> tuple[torch.Tensor, States]:
        """The gates, the new memory, the new output."""
        h, c = states
        ones = (1,) * self.rank
        inner = self._convolve(h if keep is None else h * keep, self.recurrent_kernel, None, "same", ones, ones)
        i, f, g, o = (projected + inner).chunk(4, self._channel_axis)
        squash, act = self.recurrent_activation, self.activation
        c = squash(f) * c + squash(i) * act(g)
        h = squash(o) * act(c)
        return h, [h, c]

    def _convolve(
        self,
        x: torch.Tensor,
        kernel: torch.Tensor,
        bias: torch.Tensor | None,
        padding: str,
        strides: tuple[int, ...],
        dilation: tuple[int, ...],
    ) -> torch.Tensor:
        last = self._channel_axis == -1
        x = x.movedim(-1, 1) if last else x
        if padding == "same":
            windows = [gap * (size - 1) + 1 for size, gap in zip(self.kernel_size, dilation, strict=True)]
            pads = same_pads(x.shape[2:], windows, strides)
            if any(before or after for before, after in pads):
                x = F.pad(x, [zeros for pair in reversed(pads) for zeros in pair])
        weight = kernel.movedim((-1, -2), (0, 1))
        made = _CONVOLUTIONS[self.rank - 1](x, weight, bias, strides, 0, dilation)
        return made.movedim(1, -1) if last else made


class ConvLSTM(UnitRNN):
    """What the convolutional LSTMs have in common: all but the number of spatial axes."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        cell = ConvLSTMCell(self.rank, self.of_cell(arguments), **shared, name="conv_lstm_cell")
        self.set_up(cell, arguments, kwargs, self.rank + 3)

    def _zeros(self, sequences: torch.Tensor) -> list[Any]:
        return self.cell.zeros(sequences)


@serializable("keras.layers")
class ConvLSTM1D(ConvLSTM):
    """An LSTM over sequences of sequences, with convolutions for matrix products (Shi et al., 2015).

    Args:
        filters: channels of the states and the output.
        kernel_size: one size or one per spatial axis.
        strides: steps of the input convolution, one or one per axis.
        padding: of the input convolution, ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: distance between the taps of the input convolution's kernel, one or one per axis.
        activation: activation of the memory.
        recurrent_activation: activation of the gates.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel starts.
        recurrent_initializer: how the recurrent kernel starts.
        bias_initializer: how the bias of shape ``(4 * filters,)`` starts.
        unit_forget_bias: whether the bias of the forget gate starts at one.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, the same ones at every step.
        recurrent_dropout: share of the state to drop in training, the same parts at every step.
        seed: start of a private stream of randomness for dropping.
        return_sequences: whether to return the output of every step, in place of the last.
        return_state: whether to return the last states too.
        go_backwards: whether to go through time from the end.
        stateful: whether a batch starts with the states that the one before it ended with.

    Shapes:
        ``(batch, time, steps, channels)`` -> ``(batch, steps, filters)``,
        with a time axis after the batch with `return_sequences`; followed by two states of the latter shape with
        `return_state`. With ``"channels_first"`` the channels stand before the spatial axes.

    Example:

    >>> import ramify
    >>> ConvLSTM1D(8, 3, padding="same")(ramify.Input(shape=(10, 32, 3))).shape
    (None, 32, 8)
    """

    rank = 1


@serializable("keras.layers")
class ConvLSTM2D(ConvLSTM):
    """An LSTM over sequences of images, with convolutions for matrix products (Shi et al., 2015).

    Args:
        filters: channels of the states and the output.
        kernel_size: one size or one per spatial axis.
        strides: steps of the input convolution, one or one per axis.
        padding: of the input convolution, ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: distance between the taps of the input convolution's kernel, one or one per axis.
        activation: activation of the memory.
        recurrent_activation: activation of the gates.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel starts.
        recurrent_initializer: how the recurrent kernel starts.
        bias_initializer: how the bias of shape ``(4 * filters,)`` starts.
        unit_forget_bias: whether the bias of the forget gate starts at one.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, the same ones at every step.
        recurrent_dropout: share of the state to drop in training, the same parts at every step.
        seed: start of a private stream of randomness for dropping.
        return_sequences: whether to return the output of every step, in place of the last.
        return_state: whether to return the last states too.
        go_backwards: whether to go through time from the end.
        stateful: whether a batch starts with the states that the one before it ended with.

    Shapes:
        ``(batch, time, height, width, channels)`` -> ``(batch, height, width, filters)``,
        with a time axis after the batch with `return_sequences`; followed by two states of the latter shape with
        `return_state`. With ``"channels_first"`` the channels stand before the spatial axes.

    Example:

    >>> import ramify
    >>> ConvLSTM2D(8, 3, padding="same")(ramify.Input(shape=(10, 32, 32, 3))).shape
    (None, 32, 32, 8)
    """

    rank = 2


@serializable("keras.layers")
class ConvLSTM3D(ConvLSTM):
    """An LSTM over sequences of volumes, with convolutions for matrix products (Shi et al., 2015).

    Args:
        filters: channels of the states and the output.
        kernel_size: one size or one per spatial axis.
        strides: steps of the input convolution, one or one per axis.
        padding: of the input convolution, ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: distance between the taps of the input convolution's kernel, one or one per axis.
        activation: activation of the memory.
        recurrent_activation: activation of the gates.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel starts.
        recurrent_initializer: how the recurrent kernel starts.
        bias_initializer: how the bias of shape ``(4 * filters,)`` starts.
        unit_forget_bias: whether the bias of the forget gate starts at one.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, the same ones at every step.
        recurrent_dropout: share of the state to drop in training, the same parts at every step.
        seed: start of a private stream of randomness for dropping.
        return_sequences: whether to return the output of every step, in place of the last.
        return_state: whether to return the last states too.
        go_backwards: whether to go through time from the end.
        stateful: whether a batch starts with the states that the one before it ended with.

    Shapes:
        ``(batch, time, depth, height, width, channels)`` -> ``(batch, depth, height, width, filters)``,
        with a time axis after the batch with `return_sequences`; followed by two states of the latter shape with
        `return_state`. With ``"channels_first"`` the channels stand before the spatial axes.

    Example:

    >>> import ramify
    >>> ConvLSTM3D(8, 3, padding="same")(ramify.Input(shape=(10, 8, 8, 8, 3))).shape
    (None, 8, 8, 8, 8)
    """

    rank = 3
