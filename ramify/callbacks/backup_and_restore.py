"""`BackupAndRestore`: training that was stopped goes on where it was, to the last bit."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ramify.callbacks.callback import Callback
from ramify.errors import ArgumentError, FileFormatError

Logs = Mapping[str, Any] | None

LATEST, PREVIOUS = "latest.ckpt", "previous.ckpt"


class BackupAndRestore(Callback):
    """Saves the state of training now and then; the next `fit` with the same folder goes on from there.

    A run that was stopped at any moment and is started again ends with the same bits as one that was not: the backup
    holds weights, optimizers with their schedules and loss scale, metrics, the random states of torch, NumPy and
    Python and of layers with seeds of their own, the place in the data, and the states of all callbacks. It is one
    file, written beside the old one, which it replaces in one step; it holds no code, and its checksum is compared.

    The program is started again as it was: the same model, `compile` and arguments of `fit`, any seeds. To find its
    place in the data, the batches before it in this pass are made and passed over; data sets with `state_dict` and
    `load_state_dict` are told instead. A generator must be made anew, and give the same batches again: best by a random
    generator of its own.

    Args:
        backup_dir: folder of the backup, for this run alone; it is made if it is not there.
        save_freq: ``"epoch"``, a number of batches, or false for backups at a signal only.
        double_checkpoint: keep the backup before the last one too, and use it if the last one is damaged.
        delete_checkpoint: delete the backup when training has ended.
        save_before_preemption: at the signal ``SIGTERM`` finish the step, save, and exit with code 143.

    Raises:
        ArgumentError: no folder, or another `save_freq`.
        FileFormatError: a backup that is damaged, or of another model; by `fit`.

    Example:

    >>> import tempfile, numpy as np, ramify
    >>> x = ramify.Input((2,))
    >>> model = ramify.Model(x, ramify.layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data = np.ones((8, 2)), np.ones((8, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     backup = ramify.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    ...     first = model.fit(*data, epochs=2, verbose=0, callbacks=[backup])
    ...     again = model.fit(*data, epochs=3, verbose=0, callbacks=[backup])
    >>> again.epoch, again.history["loss"][:2] == first.history["loss"]
    ([0, 1, 2], True)
    """

    ends_last = True
    keeps_logs = False

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int | bool = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ArgumentError("BackupAndRestore needs a folder for its backups. Pass `backup_dir`.")
        if save_freq != "epoch" and save_freq is not False and not _is_number(save_freq):
            raise ArgumentError(f"save_freq={save_freq!r} is neither 'epoch' nor a number of batches, nor False.")
        if save_freq is False and not save_before_preemption:
            raise ArgumentError("Nothing would ever be saved: pass a `save_freq`, or save_before_preemption=True.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.save_before_preemption = save_before_preemption
        self._batches = 0
        self._asked_to_stop = False
        self._old_handler: Any = None

    @property
    def paths(self) -> tuple[Path, Path]:
        """Where the last backup is, and the one before it."""
        return Path(self.backup_dir) / LATEST, Path(self.backup_dir) / PREVIOUS

    def resume_point(self) -> Any:
        """The backup to go on from; ``None`` where there is none.

        Raises:
            FileFormatError: there are backups, but all are damaged.
        """
        error: FileFormatError | None = None
        for path in self.paths:
            if path.exists():
                try:
                    return self.model.open_checkpoint(path)
                except FileFormatError as damage:
                    error = error or damage
        if error is not None:
            raise FileFormatError(f"{error} To begin training anew, delete the folder {self.backup_dir}.")
        return None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Make the folder, and take away what a killed process left half-written."""
        latest, _ = self.paths
        latest.parent.mkdir(parents=True, exist_ok=True)
        for left in latest.parent.glob(f".{LATEST}.*.tmp"):
            left.unlink(missing_ok=True)
        self._batches = 0
        self._asked_to_stop = False
        if self.save_before_preemption and threading.current_thread() is threading.main_thread():
            self._old_handler = signal.signal(signal.SIGTERM, self._note_signal) or signal.SIG_DFL

    def _note_signal(self, number: int, frame: Any) -> None:
        self._asked_to_stop = True

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if it is time; exit, if the process was asked to."""
        self._batches += 1
        due = self.save_freq != "epoch" and self.save_freq is not False and self._batches >= int(self.save_freq)
        self._save_if(due)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if it is time; exit, if the process was asked to."""
        self._save_if(self.save_freq == "epoch")

    def _save_if(self, due: bool) -> None:
        if due or self._asked_to_stop:
            self._save()
        if self._asked_to_stop:
            raise SystemExit(128 + signal.SIGTERM)

    def _save(self) -> None:
        self._batches = 0
        latest, previous = self.paths
        state = self.model.training_state()
        if self.double_checkpoint and latest.exists():
            os.replace(latest, previous)  # noqa: PTH105 -- as the files of models
        state.write(latest)

    def state_dict(self) -> dict[str, Any]:
        """Batches since the last backup."""
        return {"batches": self._batches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self._batches = state["batches"]

    def on_train_end(self, logs: Logs = None) -> None:
        """Delete the backup: training is done. A signal that came too late to be heeded is given again."""
        self._give_signal_back()
        if self._asked_to_stop:
            signal.raise_signal(signal.SIGTERM)
        if self.delete_checkpoint:
            for path in reversed(self.paths):
                path.unlink(missing_ok=True)

    def on_exception(self, exception: BaseException) -> None:
        """Leave the backup where it is."""
        self._give_signal_back()

    def _give_signal_back(self) -> None:
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)
            self._old_handler = None


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
