"""Losses on numbers: squared, absolute, relative and logarithmic errors, and those in between."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes, registry
from ramify.losses.base import BuiltinLoss
from ramify.losses.tensors import as_pair


@registry.serializable("keras.losses", "mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of the squared differences.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]])
    tensor([2.])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return _mean((y_true - y_pred).square())


@registry.serializable("keras.losses", "mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of the absolute differences.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]])
    tensor([1.])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return _mean((y_true - y_pred).abs())


@registry.serializable("keras.losses", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of the absolute differences, in percent of the target's absolute value.

    Targets below `epsilon` in size count as `epsilon`.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses in percent, ``(...)``.

    >>> mean_absolute_percentage_error([[4.0, 2.0]], [[2.0, 2.0]])
    tensor([25.])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return 100.0 * _mean(((y_true - y_pred) / y_true.abs().clamp(min=dtypes.epsilon())).abs())


@registry.serializable("keras.losses", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of the squared differences of ``log(1 + y)``; negative numbers count as `epsilon`.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> mean_squared_logarithmic_error([[0.0]], [[1.718281828]])
    tensor([1.0000])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    small = dtypes.epsilon()
    return _mean(((y_pred.clamp(min=small) + 1.0).log() - (y_true.clamp(min=small) + 1.0).log()).square())


@registry.serializable("keras.losses")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> torch.Tensor:
    """Mean over the last axis of an error that is squared near zero and linear beyond `delta` (Huber 1964).

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.
        delta: the difference at which the square turns into a line, above zero.

    Returns:
        Losses, ``(...)``.

    >>> huber([[0.0, 0.0]], [[0.5, 3.0]])
    tensor([1.3125])
    """
    y_true, y_pred = torch.broadcast_tensors(*as_pair(y_true, y_pred))
    return _mean(F.huber_loss(y_pred, y_true, reduction="none", delta=delta))


@registry.serializable("keras.losses")
def log_cosh(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of ``log(cosh(y_pred - y_true))``, computed so that large differences do not overflow.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> log_cosh([[0.0]], [[100.0]])
    tensor([99.3069])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    error = y_pred - y_true
    return _mean(error + F.softplus(error * -2.0) - math.log(2.0))


def _mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean(-1) if x.ndim else x


@registry.serializable("keras.losses")
class MeanSquaredError(BuiltinLoss):
    """Mean of the squared differences: `mean_squared_error`, weighed and reduced as in `Loss`.

    >>> MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]])
    tensor(2.)
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The mean over the batch, where the shapes are equal."""
        return F.mse_loss(y_pred, y_true) if y_true.shape == y_pred.shape else None


@registry.serializable("keras.losses")
class MeanAbsoluteError(BuiltinLoss):
    """Mean of the absolute differences: `mean_absolute_error`, weighed and reduced as in `Loss`.

    >>> MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]])
    tensor(1.)
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The mean over the batch, where the shapes are equal."""
        return F.l1_loss(y_pred, y_true) if y_true.shape == y_pred.shape else None


@registry.serializable("keras.losses")
class MeanAbsolutePercentageError(BuiltinLoss):
    """Mean of the differences in percent: `mean_absolute_percentage_error`, weighed and reduced as in `Loss`.

    >>> MeanAbsolutePercentageError()([[4.0, 2.0]], [[2.0, 2.0]])
    tensor(25.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


@registry.serializable("keras.losses")
class MeanSquaredLogarithmicError(BuiltinLoss):
    """Mean of the squared differences of logarithms: `mean_squared_logarithmic_error`, reduced as in `Loss`.

    >>> MeanSquaredLogarithmicError()([[3.0]], [[3.0]])
    tensor(0.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


@registry.serializable("keras.losses")
class Huber(BuiltinLoss):
    """Squared near zero, linear beyond `delta`: `huber`, weighed and reduced as in `Loss`.

    Args:
        delta: the difference at which the square turns into a line, above zero.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> Huber(delta=2.0)([[0.0]], [[3.0]])
    tensor(4.)
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The mean over the batch, where the shapes are equal."""
        return F.huber_loss(y_pred, y_true, delta=self._fn_kwargs["delta"]) if y_true.shape == y_pred.shape else None


@registry.serializable("keras.losses")
class LogCosh(BuiltinLoss):
    """Mean of ``log(cosh(difference))``: `log_cosh`, weighed and reduced as in `Loss`.

    >>> LogCosh()([[0.0]], [[0.0]])
    tensor(0.)
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)
