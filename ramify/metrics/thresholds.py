"""Counting right and wrong answers at thresholds: what precision, recall and areas under curves are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.losses.tensors import as_tensor, check_broadcast, per_sample_first, same_rank

# Stands below every score, so that a score that is not among the highest is never above a threshold.
LOWEST = -1e10


def check_thresholds(thresholds: Any, default: float) -> list[float]:
    """Thresholds as a list, each in ``[0, 1]`` (or `LOWEST`); the default where there are none.

    Raises:
        ArgumentError: a threshold out of range.
    """
    given = [default] if thresholds is None else list(thresholds) if hasattr(thresholds, "__len__") else [thresholds]
    wrong = [t for t in given if t is None or not (0 <= t <= 1 or t == LOWEST)]
    if wrong:
        raise ArgumentError(f"Thresholds must lie in [0, 1], but received {wrong}.")
    return [float(t) for t in given]


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether thresholds divide ``[0, 1]`` into equal parts, so that sorting into them is a multiplication."""
    if len(thresholds) < 3:
        return False
    step = 1.0 / (len(thresholds) - 1)
    return all(abs(t - i * step) <= 1e-7 for i, t in enumerate(thresholds))


class Counts:
    """Predictions beside targets and weights, all of one shape, ready to be counted.

    Args:
        y_true: targets of 0 and 1; other numbers count as true unless they are 0.
        y_pred: scores in ``[0, 1]``, ``(batch, ...)``.
        sample_weight: weights that broadcast to the scores, or ``None``.
        dtype: dtype of the counts.
        top_k: only the `k` highest scores of a sample can be positive.
        class_id: only this entry of the last axis counts.
        per_label: keep the last axis apart, so that shapes are ``(batch, labels)``; else all is one row.
        label_weights: weights of the last axis' entries.
    """

    def __init__(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any = None,
        dtype: torch.dtype = torch.float32,
        top_k: int | None = None,
        class_id: int | None = None,
        per_label: bool = False,
        label_weights: torch.Tensor | None = None,
    ) -> None:
        y_pred = as_tensor(y_pred, dtype)
        y_true = as_tensor(y_true, dtype, y_pred.device)
        y_true, y_pred = same_rank(y_true, y_pred)
        if top_k is not None:
            y_pred = _only_top(y_pred, top_k)
        if class_id is not None:
            y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
        y_true, y_pred = torch.broadcast_tensors(y_true, y_pred)
        weights = torch.ones_like(y_pred)
        if sample_weight is not None:
            given = as_tensor(sample_weight, dtype, y_pred.device)
            if given.ndim > y_pred.ndim:
                given, _ = same_rank(given, y_pred, expand_rank_1=False)
            given = per_sample_first(given, y_pred)
            check_broadcast("sample_weight", given, y_pred)
            weights = weights * given
        if label_weights is not None:
            weights = weights * label_weights.to(y_pred.device, dtype)
        labels = y_pred.shape[-1] if per_label and y_pred.ndim > 1 else 1
        self.truth = (y_true != 0).reshape(-1, labels)
        self.scores, self.weights = y_pred.reshape(-1, labels), weights.reshape(-1, labels)

    def at(self, thresholds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Weights of true positives, false positives, true negatives and false negatives.

        Args:
            thresholds: ``(thresholds,)``; scores above a threshold are positive.

        Returns:
            Four tensors ``(thresholds, labels)``.
        """
        positive = self.scores.unsqueeze(0) > thresholds.to(self.scores).reshape(-1, 1, 1)
        true_weights = self.weights * self.truth
        false_weights = self.weights - true_weights
        tp = (positive * true_weights).sum(1)
        fp = (positive * false_weights).sum(1)
        return tp, fp, false_weights.sum(0) - fp, true_weights.sum(0) - tp

    def at_even(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `at`, for thresholds that divide ``[0, 1]`` evenly, in time that does not grow with their number.

        Each score goes into the highest part whose threshold it is above; sums from the top then tell what lies above
        each threshold.

        Args:
            count: number of thresholds, from 0 to 1.
        """
        part = ((self.scores.clamp(0.0, 1.0) * (count - 1)).ceil().to(torch.int64) - 1).clamp(min=0)
        true_weights = self.weights * self.truth
        false_weights = self.weights - true_weights
        zeros = true_weights.new_zeros(count, true_weights.shape[-1])
        tp = zeros.scatter_add(0, part, true_weights).flip(0).cumsum(0).flip(0)
        fp = zeros.scatter_add(0, part, false_weights).flip(0).cumsum(0).flip(0)
        return tp, fp, false_weights.sum(0) - fp, true_weights.sum(0) - tp


def _only_top(y_pred: torch.Tensor, top_k: int) -> torch.Tensor:
    best = y_pred.topk(top_k, dim=-1).indices
    kept = torch.zeros_like(y_pred, dtype=torch.bool).scatter(-1, best, True)
    return torch.where(kept, y_pred, LOWEST)
