"""Areas under curves, and the best of one rate while another is held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify import dtypes, registry
from ramify.errors import ArgumentError
from ramify.losses.tensors import as_tensor
from ramify.metrics.base import Metric, ratio
from ramify.metrics.names import MODULE
from ramify.metrics.thresholds import Counts, check_thresholds, evenly_spaced


class _CurveMetric(Metric):
    """Gathers all four counts at many thresholds."""

    _direction = "up"
    true_positives: torch.Tensor
    false_positives: torch.Tensor
    true_negatives: torch.Tensor
    false_negatives: torch.Tensor

    def _start(self, thresholds: Sequence[float]) -> None:
        self._even = evenly_spaced(thresholds)
        # The outer ones stand a little outside, so that scores of 0 and 1 fall on their inner sides.
        small = dtypes.epsilon()
        self._thresholds = [0.0 - small, *thresholds[1:-1], 1.0 + small]
        self._at = torch.tensor(self._thresholds)

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, rising."""
        return list(self._thresholds)

    def _add_counts(self, shape: tuple[int, ...]) -> None:
        for name in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _gather(self, counts: Counts) -> None:
        if counts.scores.device != self._device:
            self.follow(counts.scores.device)
            self._at = self._at.to(self._device)
        found = counts.at_even(len(self._thresholds)) if self._even else counts.at(self._at)
        for state, values in zip(self._states, found, strict=True):
            state.add_(values.reshape(state.shape))

    def _rates(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Recall, precision, specificity and rate of false alarms, at each threshold."""
        tp, fp, tn, fn = (state.value for state in self._states)
        return ratio(tp, tp + fn), ratio(tp, tp + fp), ratio(tn, tn + fp), ratio(fp, fp + tn)


CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "majoring", "minoring")


@registry.serializable(MODULE, "auc")
class AUC(_CurveMetric):
    """Area under a curve that is drawn through a number of thresholds.

    Args:
        num_thresholds: number of thresholds, spread evenly over ``[0, 1]``; above 1.
        curve: ``"ROC"`` (recall over false alarms), ``"PR"`` (precision over recall) or ``"PRGAIN"``
            (precision gain over recall gain, Flach and Kull 2015).
        summation_method: ``"interpolation"`` (trapezoids; for PR as in Davis and Goadrich 2006), ``"majoring"`` or
            ``"minoring"`` (the higher or lower side of each piece).
        name: as in `Metric`.
        dtype: as in `Metric`.
        thresholds: thresholds of your own, in ``[0, 1]``, in place of even ones.
        multi_label: draw one curve for each entry of the last axis and average the areas.
        num_labels: entries of the last axis; found at the first update when ``None``.
        label_weights: weights of the last axis' entries.
        from_logits: predictions are logits.

    Raises:
        ArgumentError: values out of range.

    >>> AUC()([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
    tensor(0.7500)
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self.curve = _one_of("curve", curve, CURVES, str.upper)
        self.summation_method = _one_of("summation_method", summation_method, SUMMATIONS, str.lower)
        self._own_thresholds = thresholds is not None
        if thresholds is not None:
            inner = sorted(check_thresholds(thresholds, 0.5))
            self._start([0.0, *inner, 1.0])
        elif num_thresholds <= 1:
            raise ArgumentError(f"num_thresholds must be above 1, but is {num_thresholds}.")
        else:
            self._start([i / (num_thresholds - 1) for i in range(num_thresholds)])
        self.num_thresholds = len(self._thresholds)
        if num_labels is not None and not multi_label:
            raise ArgumentError("num_labels has a meaning only with multi_label=True. Set it, or leave num_labels out.")
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = None if label_weights is None else as_tensor(label_weights, self._dtype)
        self._from_logits = from_logits
        self._built = False
        if not multi_label:
            self._build(None)
        elif num_labels:
            self._build(num_labels)

    def _build(self, labels: int | None) -> None:
        self._add_counts((self.num_thresholds,) if labels is None else (self.num_thresholds, labels))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets of 0 and 1, any shape.
            y_pred: scores in ``[0, 1]`` or logits, the same shape.
            sample_weight: weights of the scores or of the samples, or ``None``.
        """
        y_pred = as_tensor(y_pred, self._dtype)
        if self._from_logits:
            y_pred = y_pred.sigmoid()
        if not self._built:
            self._build(y_pred.shape[-1])
        weights = None if self.multi_label else self.label_weights
        self._gather(
            Counts(y_true, y_pred, sample_weight, self._dtype, per_label=self.multi_label, label_weights=weights)
        )

    def result(self) -> torch.Tensor:
        """The area."""
        if not self._built:
            return torch.zeros((), dtype=self._dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._average(self._interpolated_pr())
        x, y = self._axes()
        heights = {
            "interpolation": (y[:-1] + y[1:]) / 2.0,
            "majoring": torch.maximum(y[:-1], y[1:]),
            "minoring": torch.minimum(y[:-1], y[1:]),
        }[self.summation_method]
        return self._average((x[:-1] - x[1:]) * heights)

    def _axes(self) -> tuple[torch.Tensor, torch.Tensor]:
        recall, precision, _, alarms = self._rates()
        if self.curve == "ROC":
            return alarms, recall
        if self.curve == "PR":
            return recall, precision
        tp, fp, tn, fn = (state.value for state in self._states)
        odds = ratio(tp + fn, tn + fp)
        recall_gain = torch.where(tp > 0, 1.0 - odds * ratio(fn, tp), 0.0).clamp(min=0.0)
        return recall_gain, 1.0 - odds * ratio(fp, tp)

    def _interpolated_pr(self) -> torch.Tensor:
        """Areas of the pieces of the PR curve, on which true positives rise in a line with all positives."""
        tp, fp, _, fn = (state.value for state in self._states)
        positives = tp + fp
        rise, run = tp[:-1] - tp[1:], positives[:-1] - positives[1:]
        slope = ratio(rise, run.clamp(min=0.0))
        start = tp[1:] - slope * positives[1:]
        inside = (positives[:-1] > 0) & (positives[1:] > 0)
        growth = torch.where(inside, ratio(positives[:-1], positives[1:].clamp(min=0.0)), 1.0)
        return ratio(slope * (rise + start * growth.log()), (tp[1:] + fn[1:]).clamp(min=0.0))

    def _average(self, pieces: torch.Tensor) -> torch.Tensor:
        if not self.multi_label:
            return pieces.sum()
        areas = pieces.sum(0)
        if self.label_weights is None:
            return areas.mean()
        weights = self.label_weights.to(areas.device)
        return ratio((areas * weights).sum(), weights.sum())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = super().get_config() | {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        return config | ({"thresholds": self._thresholds[1:-1]} if self._own_thresholds else {})


class _Constrained(_CurveMetric):
    """The highest of one rate, over the thresholds at which another reaches a value."""

    def _init(self, what: str, value: float, num_thresholds: int, class_id: int | None) -> None:
        if not 0 <= value <= 1:
            raise ArgumentError(f"{what} must lie in [0, 1], but is {value}.")
        if num_thresholds <= 0:
            raise ArgumentError(f"num_thresholds must be above 0, but is {num_thresholds}.")
        self._what, self.value = what, value
        self.num_thresholds, self.class_id = num_thresholds, class_id
        steps = [i / (num_thresholds - 1) for i in range(num_thresholds)] if num_thresholds > 1 else [0.5]
        # As Keras has it, a score of 0 is above no threshold here, other than in AUC: the even way does not fit.
        self._even, self._thresholds, self._at = False, steps, torch.tensor(steps)
        self._add_counts((num_thresholds,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets of 0 and 1, any shape.
            y_pred: scores in ``[0, 1]``, the same shape.
            sample_weight: weights of the scores or of the samples, or ``None``.
        """
        self._gather(Counts(y_true, y_pred, sample_weight, self._dtype, class_id=self.class_id))

    def _best(self, rate: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        reached = held >= self.value
        return torch.where(reached.any(), torch.where(reached, rate, float("-inf")).max(), 0.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._what: self.value,
        }


@registry.serializable(MODULE, "sensitivity_at_specificity")
class SensitivityAtSpecificity(_Constrained):
    """The highest sensitivity (recall) at which specificity reaches a value.

    Args:
        specificity: in ``[0, 1]``.
        num_thresholds: number of thresholds, spread evenly over ``[0, 1]``.
        class_id: only this entry of the last axis counts.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    tensor(0.5000)
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.specificity = specificity
        self._init("specificity", specificity, num_thresholds, class_id)

    def result(self) -> torch.Tensor:
        """The sensitivity; 0 where none of the thresholds gives the specificity."""
        recall, _, specificity, _ = self._rates()
        return self._best(recall, specificity)


@registry.serializable(MODULE, "specificity_at_sensitivity")
class SpecificityAtSensitivity(_Constrained):
    """The highest specificity at which sensitivity (recall) reaches a value.

    Args:
        sensitivity: in ``[0, 1]``.
        num_thresholds: number of thresholds, spread evenly over ``[0, 1]``.
        class_id: only this entry of the last axis counts.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    tensor(0.6667)
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.sensitivity = sensitivity
        self._init("sensitivity", sensitivity, num_thresholds, class_id)

    def result(self) -> torch.Tensor:
        """The specificity; 0 where none of the thresholds gives the sensitivity."""
        recall, _, specificity, _ = self._rates()
        return self._best(specificity, recall)


@registry.serializable(MODULE, "precision_at_recall")
class PrecisionAtRecall(_Constrained):
    """The highest precision at which recall reaches a value.

    Args:
        recall: in ``[0, 1]``.
        num_thresholds: number of thresholds, spread evenly over ``[0, 1]``.
        class_id: only this entry of the last axis counts.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    tensor(0.5000)
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.recall = recall
        self._init("recall", recall, num_thresholds, class_id)

    def result(self) -> torch.Tensor:
        """The precision; 0 where none of the thresholds gives the recall."""
        recall, precision, _, _ = self._rates()
        return self._best(precision, recall)


@registry.serializable(MODULE, "recall_at_precision")
class RecallAtPrecision(_Constrained):
    """The highest recall at which precision reaches a value.

    Args:
        precision: in ``[0, 1]``.
        num_thresholds: number of thresholds, spread evenly over ``[0, 1]``.
        class_id: only this entry of the last axis counts.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> RecallAtPrecision(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    tensor(1.)
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.precision = precision
        self._init("precision", precision, num_thresholds, class_id)

    def result(self) -> torch.Tensor:
        """The recall; 0 where none of the thresholds gives the precision."""
        recall, precision, _, _ = self._rates()
        return self._best(recall, precision)


def _one_of(what: str, value: str, known: tuple[str, ...], normal: Any) -> str:
    if normal(value) not in known:
        raise ArgumentError(f"Unknown {what} {value!r}. Use one of {', '.join(map(repr, known))}.")
    result: str = normal(value)
    return result
