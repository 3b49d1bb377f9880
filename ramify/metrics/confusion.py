"""Counts of right and wrong answers, precision and recall."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.metrics.base import Metric, ratio
from ramify.metrics.names import MODULE
from ramify.metrics.thresholds import LOWEST, Counts, check_thresholds


class _ThresholdMetric(Metric):
    """Gathers some of the four counts at thresholds."""

    _kept: tuple[str, ...] = ()
    _names: tuple[str, ...] = ("true_positives", "false_positives", "true_negatives", "false_negatives")

    def _start(self, thresholds: Any, top_k: int | None = None, class_id: int | None = None) -> None:
        self.init_thresholds = thresholds
        self.top_k, self.class_id = top_k, class_id
        self.thresholds = check_thresholds(thresholds, 0.5 if top_k is None else LOWEST)
        self._at = torch.tensor(self.thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets of 0 and 1, any shape.
            y_pred: scores in ``[0, 1]``, the same shape.
            sample_weight: weights of the scores or of the samples, or ``None``.
        """
        counts = Counts(y_true, y_pred, sample_weight, self._dtype, self.top_k, self.class_id)
        if counts.scores.device != self._device:
            self.follow(counts.scores.device)
            self._at = self._at.to(self._device)
        found = dict(zip(self._names, counts.at(self._at), strict=True))
        for state, name in zip(self._states, self._kept, strict=True):
            state.add_(found[name].squeeze(-1))

    def _one_or_all(self, values: torch.Tensor) -> torch.Tensor:
        return values[0] if len(self.thresholds) == 1 else values


class _Count(_ThresholdMetric):
    """One of the four counts."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._start(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def result(self) -> torch.Tensor:
        """The count; one for each threshold where there are several."""
        return self._one_or_all(self.accumulator.value).clone()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {"thresholds": self.init_thresholds}


@registry.serializable(MODULE, "true_positives")
class TruePositives(_Count):
    """Weight of true answers that are true.

    Args:
        thresholds: in ``[0, 1]``, one or several; 0.5 when ``None``. Scores above count as true.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> TruePositives()([0, 1, 1], [0.9, 0.9, 0.1])
    tensor(1.)
    """

    _kept = ("true_positives",)


@registry.serializable(MODULE, "false_positives")
class FalsePositives(_Count):
    """Weight of true answers that are false.

    Args:
        thresholds: in ``[0, 1]``, one or several; 0.5 when ``None``. Scores above count as true.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> FalsePositives()([0, 1, 1], [0.9, 0.9, 0.1])
    tensor(1.)
    """

    _kept = ("false_positives",)


@registry.serializable(MODULE, "true_negatives")
class TrueNegatives(_Count):
    """Weight of false answers that are true to the targets.

    Args:
        thresholds: in ``[0, 1]``, one or several; 0.5 when ``None``. Scores above count as true.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> TrueNegatives()([0, 1, 1], [0.9, 0.9, 0.1])
    tensor(0.)
    """

    _kept = ("true_negatives",)


@registry.serializable(MODULE, "false_negatives")
class FalseNegatives(_Count):
    """Weight of what was missed.

    Args:
        thresholds: in ``[0, 1]``, one or several; 0.5 when ``None``. Scores above count as true.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> FalseNegatives()([0, 1, 1], [0.9, 0.9, 0.1])
    tensor(1.)
    """

    _kept = ("false_negatives",)


class _Share(_ThresholdMetric):
    """True positives over true positives and something else."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._start(thresholds, top_k, class_id)
        for kept in self._kept:
            setattr(self, kept, self.add_variable((len(self.thresholds),), "zeros", name=kept))

    def result(self) -> torch.Tensor:
        """The share; one for each threshold where there are several."""
        right, wrong = (state.value for state in self._states)
        return self._one_or_all(ratio(right, right + wrong))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@registry.serializable(MODULE, "precision")
class Precision(_Share):
    """Share of the answers that are right among those that say yes.

    Args:
        thresholds: in ``[0, 1]``, one or several; 0.5 when ``None``. Scores above count as yes.
        top_k: only the `k` highest scores of a sample can count as yes.
        class_id: only this entry of the last axis counts.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> Precision()([0, 1, 1], [0.9, 0.9, 0.1])
    tensor(0.5000)
    """

    _kept = ("true_positives", "false_positives")


@registry.serializable(MODULE, "recall")
class Recall(_Share):
    """Share of what was found among all that should be.

    Args:
        thresholds: in ``[0, 1]``, one or several; 0.5 when ``None``. Scores above count as yes.
        top_k: only the `k` highest scores of a sample can count as yes.
        class_id: only this entry of the last axis counts.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> Recall()([0, 1, 1], [0.9, 0.9, 0.1])
    tensor(0.5000)
    """

    _kept = ("true_positives", "false_negatives")
