"""Batches out of tables with named columns, as Hugging Face's `datasets` have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.training.data.adapter import DataAdapter
from ramify.training.data.batch import Placement
from ramify.training.data.convert import is_data_frame

TARGETS = ("label", "labels", "target", "targets")
"""Columns that are targets where nobody says which ones are."""


def is_table(x: Any) -> bool:
    """Whether a value is a table of rows that have numbers, with named columns, but no data frame."""
    names = getattr(x, "column_names", None)
    return (
        isinstance(names, (list, tuple))
        and hasattr(x, "__getitem__")
        and hasattr(x, "__len__")
        and not is_data_frame(x)
    )


class TableAdapter(DataAdapter):
    """Batches out of a table.

    Args:
        table: its ``table[numbers]`` gives a dict of columns, its `column_names` their names.
        placement: where batches go.
        targets: name, or names, of the columns that are targets; `label`, `labels`, `target` or `targets` when
            ``None``.
        sample_weight: name of the column of weights.
        batch_size: rows in a batch.
        shuffle: whether every epoch has an order of its own, drawn from torch's generator.

    Raises:
        ArgumentError: no rows, or names of columns that are none.
    """

    def __init__(
        self,
        table: Any,
        placement: Placement,
        targets: str | Sequence[str] | None = None,
        sample_weight: str | None = None,
        batch_size: int = 32,
        shuffle: bool = False,
    ) -> None:
        if not len(table):
            raise ArgumentError(f"The {type(table).__name__} holds no rows. Check how it was made.")
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ArgumentError(f"batch_size must be a positive whole number, but is {batch_size!r}.")
        names = list(table.column_names)
        if targets is None:
            targets = next((name for name in TARGETS if name in names), None)
        self.targets = [] if targets is None else [targets] if isinstance(targets, str) else list(targets)
        self.weight = sample_weight
        for name in [*self.targets, *([sample_weight] if sample_weight is not None else [])]:
            if name not in names:
                raise ArgumentError(f"The table has no column {name!r}; its columns are {', '.join(map(repr, names))}.")
        self.inputs = [name for name in names if name not in self.targets and name != sample_weight]
        if not self.inputs:
            raise ArgumentError(
                f"No column is left for the inputs: {', '.join(map(repr, names))} are targets or weights."
            )
        self.table, self.placement = table, placement
        self.batch_size, self.shuffle = batch_size, shuffle
        self.num_batches = -(-len(table) // batch_size)

    def epoch(self) -> Iterator[Any]:
        """The batches of one epoch."""
        count = len(self.table)
        order = torch.randperm(count).tolist() if self.shuffle else None
        for start in range(0, count, self.batch_size):
            stop = min(start + self.batch_size, count)
            rows = self.table[start:stop] if order is None else self.table[order[start:stop]]
            yield self.placement.place(self._batch(rows))

    def _batch(self, rows: Mapping[str, Any]) -> Any:
        x = _side(rows, self.inputs)
        if self.weight is not None:
            return x, _side(rows, self.targets) if self.targets else None, _column(rows, self.weight)
        return (x, _side(rows, self.targets)) if self.targets else (x,)


def _side(rows: Mapping[str, Any], names: Sequence[str]) -> Any:
    """One column as an array, several as a dict by name."""
    if len(names) == 1:
        return _column(rows, names[0])
    return {name: _column(rows, name) for name in names}


def _column(rows: Mapping[str, Any], name: str) -> Any:
    values = rows[name]
    if not isinstance(values, (list, tuple)):
        return values
    if values and isinstance(values[0], torch.Tensor):
        return torch.stack(list(values))
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ArgumentError(
            f"The column {name!r} holds rows of different lengths. Pad them first, or map the table to arrays."
        ) from error
