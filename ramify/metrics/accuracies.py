"""Accuracies, gathered over batches."""

from __future__ import annotations

from typing import Any

from ramify import registry
from ramify.errors import ArgumentError
from ramify.metrics import accuracy_functions as fn
from ramify.metrics.names import MODULE
from ramify.metrics.reductions import MeanMetricWrapper


@registry.serializable(MODULE, "accuracy")
class Accuracy(MeanMetricWrapper):
    """Share of predictions that equal their targets.

    >>> Accuracy()([1, 2, 3, 4], [1, 2, 3, 5])
    tensor(0.7500)
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(fn.accuracy, name, dtype)
        self._direction = "up"


@registry.serializable(MODULE, "binary_accuracy")
class BinaryAccuracy(MeanMetricWrapper):
    """Share of predictions on the right side of the threshold.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        threshold: in ``[0, 1]``; predictions above it count as 1.

    Raises:
        ArgumentError: a threshold out of range.

    >>> BinaryAccuracy()([1, 0], [0.6, 0.6])
    tensor(0.5000)
    """

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ArgumentError(f"threshold of BinaryAccuracy must lie in [0, 1], but is {threshold}.")
        super().__init__(fn.binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold
        self._direction = "up"


@registry.serializable(MODULE, "categorical_accuracy")
class CategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose highest score is that of the right class; targets are one-hot.

    >>> CategoricalAccuracy()([[0, 1], [1, 0]], [[0.3, 0.7], [0.3, 0.7]])
    tensor(0.5000)
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn.categorical_accuracy, name, dtype)
        self._direction = "up"


@registry.serializable(MODULE, "sparse_categorical_accuracy")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose highest score is that of the right class; targets are class numbers.

    >>> SparseCategoricalAccuracy()([1, 0], [[0.3, 0.7], [0.3, 0.7]])
    tensor(0.5000)
    """

    _keeps_labels = True

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn.sparse_categorical_accuracy, name, dtype)
        self._direction = "up"


@registry.serializable(MODULE, "top_k_categorical_accuracy")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose right class is among the `k` highest scores; targets are one-hot.

    Args:
        k: how many scores count.
        name: as in `Metric`.
        dtype: as in `Metric`.

    >>> TopKCategoricalAccuracy(k=2)([[0, 1, 0]], [[0.3, 0.2, 0.1]])
    tensor(1.)
    """

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(fn.top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k
        self._direction = "up"


@registry.serializable(MODULE, "sparse_top_k_categorical_accuracy")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose right class is among the `k` highest scores; targets are class numbers.

    Args:
        k: how many scores count.
        name: as in `Metric`.
        dtype: as in `Metric`.
        from_sorted_ids: predictions hold class numbers, best first, in place of scores.

    >>> SparseTopKCategoricalAccuracy(k=2)([1], [[0.3, 0.2, 0.1]])
    tensor(1.)
    """

    _keeps_labels = True

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(fn.sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k, self.from_sorted_ids = k, from_sorted_ids
        self._direction = "up"
