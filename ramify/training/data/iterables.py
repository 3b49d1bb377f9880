"""Batches out of generators, data loaders and everything else that can be iterated over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ramify.errors import ArgumentError
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
        return map(self.placement.place, self.source)
