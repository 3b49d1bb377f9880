"""`split_dataset`: two data sets out of one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ramify.errors import ArgumentError
from ramify.graph.structure import map_leaves, walk
from ramify.training.data import PyDataset
from ramify.training.data.arrays import as_tensors
from ramify.training.data.convert import is_arrays
from ramify.utils.samples import SampleDataset


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[SampleDataset, SampleDataset]:
    """Split samples in two.

    Args:
        dataset: arrays, nested in tuples, lists and dicts; a torch `Dataset`; or a data set of batches, which is
            taken apart: a `PyDataset`, a `DataLoader`, a ``tf.data.Dataset`` or another iterable of samples.
        left_size: how many samples the first gets, or their share of all.
        right_size: the same for the second; what remains when ``None``.
        shuffle: whether samples are drawn for the sides, instead of the first ones going left.
        seed: settles the draw.
        preferred_backend: accepted for Keras's sake; the result is of this library whatever it says.

    Returns:
        Two data sets of single samples; ``.batch(32)`` makes batches of them.

    Raises:
        ArgumentError: sizes that are no share or number of the samples, or that are too large together.

    >>> left, right = split_dataset((torch.arange(10), torch.arange(10) * 2), left_size=0.8)
    >>> len(left), len(right), right[0]
    (8, 2, (tensor(8), tensor(16)))
    """
    if preferred_backend not in (None, "torch", "tensorflow", "jax", "grain"):
        raise ArgumentError(f"preferred_backend={preferred_backend!r} is unknown. Leave it out.")
    sample, count = _samples(dataset)
    left, right = _sizes(left_size, right_size, count)
    order = list(range(count))
    if shuffle:
        random.Random(seed).shuffle(order)
    sides = order[:left], order[count - right :] if right else []

    def of(side: list[int]) -> SampleDataset:
        return SampleDataset(lambda i: sample(side[i]), len(side))

    return of(sides[0]), of(sides[1])


def _samples(dataset: Any) -> tuple[Any, int]:
    """What gives sample `i`, and how many there are."""
    if isinstance(dataset, SampleDataset):
        samples = dataset if dataset.batch_size is None else dataset.unbatch()
        order = samples.order
        return lambda i: samples.sample(int(order[i])), len(samples)
    if isinstance(dataset, Dataset) and hasattr(dataset, "__len__"):
        return dataset.__getitem__, len(dataset)
    if is_arrays(dataset):
        tensors = as_tensors(dataset, "dataset")
        lengths = {"".join(f"[{k!r}]" for k in path) or "dataset": len(leaf) for path, leaf in walk(tensors)}
        if len(set(lengths.values())) > 1:
            raise ArgumentError(f"The arrays hold different numbers of samples: {lengths}. Cut them to one length.")
        return lambda i: map_leaves(lambda leaf: leaf[i], tensors), next(iter(lengths.values()))
    if isinstance(dataset, PyDataset):
        found = [one for number in range(len(dataset)) for one in _rows(dataset[number])]  # type: ignore[arg-type]
    elif isinstance(dataset, torch.utils.data.DataLoader):
        found = [one for batch in dataset for one in _rows(batch)]
    elif hasattr(dataset, "unbatch") and hasattr(dataset, "element_spec"):  # tf.data, whose batches cannot be told
        found = list(dataset.as_numpy_iterator())
    elif hasattr(dataset, "__iter__") and not isinstance(dataset, (str, bytes, dict)):
        found = list(dataset)
    else:
        raise ArgumentError(f"split_dataset takes arrays or a data set, not a {type(dataset).__name__}.")
    return found.__getitem__, len(found)


def _rows(batch: Any) -> list[Any]:
    batch = tuple(batch) if isinstance(batch, list) else batch
    tensors = as_tensors(batch, "batch")
    count = len(next(leaf for _, leaf in walk(tensors)))

    def row(i: int) -> Any:
        return map_leaves(lambda leaf: leaf[i], tensors)

    return [row(i) for i in range(count)]


def _sizes(left: Any, right: Any, count: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ArgumentError("split_dataset needs left_size or right_size. Pass one: a share such as 0.8, or a number.")
    if count == 0:
        raise ArgumentError("The data set holds no samples, so there is nothing to split. Check how it was made.")
    found: list[Any] = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            found.append(None)
        elif isinstance(size, (float, np.floating)) and 0 < size < 1:
            found.append(round(float(size) * count))
        elif isinstance(size, (int, np.integer)) and not isinstance(size, bool) and 0 < size < count:
            found.append(int(size))
        else:
            raise ArgumentError(
                f"{name}={size!r} is neither a share between 0 and 1 nor a number from 1 to {count - 1}; there are "
                f"{count} samples."
            )
    first, second = found
    first = count - second if first is None else first
    second = count - first if second is None else second
    if first + second > count:
        raise ArgumentError(f"left_size and right_size are {first + second} together, but there are {count} samples.")
    return first, second
