"""Long short-term memory: `LSTMCell` and `LSTM`."""

from __future__ import annotations

from typing import Any

import torch

from ramify import activations
from ramify.initializers import Ones
from ramify.kernels.over_time import flat_weights
from ramify.layers.arguments import own_arguments
from ramify.layers.recurrent.cell import Cell, States, settle_cell
from ramify.layers.recurrent.unit_rnn import UnitRNN
from ramify.registry import serializable

# Large enough that a gate is exactly open or shut in every dtype, small enough for float16.
_CERTAIN = 1e4


class UnitForgetBias:
    """A bias initializer that starts the forget gate's quarter at one (Jozefowicz et al., 2015)."""

    def __init__(self, base: Any) -> None:
        self.base = base

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> torch.Tensor:
        """The initializer itself for three gates, ones for the forget gate."""
        quarter = (shape[0] // 4,)
        return torch.cat([self.base(quarter, dtype), Ones()(quarter, dtype), self.base((2 * quarter[0],), dtype)])


@serializable("keras.layers")
class LSTMCell(Cell):
    """One step of long short-term memory (Hochreiter and Schmidhuber, 1997; with forget gate, Gers et al., 2000).

    ``i, f, g, o = inputs @ kernel + h @ recurrent_kernel + bias``, cut in four;
    ``c' = σ(f) c + σ(i) tanh(g)``; ``h' = σ(o) tanh(c')``.

    Args:
        units: size of the states and the output.
        activation: in place of tanh above.
        recurrent_activation: in place of σ above.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, 4 * units)`` starts.
        recurrent_initializer: how the recurrent kernel of shape ``(units, 4 * units)`` starts.
        bias_initializer: how the bias of shape ``(4 * units,)`` starts.
        unit_forget_bias: whether the bias of the forget gate starts at one.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, between 0 and 1.
        recurrent_dropout: share of ``h`` to drop in training where it enters the matrix product.
        seed: start of a private stream of randomness for dropping.

    Shapes:
        ``(batch, inputs)`` and states ``[h, c]`` of ``(batch, units)`` -> ``(batch, units)`` and new states.

    Example:

    >>> import torch
    >>> h, (_, c) = LSTMCell(4)(torch.ones(2, 3), [torch.zeros(2, 4), torch.zeros(2, 4)])
    >>> h.shape
    torch.Size([2, 4])
    """

    gates = 4
    state_count = 2

    def __init__(
        self,
        units: int,
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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        super().__init__(**kwargs)
        settle_cell(self, arguments)

    def _bias_start(self) -> Any:
        return UnitForgetBias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer

    def step(self, projected: torch.Tensor, states: States, keep: torch.Tensor | None) -> tuple[torch.Tensor, States]:
        """The gates, the new memory, the new output."""
        h, c = states
        gates = torch.addmm(projected, h if keep is None else h * keep, self.recurrent_kernel)
        i, f, g, o = gates.chunk(4, -1)
        squash, act = self.recurrent_activation, self.activation
        c = squash(f) * c + squash(i) * act(g)
        h = squash(o) * act(c)
        return h, [h, c]

    @property
    def has_kernel(self) -> bool:
        """Whether the activations are the default ones."""
        return self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid

    def fused(self, inputs: torch.Tensor, states: States, counts: torch.Tensor | None) -> tuple[Any, States]:
        """Torch's LSTM kernel."""
        kernel = self.kernel
        if counts is not None:
            # One more input, 1 where a step does not count: it shuts the input gate and opens the forget gate for
            # certain, so that the memory passes such a step unchanged to the last bit.
            inputs = torch.cat((inputs, (~counts).unsqueeze(-1).to(inputs.dtype)), -1)
            row = torch.zeros(1, kernel.shape[1], dtype=kernel.dtype, device=kernel.device)
            row[:, : self.units] = -_CERTAIN
            row[:, self.units : 2 * self.units] = _CERTAIN
            kernel = torch.cat((kernel, row))
        weights = flat_weights(kernel.t(), self.recurrent_kernel.t(), self.bias)
        hidden = (states[0].unsqueeze(0), states[1].unsqueeze(0))
        training = torch.is_grad_enabled()
        outputs, h, c = torch.lstm(inputs, hidden, weights, self.use_bias, 1, 0.0, training, False, True)
        return outputs, [h[0], c[0]]


@serializable("keras.layers")
class LSTM(UnitRNN):
    """Long short-term memory over a sequence (Hochreiter and Schmidhuber, 1997).

    With the default activations and without recurrent dropout it runs in torch's LSTM kernel, masks or not.

    Args:
        units: size of the states and the output.
        activation: activation of the memory; as all arguments down to `seed`, see `LSTMCell`.
        recurrent_activation: activation of the gates.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, 4 * units)`` starts.
        recurrent_initializer: how the recurrent kernel of shape ``(units, 4 * units)`` starts.
        bias_initializer: how the bias of shape ``(4 * units,)`` starts.
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
        unroll: accepted; there is nothing to unroll.
        use_cudnn: accepted; torch chooses the kernel.
        **kwargs: `zero_output_for_mask` of `RNN`, and what every layer takes.

    Shapes:
        ``(batch, time, inputs)`` -> ``(batch, units)``, or ``(batch, time, units)`` with `return_sequences`; followed
        by the states ``h`` and ``c`` of ``(batch, units)`` with `return_state`.

    Example:

    >>> import ramify
    >>> LSTM(128, return_sequences=True)(ramify.Input(shape=(None, 64))).shape
    (None, None, 128)
    """

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(LSTMCell, "lstm_cell", own_arguments(locals()), kwargs)
