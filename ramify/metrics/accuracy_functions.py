"""Accuracies as functions: one value per sample."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes, registry
from ramify.losses.tensors import as_pair, as_tensor, same_rank
from ramify.metrics.names import FUNCTIONS


@registry.serializable(FUNCTIONS)
def accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """1 where a prediction equals its target, else 0.

    Args:
        y_true: targets, any shape.
        y_pred: predictions, the same shape.

    Returns:
        The same shape.

    >>> accuracy([1, 2], [1, 3])
    tensor([1., 0.])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return _float(y_true == y_pred)


@registry.serializable(FUNCTIONS)
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> torch.Tensor:
    """1 where a prediction lies on the right side of the threshold, else 0.

    Args:
        y_true: targets of 0 and 1, any shape.
        y_pred: predictions, the same shape; those above the threshold count as 1.
        threshold: in ``[0, 1]``.

    Returns:
        The same shape.

    >>> binary_accuracy([1, 0], [0.6, 0.6])
    tensor([1., 0.])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return _float(y_true == (y_pred > threshold).to(y_true.dtype))


@registry.serializable(FUNCTIONS)
def categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """1 where the highest score is that of the right class, else 0.

    Args:
        y_true: one-hot targets, ``(..., classes)``.
        y_pred: scores, ``(..., classes)``.

    Returns:
        ``(...)``.

    >>> categorical_accuracy([[0, 1]], [[0.3, 0.7]])
    tensor([1.])
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, None, y_pred.device)
    return _float(y_true.argmax(-1) == y_pred.argmax(-1))


@registry.serializable(FUNCTIONS)
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> torch.Tensor:
    """1 where the highest score is that of the right class, else 0.

    Args:
        y_true: class numbers, ``(...)`` or ``(..., 1)``.
        y_pred: scores, ``(..., classes)``.

    Returns:
        ``(...)``.

    >>> sparse_categorical_accuracy([1], [[0.3, 0.7]])
    tensor([1.])
    """
    y_pred = as_tensor(y_pred)
    labels = class_numbers(y_true, y_pred)
    return _float(labels == y_pred.argmax(-1))


@registry.serializable(FUNCTIONS)
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> torch.Tensor:
    """1 where the right class is among the `k` highest scores, else 0.

    Args:
        y_true: one-hot targets, ``(..., classes)``.
        y_pred: scores, ``(..., classes)``.
        k: how many scores count.

    Returns:
        ``(...)``.

    >>> top_k_categorical_accuracy([[0, 1, 0]], [[0.3, 0.2, 0.1]], k=2)
    tensor([1.])
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, None, y_pred.device)
    return _in_top(y_true.argmax(-1), y_pred, k)


@registry.serializable(FUNCTIONS)
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> torch.Tensor:
    """1 where the right class is among the `k` highest scores, else 0.

    Args:
        y_true: class numbers, ``(...)`` or ``(..., 1)``.
        y_pred: scores, ``(..., classes)``; or class numbers, best first, where `from_sorted_ids` is set.
        k: how many scores count.
        from_sorted_ids: `y_pred` holds class numbers.

    Returns:
        ``(...)``.

    >>> sparse_top_k_categorical_accuracy([1], [[0.3, 0.2, 0.1]], k=2)
    tensor([1.])
    """
    y_pred = as_tensor(y_pred)
    labels = class_numbers(y_true, y_pred)
    if from_sorted_ids:
        return _float((labels.unsqueeze(-1) == y_pred[..., :k].to(torch.int64)).any(-1))
    return _in_top(labels, y_pred, k)


def class_numbers(y_true: Any, y_pred: torch.Tensor) -> torch.Tensor:
    """Class numbers as int64, without a last axis of size 1 that `y_pred` has in place of its classes."""
    labels = as_tensor(y_true, torch.int64, y_pred.device)
    if labels.ndim == y_pred.ndim and labels.ndim and labels.shape[-1] == 1:
        labels = labels.squeeze(-1)
    elif labels.ndim != y_pred.ndim - 1:
        labels, _ = same_rank(labels, y_pred[..., 0])
    return labels


def _in_top(labels: torch.Tensor, y_pred: torch.Tensor, k: int) -> torch.Tensor:
    best = y_pred.topk(min(k, y_pred.shape[-1]), dim=-1).indices
    return _float((best == labels.unsqueeze(-1)).any(-1))


def _float(x: torch.Tensor) -> torch.Tensor:
    return x.to(dtypes.to_torch(None))
