"""Losses on rates, distributions and directions: Poisson, Kullback-Leibler, cosine similarity."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes, registry
from ramify.losses.base import BuiltinLoss
from ramify.losses.tensors import as_pair


@registry.serializable("keras.losses")
def poisson(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Mean over the last axis of ``p - t log p``: the Poisson likelihood up to a constant.

    Args:
        y_true: counts, ``(..., n)``.
        y_pred: predicted rates, above zero, ``(..., n)``.

    Returns:
        Losses, ``(...)``.

    >>> poisson([[2.0]], [[1.0]])
    tensor([1.0000])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return (y_pred - y_true * (y_pred + dtypes.epsilon()).log()).mean(-1)


@registry.serializable("keras.losses", "kld", "KLD")
def kl_divergence(y_true: Any, y_pred: Any) -> torch.Tensor:
    """``sum(t log(t / p))`` over the last axis, both clipped to ``[epsilon, 1]``.

    Args:
        y_true: target distributions, ``(..., classes)``.
        y_pred: predicted distributions, ``(..., classes)``.

    Returns:
        Losses, ``(...)``.

    >>> kl_divergence([[1.0, 0.0]], [[0.5, 0.5]])
    tensor([0.6931])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    small = dtypes.epsilon()
    y_true, y_pred = y_true.clamp(small, 1.0), y_pred.clamp(small, 1.0)
    return (y_true * (y_true / y_pred).log()).sum(-1)


def unit(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Vectors along `axis` divided by their length; zero vectors stay zero."""
    return x * x.square().sum(axis, keepdim=True).clamp(min=1e-12).rsqrt()


@registry.serializable("keras.losses")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    """The cosine between targets and predictions, times minus one, so that less is better.

    Args:
        y_true: targets, ``(..., n)``.
        y_pred: predictions, ``(..., n)``.
        axis: the axis of the vectors.

    Returns:
        Losses between -1 and 1, the shape without `axis`.

    >>> cosine_similarity([[3.0, 4.0]], [[4.0, 3.0]])
    tensor([-0.9600])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return -(unit(y_true, axis) * unit(y_pred, axis)).sum(axis)


@registry.serializable("keras.losses")
class Poisson(BuiltinLoss):
    """`poisson`, weighed and reduced as in `Loss`.

    >>> Poisson()([[2.0]], [[1.0]])
    tensor(1.0000)
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, reduction, name, dtype)


@registry.serializable("keras.losses")
class KLDivergence(BuiltinLoss):
    """`kl_divergence`, weighed and reduced as in `Loss`.

    >>> KLDivergence()([[1.0, 0.0]], [[0.5, 0.5]])
    tensor(0.6931)
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


@registry.serializable("keras.losses")
class CosineSimilarity(BuiltinLoss):
    """`cosine_similarity`, weighed and reduced as in `Loss`.

    Args:
        axis: the axis of the vectors.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> CosineSimilarity()([[3.0, 4.0]], [[4.0, 3.0]])
    tensor(-0.9600)
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
