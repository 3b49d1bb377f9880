"""Callbacks of a few lines: functions as hooks, a table of numbers, an end at the first NaN."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from ramify.callbacks.callback import Callback
from ramify.settings import say

Logs = Mapping[str, Any] | None
Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: function of ``(epoch, logs)``.
        on_epoch_end: function of ``(epoch, logs)``.
        on_train_begin: function of ``(logs)``.
        on_train_end: function of ``(logs)``.
        on_train_batch_begin: function of ``(batch, logs)``.
        on_train_batch_end: function of ``(batch, logs)``.
        **kwargs: any other hook, or attribute, by its name.

    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(0, {"loss": 1.0})
    0 {'loss': 1.0}
    """

    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        self.__dict__.update({name: hook for name, hook in given.items() if hook is not None}, **kwargs)


class CSVLogger(Callback):
    """Writes the metrics of every epoch into a file, one line each; the file is complete after every epoch.

    Args:
        filename: where to.
        separator: between the fields.
        append: go on with a file that is there.

    >>> CSVLogger("log.csv").separator
    ','
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file: TextIO | None = None
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file."""
        path = Path(self.filename)
        run = getattr(self.model, "training_run", None)
        goes_on = self.append or (run is not None and run.resuming)
        begun = goes_on and path.exists() and path.stat().st_size > 0
        if begun:
            with path.open(newline="") as file:
                header = next(csv.reader(file, delimiter=self.separator), None)
            self._keys = header[1:] if header else None
        else:
            self._keys = None
        self._file = path.open("a" if goes_on else "w", newline="")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a line."""
        if self._file is None:
            return
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        if self._keys is None:
            # Epochs without validation leave their fields empty, so that the columns are there from the first line.
            own = sorted(logs)
            self._keys = own if any(key.startswith("val_") for key in own) else [*own, *(f"val_{key}" for key in own)]
            writer.writerow(["epoch", *self._keys])
        writer.writerow([epoch, *(_field(logs.get(key, "NA")) for key in self._keys)])
        self._file.flush()

    def state_dict(self) -> dict[str, Any]:
        """How long the file is."""
        return {} if self._file is None else {"bytes": Path(self.filename).stat().st_size, "keys": self._keys}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take away the lines of epochs that are going to be done again."""
        self._keys = state["keys"]
        if self._file is not None and Path(self.filename).stat().st_size > state["bytes"]:
            self._file.truncate(state["bytes"])

    def on_exception(self, exception: BaseException) -> None:
        """Close the file."""
        self.on_train_end()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = None


def _field(value: Any) -> Any:
    return f'"[{", ".join(map(str, value.reshape(-1).tolist()))}]"' if getattr(value, "ndim", 0) else value


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is no finite number. It waits for the device after every batch.

    Args:
        raise_error: raise instead of stopping.

    Raises:
        RuntimeError: such a loss, with `raise_error`.

    >>> TerminateOnNaN().raise_error
    False
    """

    keeps_logs = False

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        if self.raise_error:
            raise RuntimeError(
                f"The loss is {loss} after batch {batch}. Look for NaN in the data, or lower the learning rate."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
