"""Callbacks that set the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ramify.callbacks.callback import Callback
from ramify.callbacks.monitor import MetricWatcher
from ramify.errors import ArgumentError
from ramify.settings import say

Logs = Mapping[str, Any] | None


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch.

    Args:
        schedule: ``schedule(epoch, learning_rate)``, or ``schedule(epoch)``, gives the new rate; epochs count from 0.
        verbose: 1 to say what happens.

    >>> LearningRateScheduler(lambda epoch, rate: rate * 0.5).verbose
    0
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        try:
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        except TypeError:  # a schedule of the epoch alone
            rate = self.schedule(epoch)
        if not hasattr(rate, "__float__"):
            raise ArgumentError(
                f"The schedule of LearningRateScheduler gave {rate!r} for epoch {epoch}. Return a float."
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the rate among the epoch's metrics."""
        if isinstance(logs, dict):
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(MetricWatcher):
    """Lowers the learning rate when a metric no longer gets better.

    Args:
        monitor: name of the metric.
        factor: what the rate is multiplied with; below 1.
        patience: epochs without anything better that are waited for.
        verbose: 1 to say what happens.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        min_delta: smallest change that counts as better.
        cooldown: epochs to wait after the rate was lowered.
        min_lr: the rate is not lowered below this.

    Raises:
        ArgumentError: a factor of 1 or more.

    >>> ReduceLROnPlateau(factor=0.5).factor
    0.5
    """

    kept = ("wait", "cooldown_counter", "best")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if kwargs:
            raise ArgumentError(f"ReduceLROnPlateau has no argument {', '.join(map(repr, kwargs))}. Leave it out.")
        if factor >= 1.0:
            raise ArgumentError(f"factor must be below 1, but is {factor}: it would not lower the learning rate.")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.wait = self.cooldown_counter = 0
        self.best: float | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start anew."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare, and lower the rate where patience is at its end."""
        optimizer = self.model.optimizer
        rate = float(optimizer.learning_rate)
        value = self.value(logs)
        if isinstance(logs, dict):
            logs["learning_rate"] = rate
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(value, self.worst if self.best is None else self.best):
            self.best = float(value)
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                lower = max(rate * self.factor, self.min_lr)
                optimizer.learning_rate = lower
                if self.verbose > 0:
                    self.say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {lower}.")
                self.cooldown_counter = self.cooldown
                self.wait = 0
