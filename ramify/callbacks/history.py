"""`History`: the metrics of every epoch, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ramify.callbacks.callback import Callback
from ramify.callbacks.chart import Chart
from ramify.errors import ArgumentError


class History(Callback):
    """What `fit` returns.

    Attributes:
        epoch: numbers of the epochs that were run, from 0.
        history: name of a metric -> its value after each of them.

    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}
        self._epochs: dict[str, list[int]] = {}  # where each value belongs: validation may come at some epochs only

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start the list of epochs again."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note the epoch's metrics."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def plot(self, metrics: Sequence[str] | str | None = None, log_scale: bool = False) -> Chart:
        """A picture of how the metrics went: one panel for each, with validation beside training.

        Args:
            metrics: names of the metrics, without ``val_``; all that are single numbers when ``None``.
            log_scale: whether the vertical axes are logarithmic.

        Returns:
            A `Chart`, which notebooks show; ``save(path)`` writes it as SVG or HTML.

        Raises:
            ArgumentError: nothing to show, or an unknown name.

        >>> history = History()
        >>> for epoch, loss in enumerate([0.5, 0.3, 0.2]):
        ...     history.on_epoch_end(epoch, {"loss": loss, "val_loss": loss + 0.1})
        >>> history.plot()
        <Chart: loss>
        """
        single = [name for name, values in self.history.items() if all(isinstance(v, (int, float)) for v in values)]
        bare = dict.fromkeys(name.removeprefix("val_") for name in single)
        chosen = [metrics] if isinstance(metrics, str) else list(bare) if metrics is None else list(metrics)
        unknown = [name for name in chosen if name not in bare]
        if unknown or not chosen:
            what = f"no metric {unknown[0]!r}" if unknown else "no metrics yet"
            raise ArgumentError(f"The history has {what}. It has {', '.join(bare) or 'no epochs'}.")
        panels = {}
        for name in chosen:
            parts = {"training": name, "validation": f"val_{name}"}
            panels[name] = {
                word: self._points(key, self.history[key]) for word, key in parts.items() if key in self.history
            }
        return Chart(panels, log_scale=log_scale)

    def _points(self, name: str, values: list[Any]) -> list[tuple[float, float]]:
        """Values with the epochs they belong to."""
        epochs = self._epochs.get(name, [])
        if len(epochs) != len(values):  # the lists were put there by somebody else
            epochs = list(range(len(values)))
        return [(epoch + 1, float(value)) for epoch, value in zip(epochs, values, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Epochs and metrics."""
        kept = {name: list(values) for name, values in self.history.items()}
        return {"epoch": list(self.epoch), "history": kept, "epochs": {n: list(e) for n, e in self._epochs.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Epochs and metrics."""
        self.epoch = list(state["epoch"])
        self.history = {name: list(values) for name, values in state["history"].items()}
        self._epochs = {name: list(epochs) for name, epochs in state["epochs"].items()}
