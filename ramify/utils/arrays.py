"""Small transformations of arrays that come before training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot vectors.

    Args:
        x: integers of shape ``(...)`` or ``(..., 1)``, from 0 to ``num_classes - 1``.
        num_classes: number of classes; the largest number plus one when not given.

    Returns:
        Array (for a tensor, a tensor) of shape ``(..., num_classes)``; ones and zeros in float64 (float32 for tensors).

    Raises:
        ArgumentError: a number outside the classes.

    Example:

    >>> to_categorical([2, 0], num_classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    if isinstance(x, torch.Tensor):
        return torch.from_numpy(to_categorical(x.cpu().numpy(), num_classes)).to(x.device, torch.float32)
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(num_classes) if num_classes else int(labels.max(initial=-1)) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < count:
        raise ArgumentError(
            f"to_categorical found class numbers from {labels.min()} to {labels.max()}, but there are {count} classes "
            f"(0 to {count - 1}). Give a larger `num_classes`, or renumber the classes."
        )
    return np.eye(count)[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Divide by the norm along an axis; vectors of norm zero stay zero.

    Args:
        x: array or tensor of any shape.
        axis: along which axis.
        order: of the norm; 2 is the Euclidean one.

    Raises:
        ArgumentError: an order that is not a positive integer.

    Example:

    >>> normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize takes a positive integer as order, but received {order!r}.")
    if isinstance(x, torch.Tensor):
        norm = torch.linalg.vector_norm(x, order, dim=axis, keepdim=True)
        return x / torch.where(norm == 0, torch.ones_like(norm), norm)
    array = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(array, order, axis, keepdims=True))
    return array / np.where(norm == 0, 1, norm)


def pad_sequences(
    sequences: Sequence[Sequence[Any]],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as one array.

    Args:
        sequences: lists or arrays; all but their first axis must agree.
        maxlen: length of the result; that of the longest sequence when not given.
        dtype: dtype of the result.
        padding: where short ones are filled up: ``"pre"`` or ``"post"``.
        truncating: where long ones are cut: ``"pre"`` or ``"post"``.
        value: what fills up.

    Returns:
        Array of shape ``(sequences, maxlen, ...)``.

    Raises:
        ArgumentError: unequal inner shapes, or another word for `padding` or `truncating`.

    Example:

    >>> pad_sequences([[1, 2], [3]], padding="post")
    array([[1, 2],
           [3, 0]], dtype=int32)
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ArgumentError(f"pad_sequences takes {name}='pre' or 'post', but received {word!r}.")
    rows = [np.asarray(row) for row in sequences]
    inner = next((row.shape[1:] for row in rows if len(row)), ())
    for i, row in enumerate(rows):
        if len(row) and row.shape[1:] != inner:
            raise ArgumentError(f"Sequence {i} has elements of shape {row.shape[1:]}, the first ones have {inner}.")
    length = max(map(len, rows), default=0) if maxlen is None else maxlen
    out = np.full((len(rows), length, *inner), value, dtype=dtype)
    for target, row in zip(out, rows, strict=True):
        kept = row[max(0, len(row) - length) :] if truncating == "pre" else row[:length]
        start = length - len(kept) if padding == "pre" else 0
        target[start : start + len(kept)] = kept
    return out
