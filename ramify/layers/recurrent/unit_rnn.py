"""`UnitRNN`: a recurrent layer that makes its own cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify.layers.input_spec import InputSpec
from ramify.layers.recurrent.cell import Cell
from ramify.layers.recurrent.rnn import RNN

_OF_THE_LAYER = frozenset(
    "return_sequences return_state go_backwards stateful unroll activity_regularizer use_cudnn".split()
)


class UnitRNN(RNN):
    """What LSTM, GRU and their like have in common: their arguments are those of a cell and those of `RNN`.

    Args:
        cell_class: class of the cell.
        cell_name: name of the cell.
        arguments: the subclass's named arguments.
        further: its other keyword arguments, which are the layer's.
    """

    def __init__(
        self, cell_class: type[Cell], cell_name: str, arguments: Mapping[str, Any], further: Mapping[str, Any]
    ) -> None:
        shared = {name: further[name] for name in ("dtype", "trainable") if name in further}
        cell = cell_class(**self.of_cell(arguments), **shared, name=cell_name)
        self.set_up(cell, arguments, further, 3)

    @staticmethod
    def of_cell(arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a layer's arguments that are its cell's."""
        return {name: value for name, value in arguments.items() if name not in _OF_THE_LAYER}

    def set_up(self, cell: Cell, arguments: Mapping[str, Any], further: Mapping[str, Any], rank: int) -> None:
        """Be an `RNN` of that cell, for inputs with `rank` axes."""
        flags = {name: value for name, value in arguments.items() if name in _OF_THE_LAYER and name != "use_cudnn"}
        RNN.__init__(self, cell, **flags, **further)
        self.input_spec = InputSpec(ndim=rank)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {"activity_regularizer": None, "zero_output_for_mask": self.zero_output_for_mask}
        config["unroll"] = self.unroll
        config |= super().get_config()
        config.pop("use_cudnn", None)
        return config


def _of_cell(name: str) -> property:
    def get(self: UnitRNN) -> Any:
        return getattr(self.cell, name)

    return property(get, doc=f"The cell's `{name}`.")


for _name in (
    "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer "
    "unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint "
    "recurrent_constraint bias_constraint dropout recurrent_dropout seed reset_after filters kernel_size strides "
    "padding data_format dilation_rate"
).split():
    setattr(UnitRNN, _name, _of_cell(_name))
