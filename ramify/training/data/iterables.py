"""Batches out of generators, data loaders and everything else that can be iterated over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch.utils.data import DataLoader

from ramify.errors import ArgumentError, WorkerError
from ramify.training.data.adapter import DataAdapter
from ramify.training.data.batch import Placement


class IterableAdapter(DataAdapter):
    """Batches out of an iterable.

    Args:
        source: gives batches: `x`, ``(x, y)`` or ``(x, y, sample_weight)``. An iterator (a generator, say) is used up
            across epochs; anything else is started anew in each.
        placement: where batches go.
    """

    def __init__(self, source: Iterable[Any], placement: Placement) -> None:
        self.source = source
        self.placement = placement
        self.endless = isinstance(source, Iterator)
        try:
            self.num_batches = None if self.endless else len(source)  # type: ignore[arg-type]
        except TypeError:  # a loader over a data set of unknown length has a `__len__` that raises
            self.num_batches = None
        if self.num_batches == 0:
            raise ArgumentError(
                f"The {type(source).__name__} holds no batches: its length is 0. Check how it was made."
            )

    def epoch(self) -> Iterator[Any]:
        """The batches of one epoch."""
        if isinstance(self.source, DataLoader):
            return map(self.placement.place, loaded(self.source, type(self.source.dataset).__name__))
        return map(self.placement.place, self.source)


def loaded(loader: DataLoader[Any], name: str) -> Iterator[Any]:
    """The batches of a loader, with messages that name the data set.

    Args:
        loader: torch's loader.
        name: how messages call the data set.

    Raises:
        WorkerError: one of its processes died.
        ArgumentError: samples of different shapes, of which it can make no batch.
    """
    count = 0
    try:
        for batch in loader:
            count += 1
            yield batch
    except RuntimeError as error:
        text = str(error)
        if "DataLoader worker" in text:
            raise WorkerError(
                f"A process that made batches of the {name} died after batch {count} ({text.strip()}). It may have run "
                "out of memory, or crashed in other code: try fewer workers, or workers=1 to see where."
            ) from error
        if "equal size" in text:
            raise ArgumentError(
                f"The samples of the {name} for batch {count} have different shapes and make no batch: {text}. Pad or "
                "cut them to one shape, or give the DataLoader a collate_fn."
            ) from error
        raise
