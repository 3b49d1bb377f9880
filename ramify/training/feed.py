"""Which batches make up an epoch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ramify.errors import ArgumentError
from ramify.training.data import DataAdapter


class Feed:
    """The epochs of a source of batches.

    Args:
        data: the source.
        steps: batches in an epoch; all that the source has when ``None``. With it, the source is gone through again and
            again, and an epoch starts where the last one stopped.
        what: name of the argument that sets `steps`, for messages.
    """

    def __init__(self, data: DataAdapter, steps: int | None = None, what: str = "steps_per_epoch") -> None:
        if steps is not None and (not isinstance(steps, int) or steps < 1):
            raise ArgumentError(f"{what} must be a positive whole number or None, but is {steps!r}.")
        if steps is None and data.endless and getattr(data, "dataset", None) is not None:
            raise ArgumentError(f"The data set has no end (its num_batches is None). Pass {what}.")
        self.data = data
        self.steps = steps
        self.num_batches = steps if steps is not None else data.num_batches
        self._stream: Iterator[Any] | None = None
        self._fed = 0

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch; none, or too few, where the source has run out."""
        if self.steps is None and not self.data.endless:
            return self._pass()
        if self._stream is None:
            self._stream = self._pass() if self.data.endless else self._passes()
        return self._stream if self.steps is None else itertools.islice(self._stream, self.steps)

    def _pass(self) -> Iterator[Any]:
        self.data.on_epoch_begin()
        for batch in self.data.epoch():
            self._fed += 1
            yield batch
        self.data.on_epoch_end()
        if not self._fed:
            raise ArgumentError("The data gave no batches. Check how it was made, or whether it was used up before.")

    def _passes(self) -> Iterator[Any]:
        while True:
            yield from self._pass()
