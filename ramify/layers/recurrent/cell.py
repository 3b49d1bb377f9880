"""`Cell`: what the built-in recurrent cells have in common.

A cell is one time step. The built-in ones are split so that a layer can run them fast: `project` treats the inputs of
all steps in one matrix product, `step` does what depends on the state, and `fused` runs a whole sequence in one of
torch's kernels where there is one that computes just this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ShapeError
from ramify.layers.arguments import settle
from ramify.layers.layer import Layer
from ramify.layers.recurrent.states import as_list, dropout_mask, zero_states
from ramify.seeds import Stream

States = list[torch.Tensor]


def settle_cell(cell: Cell, arguments: Mapping[str, Any]) -> None:
    """Store a cell's arguments on it in their final form.

    Raises:
        ArgumentError: a size that is not positive.
    """
    rates = {name: min(1.0, max(0.0, float(arguments[name]))) for name in ("dropout", "recurrent_dropout")}
    settle(cell, {**arguments, **rates})  # rates are clipped, as Keras does
    cell.__dict__["_stream"] = Stream(arguments["seed"], type(cell).__name__)


class Cell(Layer):
    """One time step of a recurrent layer, made of matrix products: the base of the built-in cells.

    Subclasses say how many gates share the kernel (`gates`) and how many states there are (`state_count`), and define
    `step`.
    """

    gates = 1
    state_count = 1
    units: int
    activation: Any
    recurrent_activation: Any
    use_bias: bool
    dropout: float
    recurrent_dropout: float
    seed: Any
    kernel: Any
    recurrent_kernel: Any
    bias: Any
    _stream: Stream

    @property
    def state_size(self) -> Any:
        """Size of the state, or a list of the sizes of several."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.units

    def get_initial_state(self, batch_size: int | None = None) -> States:
        """Zeros of shape ``(batch_size, units)`` for every state."""
        return as_list(zero_states(self.state_size, batch_size or 1, self.compute_torch_dtype, self.weights_device))

    def build(self, input_shape: Any) -> None:
        """Make the kernels ``(inputs, gates * units)`` and ``(units, gates * units)``, and the bias."""
        size = input_shape[-1]
        if size is None:
            raise ShapeError(
                f"{self.describe()} needs to know the size of its input's last axis, but received shape {input_shape}. "
                "Give it in `Input(shape=...)`."
            )
        width = self.gates * self.units
        self.kernel = self._weight("kernel", (size, width))
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, width))
        self.bias = self._weight("bias", self._bias_shape()) if self.use_bias else None

    def _weight(self, name: str, shape: tuple[int, ...]) -> Any:
        role = "recurrent" if name.startswith("recurrent") else name
        return self.add_weight(
            shape,
            self._bias_start() if name == "bias" else getattr(self, f"{role}_initializer"),
            regularizer=getattr(self, f"{role}_regularizer"),
            constraint=getattr(self, f"{role}_constraint"),
            name=name,
        )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_start(self) -> Any:
        return self.bias_initializer

    def call(self, inputs: torch.Tensor, states: Any, training: bool = False) -> tuple[torch.Tensor, Any]:
        """One step.

        Args:
            inputs: ``(batch, inputs)``.
            states: the state, or a list of states, each ``(batch, units)``.
            training: whether to drop.

        Returns:
            The output ``(batch, units)`` and the new states, nested as they came.
        """
        many = isinstance(states, (list, tuple))
        states = as_list(states)
        if training:
            inputs = self.drop_inputs(inputs)
        output, new = self.step(self.project(inputs), states, self.recurrent_mask(states[0], training))
        return output, new if many else new[0]

    def project(self, inputs: torch.Tensor) -> torch.Tensor:
        """The part of a step that needs no state; any number of leading axes."""
        return F.linear(inputs, self.kernel.t(), self.bias)

    def step(self, projected: torch.Tensor, states: States, keep: torch.Tensor | None) -> tuple[torch.Tensor, States]:
        """The rest of a step.

        Args:
            projected: what `project` made of the input, ``(batch, gates * units)``.
            states: each ``(batch, units)``.
            keep: factors for the state that enters the matrix product, or ``None``.
        """
        raise NotImplementedError  # each cell has its own

    @property
    def has_kernel(self) -> bool:
        """Whether one of torch's kernels computes what the cell does, over all of time: whether `fused` may be used."""
        return False

    def fused(self, inputs: torch.Tensor, states: States, counts: torch.Tensor | None) -> tuple[Any, States]:
        """All steps in one kernel.

        Args:
            inputs: ``(batch, time, inputs)``.
            states: each ``(batch, units)``.
            counts: boolean ``(batch, time)``, true up to some step and false from there on: the steps after which a
                state that is not also an output must stay as it is. ``None``: all count, or nobody asks.

        Returns:
            Outputs ``(batch, time, units)`` and last states.
        """
        raise NotImplementedError  # each cell that has a kernel has its own

    def drop_inputs(self, inputs: torch.Tensor, time_axis: int | None = None) -> torch.Tensor:
        """Drop inputs, the same ones at every step."""
        if not self.dropout:
            return inputs
        like = inputs if time_axis is None else inputs.narrow(time_axis, 0, 1)
        return inputs * dropout_mask(self._stream, like, self.dropout)

    def recurrent_mask(self, state: torch.Tensor, training: bool) -> torch.Tensor | None:
        """Factors that drop parts of the state, the same ones at every step."""
        if not (training and self.recurrent_dropout):
            return None
        return dropout_mask(self._stream, state, self.recurrent_dropout)
