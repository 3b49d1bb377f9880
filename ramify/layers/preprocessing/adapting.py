"""What `adapt` takes: arrays, tensors, lists, and anything that yields batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError


def batches_of(data: Any, who: str, *, steps: int | None = None) -> Iterator[Any]:
    """The data in one or several pieces.

    Args:
        data: array, tensor, data frame, (nested) list of numbers or strings: one piece; or an iterable of batches, such
            as a `DataLoader`, whose batches may be alone in a tuple or list.
        who: the layer, for messages.
        steps: number of batches to take; all when not given.

    Raises:
        ArgumentError: no data, or batches of several parts.
    """
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if isinstance(data, (np.ndarray, torch.Tensor)):
        yield data
        return
    if isinstance(data, str) or not isinstance(data, Iterable):
        raise ArgumentError(f"{who}.adapt takes arrays or batches, but received {type(data).__name__}. Pass an array.")
    if isinstance(data, (list, tuple)) and not _holds_arrays(data):
        yield np.asarray(data)
        return
    found = False
    for batch in itertools.islice(data, steps):
        found = True
        yield _single(batch, who)
    if not found:
        raise ArgumentError(f"{who}.adapt received no data: the iterable is empty. Pass a fresh one.")


def _holds_arrays(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, torch.Tensor))


def _single(batch: Any, who: str) -> Any:
    while isinstance(batch, (list, tuple)) and len(batch) == 1 and not isinstance(batch[0], (str, bytes, int, float)):
        batch = batch[0]
    if isinstance(batch, dict) or (isinstance(batch, (list, tuple)) and _holds_arrays(batch)):
        raise ArgumentError(
            f"{who}.adapt takes batches of features alone, but received {len(batch)} parts together. Pass "
            "`(x for x, y in batches)`."
        )
    if isinstance(batch, (list, tuple)):
        return np.asarray(batch)
    numpy = getattr(batch, "numpy", None)
    return numpy() if numpy is not None and not isinstance(batch, torch.Tensor) else batch


def as_array(data: Any) -> np.ndarray[Any, Any]:
    """A piece of data as an array in memory."""
    return data.detach().cpu().numpy() if isinstance(data, torch.Tensor) else np.asarray(data)
