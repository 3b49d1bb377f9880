"""F-scores: precision and recall in one number."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes, registry
from ramify.errors import ArgumentError, ShapeError
from ramify.losses.tensors import as_tensor, check_broadcast
from ramify.metrics.base import Metric, ratio
from ramify.metrics.names import MODULE

AVERAGES = (None, "micro", "macro", "weighted")


@registry.serializable(MODULE, "fbeta_score")
class FBetaScore(Metric):
    """``(1 + beta^2) p r / (beta^2 p + r)`` of precision `p` and recall `r`, for each class or averaged.

    Args:
        average: ``None`` (one score per class), ``"micro"`` (count over all classes), ``"macro"`` (mean over them)
            or ``"weighted"`` (mean weighed by how often a class occurs).
        beta: how many times more recall weighs than precision; above 0.
        threshold: scores above it are answers; the highest score alone when ``None``.
        name: as in `Metric`.
        dtype: as in `Metric`.

    Raises:
        ArgumentError: values out of range.

    >>> FBetaScore(beta=2.0)([[0, 1], [1, 0], [0, 1]], [[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    tensor([0.0000, 0.9091])
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in AVERAGES:
            raise ArgumentError(f"Unknown average {average!r}. Use one of {', '.join(map(repr, AVERAGES))}.")
        if not isinstance(beta, (int, float)) or beta <= 0:
            raise ArgumentError(f"beta must be a number above 0, but is {beta!r}.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ArgumentError(f"threshold must be a number above 0 and at most 1, but is {threshold!r}.")
        self.average, self.beta, self.threshold = average, float(beta), threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: one-hot or multi-hot targets, ``(batch, classes)``.
            y_pred: scores, ``(batch, classes)``.
            sample_weight: ``(batch,)``, or ``None``.

        Raises:
            ShapeError: other ranks.
        """
        y_pred = as_tensor(y_pred, self._dtype)
        y_true = as_tensor(y_true, self._dtype, y_pred.device)
        if y_pred.ndim != 2 or y_true.ndim != 2:
            raise ShapeError(
                f"{self.name} wants y_true and y_pred of shape (batch, classes), but received {tuple(y_true.shape)} "
                f"and {tuple(y_pred.shape)}. Make class numbers one-hot."
            )
        if not self._built:
            self._build(y_pred.shape[-1])
        self.follow(y_pred.device)
        if self.threshold is None:
            answer = (y_pred >= y_pred.amax(-1, keepdim=True)) & (y_pred.abs() > 1e-9)
        else:
            answer = y_pred > self.threshold
        chosen = answer.to(self._dtype)
        weights = torch.ones((), dtype=self._dtype, device=y_pred.device)
        if sample_weight is not None:
            weights = as_tensor(sample_weight, self._dtype, y_pred.device)
            weights = weights.reshape(-1, 1) if weights.ndim < 2 else weights
            check_broadcast("sample_weight", weights, y_pred)
        right = chosen * y_true
        for state, values in zip(self._states, (right, chosen - right, y_true - right, y_true), strict=True):
            weighted = values * weights
            state.add_(weighted.sum() if self.axis is None else weighted.sum(0))

    def result(self) -> torch.Tensor:
        """The score, or one per class.

        Raises:
            ArgumentError: nothing was gathered yet, so that the number of classes is unknown.
        """
        if not self._built:
            raise ArgumentError(f"{self.name} knows its classes only after the first `update_state`. Call that first.")
        tp, fp, fn, frequency = (state.value for state in self._states)
        square, small = self.beta**2, dtypes.epsilon()  # as in Keras, where it keeps divisors from 0
        precision, recall = tp / (tp + fp + small), tp / (tp + fn + small)
        score = (1.0 + square) * precision * recall / (square * precision + recall + small)
        if self.average == "weighted":
            return (score * ratio(frequency, frequency.sum())).sum()
        return score.mean() if self.average is not None else score

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {"average": self.average, "beta": self.beta, "threshold": self.threshold}


@registry.serializable(MODULE, "f1_score")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, for each class or averaged.

    Args:
        average: as in `FBetaScore`.
        threshold: as in `FBetaScore`.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> F1Score(average="micro")([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]])
    tensor(0.5000)
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str = "f1_score", dtype: Any = None
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = super().get_config()
        del config["beta"]
        return config
