"""`EarlyStopping`: no more epochs than help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify.callbacks.monitor import MetricWatcher

Logs = Mapping[str, Any] | None


class EarlyStopping(MetricWatcher):
    """Stops training when a metric no longer gets better.

    Args:
        monitor: name of the metric.
        min_delta: smallest change that counts as better.
        patience: epochs without anything better that are waited for.
        verbose: 1 to say what happens.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        baseline: value that the metric must be better than for an epoch to count as progress.
        restore_best_weights: whether the model gets the weights of its best epoch when training ends.
        start_from_epoch: epochs to wait before watching.

    Attributes:
        stopped_epoch: the epoch that was the last, 0 if training ended by itself.
        best_epoch: the epoch with the best value.

    >>> EarlyStopping("loss", patience=3).patience
    3
    """

    kept = ("wait", "stopped_epoch", "best_epoch", "best", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start anew."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare, and stop where patience is at its end."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self.better(value, self.worst if self.best is None else self.best):
            self.best = float(value)
            if self.restore_best_weights:
                self._keep(epoch)
            self.best_epoch = epoch
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        self.best_weights = [weight.detach().clone() for weight in self.model.weights]

    def on_train_end(self, logs: Logs = None) -> None:
        """Give the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            self.say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                self.say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights([weight.cpu().numpy() for weight in self.best_weights])
