"""From whatever a caller passes to tensors of one dtype, device and rank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ShapeError


def as_tensor(x: Any, dtype: torch.dtype | None = None, device: torch.device | None = None) -> torch.Tensor:
    """A tensor of the numbers in `x`.

    Args:
        x: a tensor, an array, a number, or nested lists of them (lists of tensors are stacked).
        dtype: the wanted dtype; when ``None`` tensors and arrays keep theirs and Python numbers become `floatx`.
        device: where the result lives; that of `x`, or the CPU, when ``None``.

    Returns:
        `x` itself where it already fits.

    >>> as_tensor([1, 2]).dtype
    torch.float32
    """
    if not isinstance(x, torch.Tensor):
        x = _from_python(x)
    if (dtype is not None and x.dtype != dtype) or (device is not None and x.device != device):
        return x.to(device=device if device is not None else x.device, dtype=dtype if dtype is not None else x.dtype)
    return x


def _from_python(x: Any) -> torch.Tensor:
    if isinstance(x, (list, tuple)):
        if any(isinstance(item, torch.Tensor) for item in x):
            return torch.stack([as_tensor(item) for item in x])
        array = np.asarray(x)
        if not any(isinstance(item, (np.ndarray, np.generic)) for item in x) and array.dtype != bool:
            return torch.as_tensor(array, dtype=dtypes.to_torch(None))
        return torch.as_tensor(array)
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return torch.tensor(x, dtype=dtypes.to_torch(None))
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    return torch.as_tensor(x)


def as_pair(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """`y_true` and `y_pred` as float tensors of one dtype, on the device of `y_pred`, of equal rank if that can be."""
    y_pred = as_tensor(y_pred)
    if not y_pred.is_floating_point():
        y_pred = y_pred.to(dtypes.to_torch(None))
    y_true = as_tensor(y_true, y_pred.dtype, y_pred.device)
    return same_rank(y_true, y_pred)


def same_rank(x: torch.Tensor, y: torch.Tensor, expand_rank_1: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """Drop or add a last axis of size 1 where two tensors differ by just that.

    Args:
        x: shape ``(...)`` or ``(..., 1)``.
        y: shape ``(..., 1)`` or ``(...)``.
        expand_rank_1: give a vector a last axis rather than take it from the other tensor.

    >>> [tuple(t.shape) for t in same_rank(torch.zeros(4), torch.zeros(4, 1))]
    [(4, 1), (4, 1)]
    """
    difference = x.ndim - y.ndim
    if difference == 1 and x.shape[-1] == 1:
        return (x, y.unsqueeze(-1)) if y.ndim == 1 and expand_rank_1 else (x.squeeze(-1), y)
    if difference == -1 and y.shape[-1] == 1:
        return (x.unsqueeze(-1), y) if x.ndim == 1 and expand_rank_1 else (x, y.squeeze(-1))
    return x, y


def map_structure(fn: Callable[[Any], Any], x: Any) -> Any:
    """Apply `fn` to every array in nested dicts, lists and tuples; lists of plain numbers count as one array."""
    if isinstance(x, Mapping):
        return {key: map_structure(fn, value) for key, value in x.items()}
    if isinstance(x, (list, tuple)) and _holds_arrays(x):
        return type(x)(map_structure(fn, item) for item in x)
    return fn(x)


def _holds_arrays(x: list[Any] | tuple[Any, ...]) -> bool:
    return any(
        isinstance(item, (torch.Tensor, np.ndarray, Mapping))
        or (isinstance(item, (list, tuple)) and _holds_arrays(item))
        for item in x
    )


def per_sample_first(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Weights of whole samples, ``(batch,)``, or parts of them, made to broadcast to values of more axes."""
    missing = values.ndim - weights.ndim
    if (
        missing > 0
        and weights.ndim
        and all(mine in (1, size) for mine, size in zip(weights.shape, values.shape, strict=False))
    ):
        return weights.reshape(*weights.shape, *[1] * missing)
    return weights


def check_broadcast(what: str, weights: torch.Tensor, values: torch.Tensor, finer: bool = False) -> None:
    """Raise a `ShapeError` where `weights` cannot multiply `values`, or make more of them and may not be `finer`."""
    try:
        fits = torch.broadcast_shapes(weights.shape, values.shape) == values.shape or finer
    except RuntimeError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{what} of shape {tuple(weights.shape)} does not fit values of shape {tuple(values.shape)}. "
            f"Give one weight per value, or one per sample with axes of size 1 after it, such as "
            f"{(values.shape[0], *[1] * (values.ndim - 1)) if values.ndim else ()}."
        )
