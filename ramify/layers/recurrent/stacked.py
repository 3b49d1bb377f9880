"""`StackedRNNCells`: several cells, one above the other, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.layers.recurrent.states import as_list, zero_states
from ramify.registry import serializable


@serializable("keras.layers")
class StackedRNNCells(Layer):
    """Cells as one cell: each reads the output of the one below.

    Args:
        cells: cells, the lowest first.

    Shapes:
        ``(batch, inputs)`` and a list of each cell's states -> the output of the highest cell and all new states.

    Raises:
        ArgumentError: something that is no cell.

    Example:

    >>> import ramify
    >>> from ramify.layers.recurrent import RNN, GRUCell
    >>> RNN(StackedRNNCells([GRUCell(16), GRUCell(8)]))(ramify.Input(shape=(None, 4))).shape
    (None, 8)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            check_cell(cell, type(self).__name__)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of all states, cell by cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """Size of the output of the highest cell."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Zeros for every state, cell by cell."""
        dtype, device = self.compute_torch_dtype, self.weights_device
        return [initial_state(cell, batch_size or 1, dtype, device) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        """Build every cell for the output of the one below."""
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build_here({cell._signature.build_names[0]: shape} if cell._signature.build_names else {})  # noqa: SLF001
                cell.built = True
            size = output_size(cell)
            shape = (shape[0], *(size if isinstance(size, (tuple, list)) else (size,)))

    def call(self, inputs: torch.Tensor, states: Any, training: bool = False) -> tuple[torch.Tensor, list[Any]]:
        """One step through all cells."""
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            takes_training = isinstance(cell, Layer) and "training" in cell._signature.names  # noqa: SLF001
            inputs, after = cell(inputs, as_list(state), **({"training": training} if takes_training else {}))
            new.append(as_list(after))
        return inputs, new


def check_cell(cell: Any, who: str) -> None:
    """Refuse what is no cell.

    Raises:
        ArgumentError: no `call`, or no `state_size`.
    """
    if isinstance(cell, type) or not callable(cell):
        problem = "cannot be called"
    elif not hasattr(cell, "state_size"):
        problem = "has no `state_size`"
    else:
        return
    raise ArgumentError(
        f"{who} takes a cell, but {cell!r} {problem}. Pass a layer like `LSTMCell(32)`: one with a `state_size` and a "
        "`call(self, inputs, states)` that returns the output and the new states."
    )


def output_size(cell: Any) -> Any:
    """The size of a cell's output: what it says, else the size of its first state."""
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size


def initial_state(cell: Any, batch_size: int, dtype: torch.dtype, device: torch.device) -> list[Any]:
    """The states that a cell starts with: what it says, else zeros."""
    if hasattr(cell, "get_initial_state"):
        return as_list(cell.get_initial_state(batch_size))
    return as_list(zero_states(cell.state_size, batch_size, dtype, device))
