"""`TorchScheduler`: the learning rate by a scheduler of `torch.optim.lr_scheduler`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from ramify.callbacks.callback import Callback
from ramify.errors import ArgumentError

Scheduler = torch.optim.lr_scheduler.LRScheduler


class TorchScheduler(Callback):
    """Steps a scheduler of torch, for a model that was compiled with an optimizer of torch.

    A scheduler among the `callbacks` of `fit` is wrapped in this, with `per="epoch"`.

    Args:
        scheduler: a scheduler, or what makes one from the optimizer: a class, or a function such as
            ``lambda optimizer: StepLR(optimizer, 30)``.
        per: when it steps: after each ``"epoch"`` or each ``"batch"``.
        monitor: which of the logs a `ReduceLROnPlateau` follows.

    Raises:
        ArgumentError: another `per`; at the start of training, a model whose optimizer is another one.

    Example:

    >>> import functools, numpy as np, ramify
    >>> x = ramify.Input((2,))
    >>> model = ramify.Model(x, ramify.layers.Dense(1)(x))
    >>> model.compile(functools.partial(torch.optim.SGD, lr=1.0), "mse")
    >>> halve = TorchScheduler(lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5))
    >>> history = model.fit(np.zeros((4, 2)), np.zeros((4, 1)), epochs=3, verbose=0, callbacks=[halve])
    >>> model.optimizer.learning_rate
    0.125
    """

    def __init__(self, scheduler: Any, per: str = "epoch", monitor: str = "val_loss") -> None:
        super().__init__()
        if per not in ("epoch", "batch"):
            raise ArgumentError(f"per must be 'epoch' or 'batch', but is {per!r}. Choose when the scheduler steps.")
        if not isinstance(scheduler, Scheduler) and not callable(scheduler):
            raise ArgumentError(f"{scheduler!r} is no scheduler of torch, nor makes one from an optimizer.")
        self.scheduler: Any = scheduler if isinstance(scheduler, Scheduler) else None
        self._make: Callable[[Any], Any] | None = None if self.scheduler is not None else scheduler
        self.per, self.monitor = per, monitor

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Find the optimizer of torch."""
        del logs
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not hasattr(optimizer, "param_groups"):
            raise ArgumentError(
                f"A scheduler of torch needs an optimizer of torch, but the model was compiled with {optimizer.name}. "
                "Compile with one of torch.optim, or pass a schedule of ramify.optimizers.schedules as learning_rate."
            )
        optimizer.build(self.model.trainable_weights)
        inner = optimizer.optimizer
        if self.scheduler is None:
            assert self._make is not None  # one of the two was given
            self.scheduler = self._make(inner)
        if self.scheduler.optimizer is not inner:
            raise ArgumentError(
                "The scheduler was made for another optimizer than the model was compiled with. Pass that optimizer to "
                "`compile`, or pass a function of the optimizer that makes the scheduler."
            )

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Step after a batch."""
        del batch
        if self.per == "batch":
            self._step(logs)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Step after an epoch."""
        del epoch
        if self.per == "epoch":
            self._step(logs)

    def _step(self, logs: Mapping[str, Any] | None) -> None:
        if not isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step()
            return
        logs = logs or {}
        if self.monitor not in logs:
            raise ArgumentError(
                f"ReduceLROnPlateau follows {self.monitor!r}, but the logs hold {', '.join(map(repr, logs))}. Pass "
                "TorchScheduler(scheduler, monitor=...) with one of them."
            )
        self.scheduler.step(logs[self.monitor])
