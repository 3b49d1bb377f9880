"""What the callbacks that watch one metric have in common."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from ramify.callbacks.callback import Callback
from ramify.errors import ArgumentError
from ramify.settings import say

# Parts of metric names that say which way is better; whatever else is watched needs a `mode`.
_LOW = (
    "loss",
    "error",
    "mse",
    "mae",
    "mape",
    "msle",
    "rmse",
    "poisson",
    "crossentropy",
    "divergence",
    "logcosh",
    "perplexity",
)
_HIGH = (
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "fbeta",
    "iou",
    "similarity",
    "sensitivity",
    "specificity",
    "r2",
    "positives",
)


class MetricWatcher(Callback):
    """A callback that compares a metric with its best value so far.

    Args:
        monitor: name of the metric in the logs.
        mode: ``"min"``, ``"max"``, or ``"auto"``: by the metric's own direction, or its name.
        min_delta: smallest change that counts.

    Raises:
        ArgumentError: another mode.
    """

    kept: tuple[str, ...] = ("best",)
    """The attributes that a checkpoint keeps."""

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f"{type(self).__name__} knows no mode={mode!r}. Use 'auto', 'min' or 'max'.")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self._sign = 0

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        if not self._sign:
            self._sign = self._direction()
        return self._sign

    @property
    def worst(self) -> float:
        """The value that everything is better than."""
        return -self.sign * math.inf

    def _direction(self) -> int:
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_").lower()
        if name == "loss" or name.endswith("_loss"):
            return -1
        for metric in getattr(self.model, "metrics", ()):
            for one in getattr(metric, "metrics", (metric,)):
                direction = getattr(one, "_direction", None)
                own = str(getattr(one, "name", ""))
                if direction in ("up", "down") and own and name in (own, f"weighted_{own}"):
                    return 1 if direction == "up" else -1
        if any(part in name for part in _LOW):
            return -1
        if any(part in name for part in _HIGH):
            return 1
        raise ArgumentError(
            f"{type(self).__name__} cannot tell whether more or less '{self.monitor}' is better. "
            "Pass mode='max' or mode='min'."
        )

    def better(self, value: Any, than: Any, min_delta: float | None = None) -> bool:
        """Whether a value is better than another by more than `min_delta`."""
        delta = self.min_delta if min_delta is None else min_delta
        return bool(self.sign * (float(value) - float(than)) > delta)

    def value(self, logs: Mapping[str, Any] | None) -> Any:
        """The metric out of the logs; a warning and ``None`` where it is not among them."""
        logs = logs or {}
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__} watches '{self.monitor}', which is not among the metrics "
                f"{', '.join(logs)}. Name one of these, or pass validation data.",
                stacklevel=2,
            )
            return None
        return logs[self.monitor]

    def say(self, text: str) -> None:
        """Tell the user a line."""
        say(text)

    def state_dict(self) -> dict[str, Any]:
        """What `kept` names."""
        return {name: getattr(self, name) for name in self.kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """What `kept` names."""
        self.__dict__.update({name: state[name] for name in self.kept})
