"""`RNN`: any cell over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ShapeError
from ramify.graph import is_probing
from ramify.layers.layer import Layer
from ramify.layers.recurrent.cell import Cell
from ramify.layers.recurrent.loops import Plan, outline, run
from ramify.layers.recurrent.stacked import StackedRNNCells, check_cell, initial_state
from ramify.layers.recurrent.states import as_list, leaves, over_states
from ramify.registry import serializable


@serializable("keras.layers")
class RNN(Layer):
    """A cell over the second axis of its input.

    Where a mask is false, the states stay what they are and the output is that of the step before.

    Args:
        cell: a layer with a `state_size` and a ``call(inputs, states)`` that returns the output and the new states; or
            a list of such layers, one above the other. Built-in cells run in torch's kernels where they can.
        return_sequences: whether to return the output of every step, in place of the last.
        return_state: whether to return the last states too.
        go_backwards: whether to go through time from the end; outputs come in that order.
        stateful: whether a batch starts with the states that the one before it ended with.
        unroll: accepted; there is nothing to unroll.
        zero_output_for_mask: whether the outputs of masked steps are zero.

    Shapes:
        ``(batch, time, ...)`` -> the cell's output ``(batch, ...)``, or ``(batch, time, ...)`` with `return_sequences`;
        followed by the states with `return_state`.

    Example:

    >>> import torch, ramify
    >>> class Sum(ramify.Layer):
    ...     state_size = 3
    ...     def call(self, inputs, states):
    ...         total = states[0] + inputs
    ...         return total, [total]
    >>> RNN(Sum())(torch.ones(2, 5, 3))[0]
    tensor([5., 5., 5.])
    """

    cell: Any
    _kept: int
    _nesting: Any

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=kwargs.get("dtype"))
        check_cell(cell, type(self).__name__)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.makes_mask = False
        self.__dict__["_kept"] = 0

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's states, as a list."""
        return as_list(self.cell.state_size)

    # ---- building ----

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell, and room for the states of a stateful layer."""
        del initial_state_shape
        shape = tuple(sequences_shape)
        cell = self.cell
        if isinstance(cell, Layer) and not cell.built:
            names = cell._signature.build_names  # noqa: SLF001 - a cell is built as `Layer` builds itself
            cell.build_here({names[0]: (shape[0], *shape[2:])} if names else {})
            cell.built = True
        if self.stateful:
            if shape[0] is None:
                raise ShapeError(
                    f"{self.describe()} is stateful, so it needs to know the batch's size, but received shape {shape}. "
                    "Give it: `Input(batch_shape=(32, ...))`, or `Input(..., batch_size=32)`."
                )
            empty = torch.empty((), dtype=self.compute_torch_dtype, device=self.weights_device)
            self._keep(self._zeros(empty.expand([size or 1 for size in shape])))

    def _keep(self, states: Any) -> None:
        tensors = list(leaves(states))
        for i, state in enumerate(tensors):
            self.register_buffer(f"_state_{i}", state.detach().clone(), persistent=False)
        self.__dict__["_kept"] = len(tensors)
        self.__dict__["_nesting"] = over_states(lambda _: None, states)

    # ---- states ----

    @property
    def states(self) -> Any:
        """The states that a stateful layer starts its next batch with; ``None`` for any other."""
        if not self._kept:
            return None
        buffers = iter([self._buffers[f"_state_{i}"] for i in range(self._kept)])
        return over_states(lambda _: next(buffers), self._nesting)

    def reset_state(self) -> None:
        """Let a stateful layer start afresh, from zeros."""
        for i in range(self._kept):
            self._buffers[f"_state_{i}"].zero_()  # type: ignore[union-attr]

    reset_states = reset_state

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states that a batch starts with: those the cell asks for, zeros otherwise."""
        return initial_state(self.cell, batch_size, self.compute_torch_dtype, self.weights_device)

    def _start(self, sequences: torch.Tensor, given: Any) -> list[Any]:
        """The states of this call: those given, those kept, or fresh ones."""
        wanted = self._zeros(sequences)
        if given is None and not self.stateful:
            return wanted
        states = as_list(given) if given is not None else self.states
        if len(list(leaves(states))) != len(list(leaves(wanted))):
            raise ShapeError(
                f"{self.describe()} has {len(list(leaves(wanted)))} state(s), but received "
                f"{len(list(leaves(states)))} in `initial_state`. Pass a list with one tensor for each."
            )
        for state, like in zip(leaves(states), leaves(wanted), strict=True):
            if state.shape != like.shape:
                raise ShapeError(
                    f"{self.describe()} needs a state of shape {tuple(like.shape)} for sequences of shape "
                    f"{tuple(sequences.shape)}, but has one of {tuple(state.shape)}. "
                    + ("Feed batches of one size." if given is None else "Pass `initial_state` of that shape.")
                )
        # Kept states are copied: they are overwritten before the backward pass has read what it needs.
        tensors = iter([state.to(sequences.dtype, copy=given is None) for state in leaves(states)])
        return over_states(lambda _: next(tensors), wanted)

    def _zeros(self, sequences: torch.Tensor) -> list[Any]:
        cell = self.cell
        if isinstance(cell, Cell) and hasattr(cell, "units") and type(cell).get_initial_state is Cell.get_initial_state:
            zeros = sequences.new_zeros((sequences.shape[0], cell.units))
            return [zeros] * cell.state_count
        states = self.get_initial_state(sequences.shape[0])
        return over_states(lambda state: state.to(sequences.device), states)

    # ---- calling ----

    def call(
        self, sequences: torch.Tensor, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> torch.Tensor | tuple[Any, ...]:
        """Run the cell over time.

        Args:
            sequences: ``(batch, time, ...)``.
            initial_state: list of states to start with; zeros, or those kept, when not given.
            mask: boolean ``(batch, time)``: the steps that count.
            training: whether to drop.
        """
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        states = self._start(sequences, initial_state)
        keeps = self.return_state or self.stateful
        plan = Plan(self.return_sequences, keeps, self.zero_output_for_mask, bool(training))
        if is_probing():
            output, states = outline(self.cell, sequences, states, plan)
        else:
            ordered, mask = self._in_order(sequences, mask)
            output, states = run(self.cell, ordered, states, mask, plan)
            if self.stateful:
                self._remember(states)
        return (output, *states) if self.return_state else output

    def _in_order(self, sequences: torch.Tensor, mask: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Sequences and mask in the order of the steps."""
        mask = None if mask is None else mask.reshape(mask.shape[:2]).to(torch.bool)
        if not self.go_backwards:
            return sequences, mask
        return sequences.flip(1), None if mask is None else mask.flip(1)

    def inner_loop(
        self, sequences: torch.Tensor, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, Any]:
        """All steps, from states that are given.

        Args:
            sequences: ``(batch, time, ...)``.
            initial_state: list of states.
            mask: boolean ``(batch, time)``, or ``None``.
            training: whether to drop.

        Returns:
            The last output, all outputs ``(batch, time, ...)``, and the states at the end.
        """
        plan = Plan(True, True, self.zero_output_for_mask, bool(training))
        ordered, mask = self._in_order(sequences, mask)
        outputs, states = run(self.cell, ordered, as_list(initial_state), mask, plan)
        return outputs[:, -1], outputs, states

    def _remember(self, states: Any) -> None:
        with torch.no_grad():
            for i, state in enumerate(leaves(states)):
                self._buffers[f"_state_{i}"].copy_(state)  # type: ignore[union-attr]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The input's mask for a returned sequence; none for the last output and the states."""
        del inputs
        mask = previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask
        output_mask = mask if self.return_sequences else None
        return [output_mask, *[None for _ in self.state_size]] if self.return_state else output_mask

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The layer that `get_config` described; `custom_objects` (name -> class) are looked up first."""
        with registry.custom_object_scope(custom_objects or {}):
            return super().from_config(config)
