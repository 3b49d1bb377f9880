"""`TensorBoard`: event files that TensorBoard shows, written by torch's `SummaryWriter`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from ramify.callbacks.callback import Callback
from ramify.errors import ArgumentError, RamifyError

Logs = Mapping[str, Any] | None


class TensorBoardError(RamifyError, ImportError):
    """The package ``tensorboard`` is not installed."""


class TensorBoard(Callback):
    """Writes metrics, and on request weights, images, embeddings and profiles, for TensorBoard.

    ``log_dir/train`` gets ``epoch_loss`` and the like of every epoch (and ``batch_loss`` of batches, with another
    `update_freq`), ``log_dir/validation`` those of validation, and ``evaluation_loss_vs_iterations`` at every
    evaluation. See them by ``tensorboard --logdir log_dir``.

    Args:
        log_dir: folder for the files.
        histogram_freq: write histograms of all weights after every so many epochs; 0 for never.
        write_graph: write the model's summary as text.
        write_images: with `histogram_freq`, write weights of two or more axes as images, too.
        write_steps_per_second: write how many steps a second were done.
        update_freq: ``"epoch"``, ``"batch"``, or a number of batches.
        profile_batch: profile this batch (counted from 1 over all epochs), or those from one to another, and write
            traces; 0 for none.
        embeddings_freq: write the weights of `Embedding` layers after every so many epochs; 0 for never.
        embeddings_metadata: file with a label for each row in a line; or name of an embedding layer -> such a file.

    Raises:
        TensorBoardError: the package ``tensorboard`` is not installed.
        ArgumentError: another `update_freq`, or batches to profile that are none.

    Example::

        model.fit(x, y, callbacks=[TensorBoard("logs")])
    """

    keeps_logs = False

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | os.PathLike[str] | Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if update_freq not in ("epoch", "batch") and not (isinstance(update_freq, int) and update_freq >= 1):
            raise ArgumentError(f"update_freq={update_freq!r} is neither 'epoch' nor 'batch' nor a number of batches.")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: str | int = 1 if update_freq == "batch" else update_freq
        self.profile_batch = profile_batch
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._profiled = _range(profile_batch)
        self._make = summary_writer()
        self._writers: dict[str, Any] = {}
        self._profile: Any = None
        self._step = self._steps_before = 0
        self._since = time.perf_counter()

    def _writer(self, name: str) -> Any:
        """The writer of a folder below `log_dir`."""
        if name not in self._writers:
            self._writers[name] = self._make(str(Path(self.log_dir) / name))
        return self._writers[name]

    def _scalars(self, name: str, values: Mapping[str, Any], step: int) -> None:
        writer = self._writer(name)
        for key, value in values.items():
            if not getattr(value, "ndim", 0):
                writer.add_scalar(key, float(value), step)

    # ---- training ----

    def on_train_begin(self, logs: Logs = None) -> None:
        """Write what the model is."""
        self._step = self._steps_before = 0
        if self.write_graph and self.model.built:
            lines: list[str] = []
            self.model.summary(print_fn=lines.append, line_length=100)
            text = "\n".join(f"    {line}" for line in "\n".join(lines).splitlines())
            self._writer("train").add_text("model", text, 0)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Take the time."""
        self._steps_before, self._since = self._step, time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Begin a profile, if it is time."""
        if self._profiled is not None and self._step + 1 == self._profiled[0]:
            self._profile = torch.profiler.profile(record_shapes=True, acc_events=True)
            self._profile.start()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the batch's numbers, if it is time."""
        self._step += 1
        if self._profile is not None and self._profiled is not None and self._step >= self._profiled[1]:
            self._end_profile()
        if self.update_freq == "epoch" or self._step % int(self.update_freq):
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            values["batch_steps_per_second"] = self._pace()
        self._scalars("train", values, self._step)

    def _pace(self) -> float:
        return (self._step - self._steps_before) / max(time.perf_counter() - self._since, 1e-9)

    def _end_profile(self) -> None:
        folder = Path(self.log_dir) / "train" / "profile"
        folder.mkdir(parents=True, exist_ok=True)
        self._profile.stop()
        self._profile.export_chrome_trace(str(folder / f"batch_{self._step}.pt.trace.json"))
        self._profile = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the epoch's numbers, and what else is due."""
        logs = logs or {}
        values = {f"epoch_{name}": value for name, value in logs.items() if not name.startswith("val_")}
        if "learning_rate" not in logs and hasattr(self.model.optimizer, "learning_rate"):
            values["epoch_learning_rate"] = self.model.optimizer.learning_rate
        if self.write_steps_per_second:
            values["epoch_steps_per_second"] = self._pace()
        self._scalars("train", values, epoch)
        held_out = {f"epoch_{k.removeprefix('val_')}": value for k, value in logs.items() if k.startswith("val_")}
        if held_out:
            self._scalars("validation", held_out, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)
        for writer in self._writers.values():
            writer.flush()

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for weight in self.model.weights:
            values = weight.detach().float().cpu()
            name = getattr(weight, "path", "weight")
            writer.add_histogram(f"{name}/histogram", values, epoch)
            if self.write_images and values.ndim >= 2:
                image = values.reshape(-1, values.shape[-1])
                spread = (image.max() - image.min()).clamp_min(1e-12)
                writer.add_image(f"{name}/image", (image - image.min()) / spread, epoch, dataformats="HW")

    def _write_embeddings(self, epoch: int) -> None:
        given = self.embeddings_metadata
        for layer in self.model.layers:
            table = getattr(layer, "embeddings", None)
            if isinstance(table, torch.Tensor) and table.ndim == 2:
                path = given.get(layer.name) if isinstance(given, Mapping) else given
                labels = None if path is None else Path(path).read_text(encoding="utf-8").splitlines()[: len(table)]
                self._writer("train").add_embedding(table.detach(), labels, global_step=epoch, tag=layer.name)

    # ---- evaluation ----

    def on_test_end(self, logs: Logs = None) -> None:
        """Write the numbers of an evaluation by the steps that the optimizer has done."""
        done = int(getattr(self.model.optimizer, "iterations", 0))
        self._scalars("validation", {f"evaluation_{k}_vs_iterations": v for k, v in (logs or {}).items()}, done)
        self._writers["validation"].flush()

    def state_dict(self) -> dict[str, Any]:
        """The steps so far."""
        return {"step": self._step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self._step = self._steps_before = state["step"]

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the files."""
        if self._profile is not None:
            self._end_profile()
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def on_exception(self, exception: BaseException) -> None:
        """Close the files."""
        self.on_train_end()


def summary_writer() -> Callable[[str], Any]:
    """The class that writes event files.

    Raises:
        TensorBoardError: it cannot be imported.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TensorBoardError(
            f"The TensorBoard callback needs the package tensorboard ({error}). Run `pip install "
            "'ramify[tensorboard]'`, or use CSVLogger or `history.plot()`, which need nothing."
        ) from None
    return SummaryWriter


def _range(profile_batch: Any) -> tuple[int, int] | None:
    """The first and the last batch that are profiled."""
    both = (profile_batch, profile_batch) if isinstance(profile_batch, int) else tuple(profile_batch)
    if both == (0, 0):
        return None
    if len(both) != 2 or not all(isinstance(n, int) for n in both) or not 1 <= both[0] <= both[1]:
        raise ArgumentError(f"profile_batch={profile_batch!r} is neither a number of a batch nor a pair of them.")
    return both[0], both[1]
