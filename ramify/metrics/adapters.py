"""Metrics of other libraries, taken as they are."""

from __future__ import annotations

from typing import Any

import torch

from ramify import naming
from ramify.errors import ArgumentError
from ramify.losses.tensors import as_tensor
from ramify.metrics.base import Metric


def is_foreign_metric(x: Any) -> bool:
    """Whether `x` gathers and computes as `torchmetrics.Metric` does."""
    if isinstance(x, (Metric, type)):
        return False
    return all(callable(getattr(x, method, None)) for method in ("update", "compute", "reset"))


class TorchMetric(Metric):
    """A `torchmetrics.Metric`, or anything with ``update(preds, target)``, ``compute()`` and ``reset()``.

    Args:
        metric: the object; it is moved to where its input is, if it can be moved.
        name: name of the metric; that of its class when ``None``.
    """

    def __init__(self, metric: Any, name: str | None = None) -> None:
        super().__init__(name=name or naming.to_snake_case(type(metric).__name__))
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: must be ``None``.

        Raises:
            ArgumentError: sample weights, which such metrics do not know.
        """
        if sample_weight is not None:
            raise ArgumentError(
                f"{self.name} cannot weigh samples. Pass it among `metrics`, not `weighted_metrics`, or leave the "
                "weights out."
            )
        y_pred = as_tensor(y_pred).detach()
        if isinstance(self.metric, torch.nn.Module) and y_pred.device != self._device:
            self.metric.to(y_pred.device)
        self._device = y_pred.device
        self.metric.update(y_pred, as_tensor(y_true, None, y_pred.device))

    def result(self) -> Any:
        """What the object computes."""
        return self.metric.compute()

    def reset_state(self) -> None:
        """Forget what was gathered."""
        self.metric.reset()

    def get_config(self) -> dict[str, Any]:
        """Raises: such a metric has no config."""
        raise ArgumentError(f"{self.name} is a metric of another library, which has no config. Compile with it again.")
