"""From one loss per sample to the number that is minimised: masks, sample weights, reductions."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.losses.tensors import as_tensor, check_broadcast, per_sample_first, same_rank

REDUCTIONS = (None, "none", "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight")
MEANS = ("mean", "sum_over_batch_size")


def check_reduction(reduction: Any) -> str | None:
    """Return `reduction` if there is one of that name, else raise an `ArgumentError`."""
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"Unknown reduction {reduction!r}. Use one of {', '.join(map(repr, REDUCTIONS))}.")
    result: str | None = reduction
    return result


def mask_of(x: Any) -> torch.Tensor | None:
    """The mask attached to a tensor, or ``None``."""
    mask: torch.Tensor | None = getattr(x, "_ramify_mask", None)
    return mask


def with_mask(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`x` itself, with a mask attached: true where a value counts."""
    x._ramify_mask = mask  # type: ignore[attr-defined]  # noqa: SLF001 -- a mask rides on its tensor
    return x


def apply_mask(
    sample_weight: torch.Tensor | None, mask: torch.Tensor | None, dtype: torch.dtype, reduction: str | None
) -> torch.Tensor | None:
    """Fold a mask into the sample weights.

    Under the mean reductions the mask is scaled up so that the mean runs over what is not masked.

    Args:
        sample_weight: weights, or ``None``.
        mask: true where a value counts, or ``None``.
        dtype: dtype of the result.
        reduction: name of the reduction to come.

    Returns:
        The weights to multiply the values with, or ``None`` when there is neither.
    """
    if mask is None:
        return sample_weight
    mask = mask.to(dtype)
    if reduction in MEANS:
        mask = mask * (mask.numel() / (mask.sum() + dtypes.epsilon()))
    if sample_weight is None:
        return mask
    weights, mask = same_rank(per_sample_first(sample_weight.to(dtype), mask), mask)
    check_broadcast("sample_weight", weights, mask, finer=True)
    return weights * mask


def reduce_weighted(
    values: torch.Tensor,
    sample_weight: Any = None,
    mask: torch.Tensor | None = None,
    reduction: str | None = "sum_over_batch_size",
) -> torch.Tensor:
    """Weigh and reduce a tensor of losses.

    Args:
        values: losses, any shape.
        sample_weight: numbers that broadcast to `values`, or ``None``.
        mask: true where a value counts, or ``None``.
        reduction: ``"sum"``, ``"mean"`` and ``"sum_over_batch_size"`` (sum over the number of values),
            ``"mean_with_sample_weight"`` (sum over the sum of the weights), ``"none"`` or ``None``.

    Returns:
        A scalar, or the weighted values where nothing is reduced.

    >>> reduce_weighted(torch.tensor([1.0, 3.0]), [1.0, 0.0], None, "mean")
    tensor(0.5000)
    """
    weights = None if sample_weight is None else as_tensor(sample_weight, values.dtype, values.device)
    weights = apply_mask(weights, mask, values.dtype, reduction)
    if weights is not None:
        values, weights = same_rank(values, per_sample_first(weights, values))
        check_broadcast("sample_weight", weights, values, finer=not values.ndim)
        values = values * weights
    if reduction in (None, "none") or values.ndim == 0:
        return values
    if reduction in MEANS:
        return values.mean() if values.numel() else values.sum()
    if reduction == "sum" or weights is None:
        return values.sum() if reduction == "sum" else values.mean()
    total = weights.sum()
    return torch.where(total == 0, 0.0, values.sum() / torch.where(total == 0, 1.0, total))
