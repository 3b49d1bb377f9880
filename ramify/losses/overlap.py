"""Losses on overlap, for segmentation: Dice and Tversky."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes, registry
from ramify.losses.base import BuiltinLoss
from ramify.losses.tensors import as_pair


@registry.serializable("keras.losses")
def dice(y_true: Any, y_pred: Any, axis: int | tuple[int, ...] | None = None) -> torch.Tensor:
    """One minus the Dice coefficient, ``2 |t p| / (|t| + |p|)`` (Milletari et al. 2016, without the squares).

    Args:
        y_true: targets in ``[0, 1]``, any shape.
        y_pred: predictions in ``[0, 1]``, the same shape.
        axis: the axes that are summed over; all of them when ``None``.

    Returns:
        Losses, the shape without `axis`.

    >>> dice([1.0, 0.0], [0.5, 0.5])
    tensor(0.5000)
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    axes = _axes(axis, y_pred)
    inter = (y_true * y_pred).sum(axes)
    return 1.0 - _ratio(2.0 * inter, y_true.sum(axes) + y_pred.sum(axes))


@registry.serializable("keras.losses")
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: int | tuple[int, ...] | None = None
) -> torch.Tensor:
    """One minus the Tversky index, which weighs misses and false alarms apart.

    ``1 - tp / (tp + alpha fn + beta fp)``, after Salehi et al. 2017, https://arxiv.org/abs/1706.05721; which of the two
    `alpha` weighs is as Keras has it.

    Args:
        y_true: targets in ``[0, 1]``, any shape.
        y_pred: predictions in ``[0, 1]``, the same shape.
        alpha: weight of what is missed (false negatives).
        beta: weight of false alarms (false positives).
        axis: the axes that are summed over; all of them when ``None``.

    Returns:
        Losses, the shape without `axis`.

    >>> tversky([1.0, 0.0], [0.5, 0.5])
    tensor(0.5000)
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    axes = _axes(axis, y_pred)
    inter = (y_true * y_pred).sum(axes)
    false_positives = ((1.0 - y_true) * y_pred).sum(axes)
    false_negatives = (y_true * (1.0 - y_pred)).sum(axes)
    return 1.0 - _ratio(inter, inter + alpha * false_negatives + beta * false_positives)


def _axes(axis: int | tuple[int, ...] | None, x: torch.Tensor) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _ratio(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    return above / (below + dtypes.epsilon())


@registry.serializable("keras.losses")
class Dice(BuiltinLoss):
    """`dice`, weighed and reduced as in `Loss`.

    Args:
        reduction: as in `Loss`.
        name: as in `Loss`.
        axis: the axes that are summed over; all of them when ``None``.
        dtype: as in `Loss`.

    >>> Dice(axis=1)([[1.0, 0.0]], [[0.5, 0.5]])
    tensor(0.5000)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


@registry.serializable("keras.losses")
class Tversky(BuiltinLoss):
    """`tversky`, weighed and reduced as in `Loss`.

    Args:
        alpha: weight of what is missed (false negatives).
        beta: weight of false alarms (false positives).
        reduction: as in `Loss`.
        name: as in `Loss`.
        axis: the axes that are summed over; all of them when ``None``.
        dtype: as in `Loss`.

    >>> Tversky(alpha=0.7, beta=0.3)([1.0, 0.0], [0.5, 0.5])
    tensor(0.5000)
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
