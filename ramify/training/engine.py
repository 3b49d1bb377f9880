"""One step of training, evaluation or prediction, as an object.

A step is the same function however it is run: operation by operation (`EagerEngine`), replayed from a recording
(`capture/`), or compiled. The loop, the callbacks and the data know nothing of it; a new way to run a step is a new
`Engine` and a line in `engines.py`.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch

from ramify.heap import keep_freed_memory
from ramify.layers.state import state
from ramify.training.data.batch import unpack_x_y_sample_weight
from ramify.training.data.choose import device_of

StepLogs = Mapping[str, Any] | None
"""What a step made itself; ``None`` where the model's metrics tell all there is."""


class Engine(ABC):
    """How steps are run.

    Args:
        model: the model, with its optimizer, losses and metrics.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        keep_freed_memory()

    @property
    def device(self) -> torch.device:
        """Where the model's weights are; torch's default device where it has none yet."""
        return device_of(self.model)

    @abstractmethod
    def refresh(self) -> None:
        """Look again at which weights and layers the model has."""

    def replay(self, data: Any, training: bool) -> bool:
        """Do a step for which no module need be in the mode for it; false, and nothing done, where there is none."""
        del data, training
        return False

    def by_plan(self, inputs: list[torch.Tensor]) -> Any:
        """What `predict_batch` gives, by a plan of earlier calls; ``None``, and nothing done, where there is none."""
        del inputs

    def begin_epoch(self) -> None:
        """An epoch of training begins: nothing to do, where every step runs the user's code."""
        return

    @abstractmethod
    def report(self) -> dict[str, str]:
        """Which way the steps are run, and why: ``"engine"``, ``"why"``, and an entry for each kind of batch."""

    @abstractmethod
    def train_batch(self, data: Any) -> StepLogs:
        """Forward, losses, backward, optimizer, metrics."""

    @abstractmethod
    def test_batch(self, data: Any) -> StepLogs:
        """Forward, losses, metrics."""

    @abstractmethod
    def predict_batch(self, data: Any) -> Any:
        """Forward."""


class EagerEngine(Engine):
    """Runs a step operation by operation.

    Args:
        model: the model.
        forward: what computes the predictions; the model itself when ``None``.
        why: why steps are run this way, for people.
    """

    def __init__(self, model: Any, forward: Callable[[Any], Any] | None = None, why: str = "") -> None:
        super().__init__(model)
        self.why = why
        self.forward: Any = model if forward is None else forward
        self._weights: list[Any] | None = None

    def refresh(self) -> None:
        """Look again at which weights the model has."""
        self._weights = None

    def report(self) -> dict[str, str]:
        """Which way the steps are run, and why."""
        compiled = self.forward is not self.model
        return {"engine": "compiled" if compiled else "eager", "why": self.why}

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return self._weights[0].device if self._weights else super().device

    def _predictions(self, x: Any, training: bool) -> Any:
        outer, state.training = state.training, training
        try:
            return self.forward(x)
        finally:
            state.training = outer

    def train_batch(self, data: Any) -> StepLogs:
        """Forward, losses, backward, optimizer, metrics."""
        x, y, weight = unpack_x_y_sample_weight(data)
        for one in self._weights or ():  # those of the last step would take memory during the forward pass
            one.grad = None
        y_pred, loss = self.loss_of(x, y, weight, training=True)
        weights = self.trainable()
        if weights:
            for one in weights:
                one.grad = None
            optimizer = self.model.optimizer
            optimizer.scale_loss(loss).backward()
            optimizer.apply([one.grad for one in weights], weights)
        return self.measure(x, y, y_pred, weight)

    def trainable(self) -> list[Any]:
        """The weights that are trained now; a warning where there are none."""
        if self._weights is None:
            self._weights = self.model.weights
        weights = [weight for weight in self._weights if weight.requires_grad]
        if not weights:
            warnings.warn("The model has no weights to train: all are frozen, or there are none.", stacklevel=2)
        return weights

    def test_batch(self, data: Any) -> StepLogs:
        """Forward, losses, metrics."""
        x, y, weight = unpack_x_y_sample_weight(data)
        y_pred, _ = self.loss_of(x, y, weight, training=False)
        return self.measure(x, y, y_pred, weight)

    def loss_of(self, x: Any, y: Any, weight: Any, training: bool) -> tuple[Any, torch.Tensor]:
        """Predictions and loss of a batch; the loss is noted in its metric."""
        y_pred = self._predictions(x, training)
        loss: torch.Tensor = self.model.compute_loss(x, y, y_pred, weight, training)
        self.model.loss_mean.update_state(loss, sample_weight=batch_size_of(x))
        return y_pred, loss

    def measure(self, x: Any, y: Any, y_pred: Any, weight: Any) -> StepLogs:
        """Gather a batch in the metrics."""
        model = self.model
        if model.measures_itself:
            logs: StepLogs = model.compute_metrics(x, y, y_pred, sample_weight=weight)
            return logs
        if model.compile_metrics is not None:
            model.compile_metrics.update_state(y, y_pred, weight)
        return None

    def predict_batch(self, data: Any) -> Any:
        """Forward."""
        return self._predictions(unpack_x_y_sample_weight(data)[0], training=False)

    def by_plan(self, inputs: list[torch.Tensor]) -> Any:
        """What the model's plan makes of the inputs."""
        return self.model.by_plan(inputs) if self.forward is self.model else None


def set_mode(module: torch.nn.Module, training: bool) -> None:
    """What `module.train(training)` does, without its cost per module; modules that override it are asked."""
    stack = [module]
    while stack:
        module = stack.pop()
        if type(module).train is torch.nn.Module.train:
            module.__dict__["training"] = training
            stack.extend(inner for inner in module._modules.values() if inner is not None)
        else:
            module.train(training)


def batch_size_of(x: Any) -> int:
    """The number of samples in a batch."""
    while not isinstance(x, torch.Tensor):
        parts = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else ()
        x = next((part for part in parts if part is not None), None)
        if x is None:
            return 1
    return int(x.shape[0]) if x.ndim else 1
