"""Gated recurrent units: `GRUCell` and `GRU`."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations
from ramify.kernels.gru import gru
from ramify.layers.arguments import own_arguments
from ramify.layers.recurrent.cell import Cell, States, settle_cell
from ramify.layers.recurrent.unit_rnn import UnitRNN
from ramify.registry import serializable


@serializable("keras.layers")
class GRUCell(Cell):
    """One step of a gated recurrent unit (Cho et al., 2014).

    ``z = σ(inputs @ Wz + h @ Uz + bz)``; ``r`` likewise;
    ``h' = z h + (1 - z) tanh(inputs @ Wh + b + r (h @ Uh + b'))``.
    The kernel is ``[Wz Wr Wh]``, the recurrent kernel ``[Uz Ur Uh]``.

    Args:
        units: size of the state and the output.
        activation: in place of tanh above.
        recurrent_activation: in place of σ above.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, 3 * units)`` starts.
        recurrent_initializer: how the recurrent kernel of shape ``(units, 3 * units)`` starts.
        bias_initializer: how the bias starts: ``(2, 3 * units)`` with `reset_after`, else ``(3 * units,)``.
        kernel_regularizer: penalty on the kernel.
        recurrent_regularizer: penalty on the recurrent kernel.
        bias_regularizer: penalty on the bias.
        kernel_constraint: applied to the kernel after every update.
        recurrent_constraint: applied to the recurrent kernel after every update.
        bias_constraint: applied to the bias after every update.
        dropout: share of the inputs to drop in training, between 0 and 1.
        recurrent_dropout: share of ``h`` to drop in training where it enters a matrix product.
        reset_after: whether ``r`` acts after the product with ``Uh``, as above and in cuDNN, or before it, as in the
            paper's first version.
        seed: start of a private stream of randomness for dropping.

    Shapes:
        ``(batch, inputs)`` and a state ``(batch, units)`` -> ``(batch, units)`` and the new state.

    Example:

    >>> import torch
    >>> GRUCell(4)(torch.ones(2, 3), torch.zeros(2, 4))[0].shape
    torch.Size([2, 4])
    """

    gates = 3
    reset_after: bool

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        super().__init__(**kwargs)
        settle_cell(self, arguments)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, inputs: torch.Tensor) -> torch.Tensor:
        """The part of a step that needs no state; any number of leading axes."""
        bias = self.bias[0] if self.use_bias and self.reset_after else self.bias
        return F.linear(inputs, self.kernel.t(), bias)

    def step(self, projected: torch.Tensor, states: States, keep: torch.Tensor | None) -> tuple[torch.Tensor, States]:
        """The gates and the new state."""
        (h,) = states
        entering = h if keep is None else h * keep
        squash, act, units = self.recurrent_activation, self.activation, self.units
        if self.reset_after:
            inner = F.linear(entering, self.recurrent_kernel.t(), self.bias[1] if self.use_bias else None)
            update, reset = squash(projected[..., : 2 * units] + inner[..., : 2 * units]).chunk(2, -1)
            candidate = act(projected[..., 2 * units :] + reset * inner[..., 2 * units :])
        else:
            gates = torch.addmm(projected[..., : 2 * units], entering, self.recurrent_kernel[:, : 2 * units])
            update, reset = squash(gates).chunk(2, -1)
            last = self.recurrent_kernel[:, 2 * units :]
            candidate = act(torch.addmm(projected[..., 2 * units :], reset * entering, last))
        h = torch.lerp(candidate, h, update)
        return h, [h]

    @property
    def has_kernel(self) -> bool:
        """Whether the activations are the default ones and the reset gate acts after the product."""
        plain = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        return plain and self.reset_after

    def fused(self, inputs: torch.Tensor, states: States, counts: torch.Tensor | None) -> tuple[Any, States]:
        """One kernel over time."""
        del counts  # the state is the output: the caller has it for every step
        return gru(inputs, states[0], self.kernel, self.recurrent_kernel, self.bias)


@serializable("keras.layers")
class GRU(UnitRNN):
    """Gated recurrent units over a sequence (Cho et al., 2014).

    With the default activations and without recurrent dropout it runs in one kernel, masks or not.

    Args:
        units: size of the state and the output.
        activation: activation of the candidate; as all arguments down to `seed`, see `GRUCell`.
        recurrent_activation: activation of the gates.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, 3 * units)`` starts.
        recurrent_initializer: how the recurrent kernel of shape ``(units, 3 * units)`` starts.
        bias_initializer: how the bias starts: ``(2, 3 * units)`` with `reset_after`, else ``(3 * units,)``.
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
        return_state: whether to return the last state too.
        go_backwards: whether to go through time from the end.
        stateful: whether a batch starts with the state that the one before it ended with.
        unroll: accepted; there is nothing to unroll.
        reset_after: whether the reset gate acts after the matrix product or before it.
        use_cudnn: accepted; torch chooses the kernel.
        **kwargs: `zero_output_for_mask` of `RNN`, and what every layer takes.

    Shapes:
        ``(batch, time, inputs)`` -> ``(batch, units)``, or ``(batch, time, units)`` with `return_sequences`; followed
        by the state of ``(batch, units)`` with `return_state`.

    Example:

    >>> import ramify
    >>> GRU(128)(ramify.Input(shape=(None, 64))).shape
    (None, 128)
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
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(GRUCell, "gru_cell", own_arguments(locals()), kwargs)
