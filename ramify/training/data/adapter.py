"""`DataAdapter`: what every source of batches looks like to the training loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any


class DataAdapter(ABC):
    """A source of batches, whose tensors are on the model's device.

    Attributes:
        num_batches: batches in one epoch, ``None`` where nobody knows.
        endless: whether the source goes on from one epoch to the next, instead of starting again.
    """

    num_batches: int | None = None
    endless = False

    @abstractmethod
    def epoch(self) -> Iterator[Any]:
        """The batches of one epoch: `x`, ``(x, y)`` or ``(x, y, sample_weight)``."""

    def on_epoch_begin(self) -> None:  # noqa: B027 -- most sources have nothing to do there
        """Called before every epoch."""

    def on_epoch_end(self) -> None:  # noqa: B027 -- likewise
        """Called after every epoch."""
