"""The plain recurrent layer: `SimpleRNNCell` and `SimpleRNN`."""

from __future__ import annotations

from typing import Any

import torch

from ramify import activations
from ramify.kernels.over_time import flat_weights, over_time
from ramify.layers.arguments import own_arguments
from ramify.layers.recurrent.cell import Cell, States, settle_cell
from ramify.layers.recurrent.unit_rnn import UnitRNN
from ramify.registry import serializable

_KERNELS = {activations.tanh: torch.rnn_tanh, activations.relu: torch.rnn_relu}


@serializable("keras.layers")
class SimpleRNNCell(Cell):
    """One step of ``h' = tanh(inputs @ kernel + h @ recurrent_kernel + bias)`` (Elman, 1990).

    Args:
        units: size of the state and the output.
        activation: in place of tanh above.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, units)`` starts.
        recurrent_initializer: how the recurrent kernel of shape ``(units, units)`` starts.
        bias_initializer: how the bias of shape ``(units,)`` starts.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, between 0 and 1.
        recurrent_dropout: share of ``h`` to drop in training.
        seed: start of a private stream of randomness for dropping.

    Shapes:
        ``(batch, inputs)`` and a state ``(batch, units)`` -> ``(batch, units)`` and the new state.

    Example:

    >>> import torch
    >>> SimpleRNNCell(4)(torch.ones(2, 3), torch.zeros(2, 4))[0].shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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

    def step(self, projected: torch.Tensor, states: States, keep: torch.Tensor | None) -> tuple[torch.Tensor, States]:
        """The new state."""
        entering = states[0] if keep is None else states[0] * keep
        h = self.activation(torch.addmm(projected, entering, self.recurrent_kernel))
        return h, [h]

    @property
    def has_kernel(self) -> bool:
        """Whether the activation is tanh or relu."""
        return self.activation in _KERNELS

    def fused(self, inputs: torch.Tensor, states: States, counts: torch.Tensor | None) -> tuple[Any, States]:
        """Torch's kernel for the activation."""
        del counts  # the state is the output: the caller has it for every step
        weights = flat_weights(self.kernel.t(), self.recurrent_kernel.t(), self.bias)
        return over_time(_KERNELS[self.activation], inputs, states[0], weights)


@serializable("keras.layers")
class SimpleRNN(UnitRNN):
    """The plain recurrent layer over a sequence (Elman, 1990).

    With tanh or relu and without recurrent dropout it runs in torch's kernel, masks or not.

    Args:
        units: size of the state and the output.
        activation: activation of the state; as all arguments down to `recurrent_dropout`, see `SimpleRNNCell`.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, units)`` starts.
        recurrent_initializer: how the recurrent kernel of shape ``(units, units)`` starts.
        bias_initializer: how the bias of shape ``(units,)`` starts.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, the same ones at every step.
        recurrent_dropout: share of the state to drop in training, the same parts at every step.
        return_sequences: whether to return the output of every step, in place of the last.
        return_state: whether to return the last state too.
        go_backwards: whether to go through time from the end.
        stateful: whether a batch starts with the state that the one before it ended with.
        unroll: accepted; there is nothing to unroll.
        seed: start of a private stream of randomness for dropping.
        **kwargs: `zero_output_for_mask` of `RNN`, and what every layer takes.

    Shapes:
        ``(batch, time, inputs)`` -> ``(batch, units)``, or ``(batch, time, units)`` with `return_sequences`; followed
        by the state of ``(batch, units)`` with `return_state`.

    Example:

    >>> import ramify
    >>> SimpleRNN(32)(ramify.Input(shape=(10, 8))).shape
    (None, 32)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(SimpleRNNCell, "simple_rnn_cell", own_arguments(locals()), kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; Keras leaves `seed` out here."""
        config = super().get_config()
        del config["seed"]
        return config
