"""`Callback`: what happens at the turning points of training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Callback:
    """The base of all callbacks: override the hooks you need.

    Logs are dicts of floats. They stay on the device until they are read, so that a callback that does not look costs
    nothing; after a batch they hold the running means of the epoch.

    Attributes:
        model: the model that is being trained, evaluated or asked to predict.
        params: ``{"verbose": ..., "epochs": ..., "steps": ...}``.

    Example:

    >>> class Announce(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: {logs['loss']:.1f}")
    >>> Announce().on_epoch_end(0, {"loss": 0.25})
    epoch 0: 0.2
    """

    ends_last = False
    """Whether its hooks at the end of something run after those of all other callbacks, which it looks at."""

    keeps_logs = True
    """Whether logs may be kept after a hook has returned; false lets the loop skip work after every batch."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model."""
        return self.__dict__.get("_model")

    def set_model(self, model: Any) -> None:
        """Called before everything else."""
        self._model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before everything else."""
        self.params = params

    def state_dict(self) -> dict[str, Any]:
        """What this callback must know to go on in another process: numbers, texts, tensors, in lists and dicts.

        Checkpoints keep it; `load_state_dict` gets it back, after `on_train_begin` (and `on_epoch_begin`, where
        training goes on in the middle of an epoch).
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""

    def on_exception(self, exception: BaseException) -> None:
        """`fit`, `evaluate` or `predict` is left by an exception (or Ctrl-C); no other hook follows."""

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """`fit` starts."""

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """`fit` ends; `logs` are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """An epoch of `fit` starts; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """An epoch of `fit` ends; `logs` hold its metrics, those of validation under names with ``val_``."""

    def on_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Another name for `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Another name for `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A training step starts; batches count from 0 in every epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A training step ends."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """`evaluate`, or the validation of `fit`, starts."""

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """`evaluate`, or the validation of `fit`, ends."""

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of `evaluate` or validation starts."""

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of `evaluate` or validation ends."""

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """`predict` starts."""

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """`predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of `predict` starts."""

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """A batch of `predict` ends; ``logs["outputs"]`` holds what the model gave."""
