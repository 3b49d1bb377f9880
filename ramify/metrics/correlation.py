"""How well numbers are explained: correlations and the coefficient of determination."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from ramify import dtypes, registry
from ramify.errors import ArgumentError
from ramify.losses.tensors import as_pair, as_tensor, same_rank
from ramify.metrics.base import Metric
from ramify.metrics.names import FUNCTIONS, MODULE
from ramify.metrics.reductions import MeanMetricWrapper


@registry.serializable(FUNCTIONS)
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    """Covariance over the product of the standard deviations, along an axis.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.
        axis: the axis of the numbers.

    Returns:
        Correlations between -1 and 1, the shape without `axis`; NaN where all numbers are equal.

    >>> pearson_correlation([[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]]).round(decimals=4)
    tensor([1.])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    t = y_true - y_true.mean(axis, keepdim=True)
    p = y_pred - y_pred.mean(axis, keepdim=True)
    t, p = (x / x.square().mean(axis, keepdim=True).sqrt() for x in (t, p))
    return (t * p).mean(axis)


@registry.serializable(FUNCTIONS)
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    """Twice the covariance over the variances and the squared difference of the means (Lin 1989), along an axis.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.
        axis: the axis of the numbers.

    Returns:
        Correlations between -1 and 1, the shape without `axis`.

    >>> concordance_correlation([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]])
    tensor([1.0000])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    mean_t, mean_p = y_true.mean(axis, keepdim=True), y_pred.mean(axis, keepdim=True)
    t, p = y_true - mean_t, y_pred - mean_p
    covariance = (t * p).mean(axis)
    apart = (mean_t - mean_p).square().squeeze(axis)
    return 2.0 * covariance / (t.square().mean(axis) + p.square().mean(axis) + apart + dtypes.epsilon())


@registry.serializable(MODULE, "pearson_correlation")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        axis: the axis of the numbers.

    >>> PearsonCorrelation()([[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]]).round(decimals=4)
    tensor(1.)
    """

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


@registry.serializable(MODULE, "concordance_correlation")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        axis: the axis of the numbers.

    >>> ConcordanceCorrelation()([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]])
    tensor(1.0000)
    """

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@registry.serializable(MODULE, "r2_score")
class R2Score(Metric):
    """The coefficient of determination: one minus the squared errors over the squared distances from the mean.

    Args:
        class_aggregation: ``None`` (one score per output), ``"uniform_average"`` or ``"variance_weighted_average"``.
        num_regressors: number of inputs of the model, for the adjusted score; 0 gives the plain one.
        name: as in `Metric`.
        dtype: as in `Metric`.

    Raises:
        ArgumentError: values out of range.

    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    tensor(0.5000)
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in AGGREGATIONS:
            known = ", ".join(map(repr, AGGREGATIONS))
            raise ArgumentError(f"Unknown class_aggregation {class_aggregation!r}. Use one of {known}.")
        if num_regressors < 0:
            raise ArgumentError(f"num_regressors must be at least 0, but is {num_regressors}.")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self.squared_sum = self.add_variable((outputs,), "zeros", name="squared_sum")
        self.sum = self.add_variable((outputs,), "zeros", name="sum")
        self.total_mse = self.add_variable((outputs,), "zeros", name="residual")
        self.count = self.add_variable((outputs,), "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets, ``(batch, outputs)`` or ``(batch,)``.
            y_pred: predictions, the same shape.
            sample_weight: ``(batch,)``, or ``None``.
        """
        y_pred = as_tensor(y_pred, self._dtype)
        y_true, y_pred = same_rank(as_tensor(y_true, self._dtype, y_pred.device), y_pred)
        if y_pred.ndim == 1:
            y_true, y_pred = y_true.unsqueeze(-1), y_pred.unsqueeze(-1)
        if not self._built:
            self._build(y_pred.shape[-1])
        self.follow(y_pred.device)
        weights = torch.ones((), dtype=self._dtype, device=y_pred.device)
        if sample_weight is not None:
            weights = as_tensor(sample_weight, self._dtype, y_pred.device)
            weights = weights.unsqueeze(-1) if weights.ndim == 1 else weights
        weighted = y_true * weights
        self.sum.add_(weighted.sum(0))
        self.squared_sum.add_((y_true * weighted).sum(0))
        self.total_mse.add_(((y_true - y_pred).square() * weights).sum(0))
        self.count.add_(torch.ones_like(y_true).mul(weights).sum(0))
        self.num_samples.add_(y_true.numel())

    def result(self) -> torch.Tensor:
        """The score, or one per output."""
        if not self._built:
            return torch.zeros((), dtype=self._dtype)
        total = self.squared_sum.value - self.sum.value * (self.sum.value / self.count.value)
        scores = 1.0 - self.total_mse.value / total
        scores = torch.where(scores.isinf(), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (scores * total / total.sum()).sum()
        return self._adjusted(scores) if self.num_regressors else scores

    def _adjusted(self, score: torch.Tensor) -> torch.Tensor:
        samples = float(self.num_samples)
        if self.num_regressors >= samples - 1:
            warnings.warn(
                f"{self.name} needs more than {self.num_regressors + 1} samples for the adjusted score, but has seen "
                f"{samples:.0f}: the plain score is given.",
                stacklevel=3,
            )
            return score
        return 1.0 - (1.0 - score) * (samples - 1.0) / (samples - self.num_regressors - 1.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
