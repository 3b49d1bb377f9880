"""Hinge losses, of support vector machines."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.losses.base import BuiltinLoss
from ramify.losses.tensors import as_pair


def _signs(y_true: torch.Tensor) -> torch.Tensor:
    """Targets of zeros and ones as -1 and 1; any others as they are. Decided without asking the device."""
    binary = ((y_true == 0) | (y_true == 1)).all()
    return torch.where(binary, 2.0 * y_true - 1.0, y_true)


@registry.serializable("keras.losses")
def hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of ``max(1 - t p, 0)``.

    Args:
        y_true: targets of -1 and 1, or of 0 and 1 throughout, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> hinge([[1.0, 0.0]], [[0.5, -2.0]])
    tensor([0.2500])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return (1.0 - _signs(y_true) * y_pred).clamp(min=0.0).mean(-1)


@registry.serializable("keras.losses")
def squared_hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of ``max(1 - t p, 0) ** 2``.

    Args:
        y_true: targets of -1 and 1, or of 0 and 1 throughout, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> squared_hinge([[1.0, 0.0]], [[0.5, -2.0]])
    tensor([0.1250])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return (1.0 - _signs(y_true) * y_pred).clamp(min=0.0).square().mean(-1)


@registry.serializable("keras.losses")
def categorical_hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """``max(1 + highest score of a wrong class - score of the right class, 0)``.

    Args:
        y_true: one-hot targets, ``(..., classes)``.
        y_pred: scores, ``(..., classes)``.

    Returns:
        Losses, ``(...)``.

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]])
    tensor([0.7500])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    right = (y_true * y_pred).sum(-1)
    wrong = ((1.0 - y_true) * y_pred).amax(-1)
    return (wrong - right + 1.0).clamp(min=0.0)


@registry.serializable("keras.losses")
class Hinge(BuiltinLoss):
    """`hinge`, weighed and reduced as in `Loss`.

    >>> Hinge()([[1.0, 0.0]], [[0.5, -2.0]])
    tensor(0.2500)
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, reduction, name, dtype)


@registry.serializable("keras.losses")
class SquaredHinge(BuiltinLoss):
    """`squared_hinge`, weighed and reduced as in `Loss`.

    >>> SquaredHinge()([[1.0, 0.0]], [[0.5, -2.0]])
    tensor(0.1250)
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


@registry.serializable("keras.losses")
class CategoricalHinge(BuiltinLoss):
    """`categorical_hinge`, weighed and reduced as in `Loss`.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])
    tensor(0.7500)
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
