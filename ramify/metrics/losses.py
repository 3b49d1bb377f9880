"""Losses as metrics: the mean of a loss per sample, gathered over batches."""

from __future__ import annotations

from typing import Any

import torch

from ramify import losses as fn
from ramify import registry
from ramify.losses.tensors import as_pair
from ramify.metrics.base import ratio
from ramify.metrics.names import MODULE
from ramify.metrics.reductions import Mean, MeanMetricWrapper


@registry.serializable(MODULE, "mean_squared_error", "mse", "MSE")
class MeanSquaredError(MeanMetricWrapper):
    """The mean of `losses.mean_squared_error`.

    >>> MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]])
    tensor(2.)
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(fn.mean_squared_error, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "root_mean_squared_error")
class RootMeanSquaredError(Mean):
    """The root of the mean of the squared differences.

    >>> RootMeanSquaredError()([[0.0, 1.0]], [[2.0, 3.0]])
    tensor(2.)
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]  # a metric of pairs, made of a metric of values
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Gather a batch.

        Args:
            y_true: targets, any shape.
            y_pred: predictions, the same shape.
            sample_weight: weights of the values or of the samples, or ``None``.
        """
        y_true, y_pred = as_pair(y_true, y_pred)
        super().update_state((y_pred - y_true).square(), sample_weight)

    def result(self) -> torch.Tensor:
        """The root of the mean."""
        return ratio(self.total.value, self.count.value).sqrt()


@registry.serializable(MODULE, "mean_absolute_error", "mae", "MAE")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of `losses.mean_absolute_error`.

    >>> MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]])
    tensor(1.)
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(fn.mean_absolute_error, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "mean_absolute_percentage_error", "mape", "MAPE")
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of `losses.mean_absolute_percentage_error`.

    >>> MeanAbsolutePercentageError()([[4.0, 2.0]], [[2.0, 2.0]])
    tensor(25.)
    """

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(fn.mean_absolute_percentage_error, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "mean_squared_logarithmic_error", "msle", "MSLE")
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of `losses.mean_squared_logarithmic_error`.

    >>> MeanSquaredLogarithmicError()([[3.0]], [[3.0]])
    tensor(0.)
    """

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(fn.mean_squared_logarithmic_error, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE)
class LogCoshError(MeanMetricWrapper):
    """The mean of `losses.log_cosh`.

    >>> LogCoshError()([[0.0]], [[0.0]])
    tensor(0.)
    """

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(fn.log_cosh, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "cosine_similarity")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine between targets and predictions: more is better, other than in the loss.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        axis: the axis of the vectors.

    >>> CosineSimilarity()([[3.0, 4.0]], [[4.0, 3.0]])
    tensor(0.9600)
    """

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)
        self._direction = "up"


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    return -fn.cosine_similarity(y_true, y_pred, axis)


@registry.serializable(MODULE, "hinge")
class Hinge(MeanMetricWrapper):
    """The mean of `losses.hinge`.

    >>> Hinge()([[1.0, 0.0]], [[0.5, -2.0]])
    tensor(0.2500)
    """

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(fn.hinge, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "squared_hinge")
class SquaredHinge(MeanMetricWrapper):
    """The mean of `losses.squared_hinge`.

    >>> SquaredHinge()([[1.0, 0.0]], [[0.5, -2.0]])
    tensor(0.1250)
    """

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(fn.squared_hinge, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "categorical_hinge")
class CategoricalHinge(MeanMetricWrapper):
    """The mean of `losses.categorical_hinge`.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])
    tensor(0.7500)
    """

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(fn.categorical_hinge, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "kl_divergence")
class KLDivergence(MeanMetricWrapper):
    """The mean of `losses.kl_divergence`.

    >>> KLDivergence()([[1.0, 0.0]], [[0.5, 0.5]])
    tensor(0.6931)
    """

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(fn.kl_divergence, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "poisson")
class Poisson(MeanMetricWrapper):
    """The mean of `losses.poisson`.

    >>> Poisson()([[2.0]], [[1.0]])
    tensor(1.0000)
    """

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(fn.poisson, name, dtype)
        self._direction = "down"


@registry.serializable(MODULE, "binary_crossentropy", "bce", "BCE")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `losses.binary_crossentropy`, with its arguments.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        from_logits: predictions are logits.
        label_smoothing: how far targets are drawn towards one half.

    >>> BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])
    tensor(0.6931)
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(fn.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        self._direction = "down"


@registry.serializable(MODULE, "categorical_crossentropy")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.categorical_crossentropy`, with its arguments.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        from_logits: predictions are logits.
        label_smoothing: share of the target that is spread evenly over the classes.
        axis: the axis of the classes.

    >>> CategoricalCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]])
    tensor(0.6931)
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            fn.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis
        self._direction = "down"


@registry.serializable(MODULE, "sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.sparse_categorical_crossentropy`, with its arguments.

    Args:
        name: as in `Metric`.
        dtype: as in `Metric`.
        from_logits: predictions are logits.
        ignore_class: a class number whose samples do not count.
        axis: the axis of the classes.

    >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])
    tensor(0.6931)
    """

    _keeps_labels = True

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            fn.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis
        self._direction = "down"
