"""`ModelCheckpoint`: the model, or its weights, saved while it is being trained."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ramify.callbacks.monitor import MetricWatcher
from ramify.errors import ArgumentError

Logs = Mapping[str, Any] | None


class ModelCheckpoint(MetricWatcher):
    """Saves the model after epochs, or after so many batches.

    Args:
        filepath: where to; may hold ``{epoch}`` (from 1), ``{batch}`` and names of metrics, as in
            ``"run/{epoch:02d}-{val_loss:.2f}.keras"``. Ends in ``.keras``, or in ``.weights.h5`` for weights alone.
        monitor: name of the metric that tells what is best.
        verbose: 1 to say what happens.
        save_best_only: keep what is saved unless the metric is better.
        save_weights_only: save the weights alone.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: value that the first saved model must be better than.

    Raises:
        ArgumentError: a file name that does not end as it must, or another `save_freq`.

    >>> ModelCheckpoint("best.keras", save_best_only=True).filepath
    'best.keras'
    """

    keeps_logs = False
    kept = ("best", "_batches", "_epoch")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._batches = 0
        self._epoch = 0
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ArgumentError(f"save_freq={save_freq!r} is neither 'epoch' nor a number of batches.")
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ArgumentError(
                f"With save_weights_only, filepath must end in '.weights.h5', but is '{self.filepath}'."
            )
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            raise ArgumentError(f"filepath must end in '.keras', but is '{self.filepath}'.")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch, for file names."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if it is time."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if it is time."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        note = ""
        if self.save_best_only:
            value = self.value(logs)
            if value is None:
                return
            before = self.worst if self.best is None else self.best
            if not self.better(value, before):
                if self.verbose:
                    self.say(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {before:.5f}")
                return
            note = f"{self.monitor} improved from {before:.5f} to {float(value):.5f}, "
            self.best = float(value)
        if self.verbose:
            self.say(f"\nEpoch {epoch + 1}: {note}saving model to {path}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        if not re.search(r"{.*?}", self.filepath):
            return self.filepath
        places: dict[str, Any] = {"epoch": epoch + 1, **(logs or {})}
        if batch is not None:
            places["batch"] = batch + 1
        try:
            return self.filepath.format(**places)
        except KeyError as error:
            raise ArgumentError(
                f"filepath '{self.filepath}' names {error}, which is not among {', '.join(places)}. Use one of these."
            ) from None
