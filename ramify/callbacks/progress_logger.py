"""`ProgbarLogger`: the progress bar as a callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify.callbacks.callback import Callback
from ramify.callbacks.progress import Progbar
from ramify.settings import is_interactive_logging_enabled, say

Logs = Mapping[str, Any] | None

INTERVAL = 0.1
"""Seconds between two drawings: as much as an eye can follow."""

PATIENCE = 1.0
"""Seconds after which a `predict` that nobody asked to report shows a bar all the same."""


class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict`; added by them unless ``verbose=0``."""

    keeps_logs = False

    def __init__(self) -> None:
        super().__init__()
        self._bar = Progbar(None, verbose=0)
        self._in_fit = False
        self._steps = 0

    def _open(self) -> None:
        self._bar = Progbar(self.params.get("steps"), verbose=self._verbose, interval=INTERVAL)
        self._steps = 0

    @property
    def _verbose(self) -> int:
        verbose = self.params.get("verbose", 1)
        if verbose == "auto" and not is_interactive_logging_enabled():
            return 2
        return 1 if verbose in ("auto", True) else int(verbose)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Remember that validation is part of something larger."""
        self._in_fit = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Forget it."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start a bar."""
        epochs = self.params.get("epochs", 1)
        if self._verbose and epochs > 1:
            say(f"Epoch {epoch + 1}/{epochs}")
        self._open()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move on."""
        self._move(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Close the bar with the epoch's metrics."""
        self._bar.update(self._steps, logs, finalize=True)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Start a bar, unless `fit` has one."""
        if not self._in_fit:
            self._open()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move on."""
        if not self._in_fit:
            self._move(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        """Close the bar."""
        if not self._in_fit:
            self._bar.update(self._steps, logs, finalize=True)

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Start a bar."""
        self._open()
        self._quiet = self.params.get("verbose") == "auto"

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move on."""
        self._steps = batch + 1
        if not self._quiet or self._bar.elapsed > PATIENCE:
            self._move(batch, None)

    def on_predict_end(self, logs: Logs = None) -> None:
        """Close the bar."""
        if not self._quiet or self._bar.elapsed > PATIENCE:
            self._bar.update(self._steps, None, finalize=True)

    def _move(self, batch: int, logs: Logs) -> None:
        self._steps = batch + 1
        if self._bar.due(self._steps):  # reading the logs waits for the device
            self._bar.update(self._steps, logs, finalize=False)

    def on_exception(self, exception: BaseException) -> None:
        """End the line that is being drawn."""
        self._bar.close()
        self._in_fit = False
