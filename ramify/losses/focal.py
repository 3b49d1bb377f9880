"""Focal losses, which turn attention to what is still predicted badly, and a cross-entropy that bears noisy labels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes, registry
from ramify.errors import ArgumentError
from ramify.losses.base import BuiltinLoss
from ramify.losses.crossentropy import binary_terms, smoothed
from ramify.losses.tensors import as_pair, as_tensor


@registry.serializable("keras.losses")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor:
    """Binary cross-entropy times ``(1 - p_t) ** gamma``, `p_t` the probability given to the right answer.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002, equations 4 and 5.

    Args:
        y_true: targets in ``[0, 1]``, ``(..., n)``.
        y_pred: probabilities or logits, ``(..., n)``.
        apply_class_balancing: weigh ones by `alpha` and zeros by ``1 - alpha``.
        alpha: weight of the ones.
        gamma: how much less the well predicted count.
        from_logits: `y_pred` holds logits.
        label_smoothing: how far targets are drawn towards one half, in ``[0, 1]``.
        axis: the axis the mean is taken over.

    Returns:
        Losses, the shape without `axis`.

    >>> binary_focal_crossentropy([[1.0]], [[0.5]])
    tensor([0.1733])
    """
    y_true, y_pred = torch.broadcast_tensors(*as_pair(y_true, y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = y_pred.sigmoid()
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    loss = (1.0 - right).pow(gamma) * binary_terms(y_true, y_pred, False, "none")
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return loss.mean(axis) if loss.ndim else loss


@registry.serializable("keras.losses")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor:
    """Categorical cross-entropy with every term times ``alpha (1 - p) ** gamma``.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 5, on several classes.

    Args:
        y_true: target distributions, ``(..., classes)``.
        y_pred: probabilities (divided by their sum and clipped) or logits, ``(..., classes)``.
        alpha: weight of the loss, one number or one per class.
        gamma: how much less the well predicted count.
        from_logits: `y_pred` holds logits.
        label_smoothing: share of the target that is spread evenly over the classes, in ``[0, 1]``.
        axis: the axis of the classes.

    Returns:
        Losses, the shape without `axis`.

    >>> categorical_focal_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])
    tensor([0.0433])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    if label_smoothing:
        y_true = smoothed(y_true, label_smoothing)
    small = dtypes.epsilon()
    p = F.softmax(y_pred, dim=axis) if from_logits else y_pred
    p = (p / p.sum(axis, keepdim=True)).clamp(small, 1.0 - small)
    weight = alpha if isinstance(alpha, (int, float)) else as_tensor(alpha, p.dtype, p.device)
    return ((1.0 - p).pow(gamma) * weight * (-y_true * p.log())).sum(axis)


@registry.serializable("keras.losses")
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> torch.Tensor:
    """``(1 - p[t] ** q) / q``: cross-entropy for small `q`, mean absolute error for ``q = 1``; bears wrong labels.

    Zhang and Sabuncu 2018, https://arxiv.org/abs/1805.07836, equation 6.

    Args:
        y_true: class numbers, ``(...)``.
        y_pred: probabilities, ``(..., classes)``.
        q: in ``(0, 1]``.

    Returns:
        Losses, ``(...)``.

    >>> categorical_generalized_cross_entropy([0], [[0.25, 0.75]], 0.5)
    tensor([1.])
    """
    y_pred = as_tensor(y_pred)
    labels = as_tensor(y_true, torch.int64, y_pred.device)
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels.squeeze(-1)
    return (1.0 - y_pred.gather(-1, labels.unsqueeze(-1)).squeeze(-1).pow(q)) / q


@registry.serializable("keras.losses")
class BinaryFocalCrossentropy(BuiltinLoss):
    """`binary_focal_crossentropy`, weighed and reduced as in `Loss`.

    Args:
        apply_class_balancing: weigh ones by `alpha` and zeros by ``1 - alpha``.
        alpha: weight of the ones.
        gamma: how much less the well predicted count.
        from_logits: predictions are logits.
        label_smoothing: how far targets are drawn towards one half, in ``[0, 1]``.
        axis: the axis the mean is taken over.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> BinaryFocalCrossentropy()([[1.0]], [[0.5]])
    tensor(0.1733)
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@registry.serializable("keras.losses")
class CategoricalFocalCrossentropy(BuiltinLoss):
    """`categorical_focal_crossentropy`, weighed and reduced as in `Loss`.

    Args:
        alpha: weight of the loss, one number or one per class.
        gamma: how much less the well predicted count.
        from_logits: predictions are logits.
        label_smoothing: share of the target that is spread evenly over the classes, in ``[0, 1]``.
        axis: the axis of the classes.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> CategoricalFocalCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]])
    tensor(0.0433)
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@registry.serializable("keras.losses")
class CategoricalGeneralizedCrossEntropy(BuiltinLoss):
    """`categorical_generalized_cross_entropy`, weighed and reduced as in `Loss`.

    Args:
        q: in ``(0, 1]``.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]])
    tensor(1.)
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0.0 < q < 1.0:
            raise ArgumentError(f"q of CategoricalGeneralizedCrossEntropy must lie between 0 and 1, but is {q}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
