"""Intersection over union, for segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.losses.tensors import as_tensor
from ramify.metrics.base import Metric, ratio
from ramify.metrics.names import MODULE


class _ConfusionMatrix(Metric):
    """Counts targets of each class that were taken for each class."""

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__("int32" if dtype is None else dtype, name)
        self.num_classes, self.ignore_class = num_classes, ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis
        self.total_cm = self.add_variable((num_classes, num_classes), "zeros", name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: class numbers, or one-hot where they are not sparse.
            y_pred: class numbers, or scores where they are not sparse.
            sample_weight: weights of the values or of the samples, or ``None``.
        """
        y_pred = as_tensor(y_pred)
        y_true = as_tensor(y_true, None, y_pred.device)
        if not self.sparse_y_true:
            y_true = y_true.argmax(self.axis)
        if not self.sparse_y_pred:
            y_pred = y_pred.argmax(self.axis)
        self._count(y_true, y_pred, sample_weight)

    def _count(self, y_true: torch.Tensor, y_pred: torch.Tensor, sample_weight: Any) -> None:
        self.follow(y_pred.device)
        truth, answer = y_true.reshape(-1).to(torch.int64), y_pred.reshape(-1).to(torch.int64)
        weights = torch.ones_like(truth, dtype=torch.float32)
        if sample_weight is not None:
            given = as_tensor(sample_weight, torch.float32, y_pred.device)
            if given.ndim and given.numel() != truth.numel() and given.ndim < y_true.ndim:
                given = given.reshape(*given.shape, *[1] * (y_true.ndim - given.ndim)).expand(y_true.shape)
            weights = weights * given.reshape(-1)
        if self.ignore_class is not None:
            valid = truth != self.ignore_class
            truth, answer, weights = truth * valid, answer * valid, weights * valid
        # Entries that are no class would be written beside the table.
        inside = (truth >= 0) & (truth < self.num_classes) & (answer >= 0) & (answer < self.num_classes)
        cell = (truth * self.num_classes + answer) * inside
        table = weights.new_zeros(self.num_classes**2).scatter_add(0, cell, weights * inside)
        self.total_cm.add_(table.reshape(self.num_classes, self.num_classes).to(self._dtype))

    def _scores(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Intersection over union of each class, and whether the class occurred at all."""
        table = self.total_cm.value.to(torch.float32)
        right = table.diagonal()
        union = table.sum(0) + table.sum(1) - right
        return ratio(right, union), union != 0

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


@registry.serializable(MODULE)
class IoU(_ConfusionMatrix):
    """Mean over some classes of ``right / (right + wrong + missed)``.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes whose mean is taken.
        name: as in `Metric`.
        dtype: dtype of the counts; int32 when ``None``.
        ignore_class: a class number whose values do not count.
        sparse_y_true: targets are class numbers, not one-hot.
        sparse_y_pred: predictions are class numbers, not scores.
        axis: the axis of the classes, where not sparse.

    Raises:
        ArgumentError: class numbers out of range.

    >>> IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])
    tensor(0.3333)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = list(target_class_ids)
        if wrong := [i for i in self.target_class_ids if not 0 <= i < num_classes]:
            raise ArgumentError(f"target_class_ids {wrong} are out of range: {self.name} has {num_classes} classes.")

    def result(self) -> torch.Tensor:
        """The mean over those classes that occurred."""
        scores, occurred = self._scores()
        wanted = torch.tensor(self.target_class_ids, device=scores.device)
        scores, occurred = scores[wanted], occurred[wanted]
        return ratio((scores * occurred).sum(), occurred.sum())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return super().get_config() | {"target_class_ids": self.target_class_ids}


@registry.serializable(MODULE)
class BinaryIoU(IoU):
    """Intersection over union of yes-no answers.

    Args:
        target_class_ids: the classes whose mean is taken, of 0 and 1.
        threshold: scores from here on count as 1.
        name: as in `Metric`.
        dtype: dtype of the counts; int32 when ``None``.

    >>> BinaryIoU(target_class_ids=[0, 1], threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
    tensor(0.3333)
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets of 0 and 1, any shape.
            y_pred: scores, the same shape.
            sample_weight: weights of the values or of the samples, or ``None``.
        """
        y_pred = as_tensor(y_pred)
        super().update_state(y_true, (y_pred >= self.threshold).to(torch.int64), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


@registry.serializable(MODULE)
class MeanIoU(_ConfusionMatrix):
    """Mean over all classes of ``right / (right + wrong + missed)``.

    Args:
        num_classes: number of classes.
        name: as in `Metric`.
        dtype: dtype of the counts; int32 when ``None``.
        ignore_class: a class number whose values do not count.
        sparse_y_true: targets are class numbers, not one-hot.
        sparse_y_pred: predictions are class numbers, not scores.
        axis: the axis of the classes, where not sparse.

    >>> MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])
    tensor(0.3333)
    """

    def result(self) -> torch.Tensor:
        """The mean over those classes that occurred."""
        scores, occurred = self._scores()
        return ratio((scores * occurred).sum(), occurred.sum())


@registry.serializable(MODULE)
class OneHotIoU(IoU):
    """`IoU` of one-hot targets.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes whose mean is taken.
        name: as in `Metric`.
        dtype: dtype of the counts; int32 when ``None``.
        ignore_class: a class number whose values do not count.
        sparse_y_pred: predictions are class numbers, not scores.
        axis: the axis of the classes.

    >>> OneHotIoU(2, [0])([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])
    tensor(1.)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config


@registry.serializable(MODULE)
class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets.

    Args:
        num_classes: number of classes.
        name: as in `Metric`.
        dtype: dtype of the counts; int32 when ``None``.
        ignore_class: a class number whose values do not count.
        sparse_y_pred: predictions are class numbers, not scores.
        axis: the axis of the classes.

    >>> OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])
    tensor(1.)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config
