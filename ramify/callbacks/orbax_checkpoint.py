"""`OrbaxCheckpoint`: a folder of checkpoints, numbered by steps, of which the last few are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ramify.callbacks.monitor import MetricWatcher
from ramify.errors import ArgumentError

Logs = Mapping[str, Any] | None


class OrbaxCheckpoint(MetricWatcher):
    """Saves the whole state of training into a folder, one file per save, and keeps the latest few.

    The name and arguments are Keras's; the files are this library's own checkpoints (see `saving.save_checkpoint`),
    ``FOLDER/NUMBER.ckpt``, where the number counts epochs, or batches with a number as `save_freq`. They are there
    whole or not at all. ``model.load_checkpoint(FOLDER)`` loads the latest.

    Args:
        directory: the folder; it is made if it is not there.
        monitor: name of the metric that tells what is best.
        verbose: 1 to say what happens.
        save_best_only: save only where the metric is better than ever before.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: value that the first saved state must be better than.
        max_to_keep: number of files that are kept; all when ``None``.
        save_on_background: write files in a thread while training goes on; the state is copied first.
        save_weights_only: save the weights alone, as ``NUMBER.weights.h5``.

    Raises:
        ArgumentError: another `save_freq`, or a `max_to_keep` below 1.

    >>> OrbaxCheckpoint("checkpoints", max_to_keep=3).max_to_keep
    3
    """

    kept = ("best", "_batches", "_total")
    keeps_logs = False

    def __init__(
        self,
        directory: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq >= 1):
            raise ArgumentError(f"save_freq={save_freq!r} is neither 'epoch' nor a number of batches.")
        if max_to_keep is not None and max_to_keep < 1:
            raise ArgumentError(f"max_to_keep must be at least 1 or None, but is {max_to_keep}.")
        self.directory = os.fspath(directory)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._batches = self._total = 0
        self._pool: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    @property
    def suffix(self) -> str:
        """How the names of its files end."""
        return ".weights.h5" if self.save_weights_only else ".ckpt"

    @property
    def all_steps(self) -> list[int]:
        """Numbers of the files that are there, in order."""
        found = [path.name.removesuffix(self.suffix) for path in Path(self.directory).glob(f"*{self.suffix}")]
        return sorted(int(name) for name in found if name.isdigit())

    def on_train_begin(self, logs: Logs = None) -> None:
        """Make the folder, and take away what a killed process left half-written."""
        folder = Path(self.directory)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f".*{self.suffix}.*.tmp"):
            left.unlink(missing_ok=True)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if it is time."""
        self._total += 1
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._total, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if it is time."""
        if self.save_freq == "epoch":
            self._save(epoch + 1, logs)

    def _save(self, number: int, logs: Logs) -> None:
        if self.save_best_only:
            value = self.value(logs)
            if value is None:
                return
            before = self.worst if self.best is None else self.best
            if not self.better(value, before):
                return
            self.best = float(value)
        path = Path(self.directory) / f"{number}{self.suffix}"
        if self.verbose:
            self.say(f"\nSaving the state of training to {path}")
        self.wait_until_finished()
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
            self._tidy()
            return
        state = self.model.training_state()
        if not self.save_on_background:
            self._write(state, path)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "checkpoint")
        self._writing = self._pool.submit(self._write, state, path)

    def _write(self, state: Any, path: Path) -> None:
        state.write(path)
        self._tidy()

    def _tidy(self) -> None:
        for number in self.all_steps[: -self.max_to_keep] if self.max_to_keep is not None else ():
            (Path(self.directory) / f"{number}{self.suffix}").unlink(missing_ok=True)

    def wait_until_finished(self) -> None:
        """Wait until the file that is being written is on the disk; an error in writing it is raised here."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def on_train_end(self, logs: Logs = None) -> None:
        """Wait for the last file."""
        try:
            self.wait_until_finished()
        finally:
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None

    def on_exception(self, exception: BaseException) -> None:
        """Wait for the last file."""
        self.on_train_end()
