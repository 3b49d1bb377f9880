"""`Run`: a `fit` that is under way, and how it goes on where another one stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch

from ramify.callbacks import CallbackList
from ramify.callbacks.logs import to_numbers
from ramify.training.feed import Feed


@dataclass
class Validation:
    """The validation that `fit` does between epochs."""

    feed: Feed
    freq: int | Collection[int]

    def due(self, epoch: int) -> bool:
        """Whether validation follows on an epoch, counted from 0."""
        return (epoch + 1) % self.freq == 0 if isinstance(self.freq, int) else epoch + 1 in self.freq


class Run:
    """A `fit` that is under way.

    Args:
        model: what is being trained.
        feed: its batches.
        validation: what follows on epochs.
        calls: the callbacks.
        epoch: the epoch that it begins with, from 0.
        epochs: number of the last epoch.

    Attributes:
        epoch: the epoch that is being done, or comes next.
        step: how many of its batches are done; 0 before the first.
        logs: the numbers of the last epoch.
        made: what the last step returned.
        resumed: whether it went on from a checkpoint.
    """

    def __init__(
        self, model: Any, feed: Feed, validation: Validation | None, calls: CallbackList, epoch: int, epochs: int
    ) -> None:
        self.model, self.feed, self.validation, self.calls = model, feed, validation, calls
        self.epoch, self.epochs = epoch, epochs
        self.step = 0
        self.logs: dict[str, Any] = {}
        self.made: Any = None
        self.resumed = False
        self._checkpoint: Any = None

    @property
    def resuming(self) -> bool:
        """Whether a checkpoint was found and is going to be loaded."""
        return self._checkpoint is not None

    def find(self) -> None:
        """Ask the callbacks for a checkpoint to go on from."""
        for callback in self.calls:
            point = getattr(callback, "resume_point", None)
            self._checkpoint = point() if callable(point) else None
            if self._checkpoint is not None and self._checkpoint.run is not None:
                self.epoch, self.step = self._checkpoint.run["epoch"], self._checkpoint.run["step"]
            if self._checkpoint is not None:
                break

    def load(self) -> None:
        """Load the checkpoint that was found, whatever callbacks have done since; weights stay if that fails."""
        checkpoint, self._checkpoint = self._checkpoint, None
        kept = [(weight, weight.detach().clone()) for weight in self.model.weights]
        try:
            self._load(checkpoint)
        except BaseException:
            with torch.no_grad():
                for weight, value in kept:
                    weight.copy_(value)
            raise
        self.resumed = True

    def _load(self, checkpoint: Any) -> None:
        state = checkpoint.run
        batch = None
        if state is not None:
            batch = self.feed.load_state_dict(state["train"])
            if self.validation is not None and state["validation"] is not None:
                self.validation.feed.load_state_dict(state["validation"])
        if not self.model.is_complete:
            # The step makes all that steps make: weights, state, metrics. What it does to them is overwritten.
            batch = self.feed.one() if batch is None else batch
            if batch is not None:
                self.model.make_train_function()([batch])
        if state is not None:
            self.model.stop_training = state["stop"]
            self.logs, self.made = state["logs"], state["made"]
            self.calls.load_state_dict(state["callbacks"])
            self.calls.params["steps"] = self.feed.num_batches
        checkpoint.load_into(self.model)

    def state_dict(self) -> dict[str, Any]:
        """Where the run stands, as a nested value."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "stop": self.model.stop_training,
            "logs": dict(self.logs),
            "made": None if self.made is None or not self.step else to_numbers(self.made),
            "train": self.feed.state_dict(),
            "validation": None if self.validation is None else self.validation.feed.state_dict(),
            "callbacks": self.calls.state_dict(),
        }
