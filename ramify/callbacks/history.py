"""`History`: the metrics of every epoch, kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify.callbacks.callback import Callback


class History(Callback):
    """What `fit` returns.

    Attributes:
        epoch: numbers of the epochs that were run, from 0.
        history: name of a metric -> its value after each of them.

    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start the list of epochs again."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note the epoch's metrics."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
