"""Cells over time: in one kernel where there is one, in a loop where there is none.

All functions here take inputs ``(batch, time, ...)`` in the order in which they are to be read, and return the outputs
of all steps ``(batch, time, ...)``, or of the last ``(batch, ...)``, and the last states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.calling import cast_weights
from ramify.layers.recurrent.cell import Cell
from ramify.layers.recurrent.stacked import StackedRNNCells
from ramify.layers.recurrent.states import as_list, over_states

Step = Callable[[torch.Tensor, Any], tuple[torch.Tensor, Any]]


@dataclass(frozen=True)
class Plan:
    """What is asked of a run over time.

    Attributes:
        sequences: whether the outputs of all steps are wanted.
        states: whether the last states are wanted.
        zero_masked: whether outputs of masked steps are zero, in place of those of the step before.
        training: whether to drop.
    """

    sequences: bool
    states: bool
    zero_masked: bool
    training: bool


def run(
    cell: Any, inputs: torch.Tensor, states: Any, mask: torch.Tensor | None, plan: Plan
) -> tuple[torch.Tensor, Any]:
    """A cell of any kind over time.

    Args:
        cell: built-in cell, stack of cells, or any callable ``(inputs, states) -> (output, states)``.
        inputs: ``(batch, time, ...)``.
        states: list of states, nested as the cell has them.
        mask: boolean ``(batch, time)``: at steps where it is false the states stay what they are.
        plan: what is wanted.
    """
    if isinstance(cell, StackedRNNCells) and type(cell).call is StackedRNNCells.call:
        return _run_stack(cell, inputs, states, mask, plan)
    if not isinstance(cell, Cell) or _is_changed(type(cell)):
        return _loop(_calling(cell, plan.training), inputs.unbind(1), states, mask, plan)
    dtype = cell.compute_torch_dtype
    if inputs.dtype is not dtype and cell.autocast:  # a cell made under another dtype policy than the layer's
        inputs, states = inputs.to(dtype), over_states(lambda state: state.to(dtype), states)
    with cast_weights(cell):
        if plan.training:
            inputs = cell.drop_inputs(inputs, time_axis=1)
        keep = cell.recurrent_mask(states[0], plan.training)
        if keep is None and cell.has_kernel:
            return _fused(cell, inputs, states, mask, plan)
        steps = cell.project(inputs.transpose(0, 1)).unbind(0)
        return _loop(lambda x, state: cell.step(x, state, keep), steps, states, mask, plan)


def _is_changed(cls: type[Cell]) -> bool:
    """Whether a user's subclass has a `call` of its own, which is then what runs."""
    return cls.call is not Cell.call


def _run_stack(
    stack: StackedRNNCells, inputs: torch.Tensor, states: Any, mask: torch.Tensor | None, plan: Plan
) -> tuple[torch.Tensor, Any]:
    """Cell after cell, each over all of time: the same numbers as step after step."""
    last = len(stack.cells) - 1
    new = []
    for i, (cell, state) in enumerate(zip(stack.cells, states, strict=True)):
        part = Plan(plan.sequences or i < last, plan.states, plan.zero_masked and i == last, plan.training)
        inputs, after = run(cell, inputs, as_list(state), mask, part)
        new.append(after)
    return inputs, new


def _calling(cell: Any, training: bool) -> Step:
    """A step that calls the cell, with `training` where it takes that."""
    signature = getattr(cell, "_signature", None)
    if signature is not None and "training" in signature.names:
        return lambda x, states: cell(x, states, training=training)
    return cell


def _loop(
    step: Step, inputs: tuple[torch.Tensor, ...], states: Any, mask: torch.Tensor | None, plan: Plan
) -> tuple[torch.Tensor, Any]:
    counting = None if mask is None else mask.unbind(1)
    outputs: list[torch.Tensor] = []
    output: Any = None
    for t, x in enumerate(inputs):
        before = output
        output, new = step(x, states)
        new = as_list(new)
        if counting is None:
            states = new
        else:
            counts = counting[t]
            idle = torch.zeros_like(output) if before is None or plan.zero_masked else before
            output = torch.where(_like(counts, output), output, idle)
            states = over_states(lambda n, old, counts=counts: torch.where(_like(counts, n), n, old), new, states)
        if plan.sequences:
            outputs.append(output)
    if output is None:
        raise ArgumentError("A recurrent layer received a sequence of length 0. Feed at least one step.")
    return (torch.stack(outputs, 1) if plan.sequences else output), states


def _like(mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A mask ``(batch,)`` with axes of size 1 up to the rank of `x`."""
    return mask.reshape(mask.shape[0], *(1,) * (x.ndim - 1))


def _fused(
    cell: Cell, inputs: torch.Tensor, states: Any, mask: torch.Tensor | None, plan: Plan
) -> tuple[torch.Tensor, Any]:
    if mask is not None:
        return _fused_masked(cell, inputs, states, mask, plan)
    outputs, new = cell.fused(inputs, states, None)
    return (outputs if plan.sequences else new[0]), new


def _fused_masked(
    cell: Cell, inputs: torch.Tensor, states: Any, mask: torch.Tensor, plan: Plan
) -> tuple[torch.Tensor, Any]:
    """One kernel under any mask, without asking the device what is in the mask.

    The steps that count are moved to the front, in order; the kernel runs over all; and every step takes its output
    from the last one that counted before it. What the kernel computes behind the front is never looked at.
    """
    order = torch.argsort(~mask, dim=1, stable=True)
    front = inputs.gather(1, order.unsqueeze(-1).expand_as(inputs))
    counts = mask.gather(1, order) if plan.states and cell.state_count > 1 else None
    outputs, new = cell.fused(front, states, counts)
    seen = mask.cumsum(1)
    if not plan.sequences and not plan.states:
        seen, mask = seen[:, -1:], mask[:, -1:]
    index = (seen - 1).clamp(min=0).unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    held = outputs.gather(1, index)
    any_seen = (seen > 0).unsqueeze(-1)
    shown = torch.where(mask.unsqueeze(-1) if plan.zero_masked else any_seen, held, 0.0)
    if plan.states:
        new = [torch.where(any_seen[:, -1], held[:, -1], states[0]), *new[1:]]
    return (shown if plan.sequences else shown[:, -1]), new


def outline(cell: Any, inputs: torch.Tensor, states: Any, plan: Plan) -> tuple[torch.Tensor, Any]:
    """What `run` returns, in shape and dtype alone, from a single step.

    For shape inference: on tensors without data torch's LSTM goes through time step by step in Python (measured: 0.2 s
    for a thousand steps), and so would the loop.
    """
    if isinstance(cell, Cell) and hasattr(cell, "units") and not _is_changed(type(cell)):
        output, new = inputs.new_empty((inputs.shape[0], cell.units)), states
    else:
        output, new = _calling(cell, plan.training)(inputs[:, 0], states)
    if plan.sequences:
        output = output.new_empty((output.shape[0], inputs.shape[1], *output.shape[1:]))
    return output, as_list(new)
