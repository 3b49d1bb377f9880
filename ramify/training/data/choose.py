"""Which adapter a source of data gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from ramify.errors import ArgumentError
from ramify.training.data.adapter import DataAdapter
from ramify.training.data.arrays import adapter_for_arrays, checked, split_off
from ramify.training.data.batch import Placement
from ramify.training.data.convert import is_arrays, to_tensor
from ramify.training.data.iterables import IterableAdapter
from ramify.training.data.py_dataset import PyDataset, PyDatasetAdapter
from ramify.training.data.tables import TableAdapter, is_table


def adapter_for(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    placement: Placement,
    batch_size: int | None = None,
    shuffle: bool = False,
) -> DataAdapter:
    """The batches of whatever a caller passed to `fit`, `evaluate` or `predict`.

    Args:
        x: arrays, nested in lists, tuples and dicts; or a `PyDataset`, a torch `Dataset` or `DataLoader`, a table
            such as those of Hugging Face's `datasets`, a generator or another iterable of batches.
        y: targets, where `x` holds arrays; the name of a column, or names, where it is a table.
        sample_weight: weights, where `x` holds arrays.
        placement: where batches go, and the class weights.
        batch_size: samples in a batch, 32 when ``None``, for arrays and torch `Dataset`s.
        shuffle: whether every epoch has its own order.

    Raises:
        ArgumentError: targets beside a source that brings its own, or something that is no source of data.
    """
    if isinstance(x, DataAdapter):
        return x
    if isinstance(x, TensorDataset) and y is None:
        x, y, sample_weight = (*x.tensors, None, None)[:3]
    if is_arrays(x):
        parts = checked(x, y, sample_weight, placement.class_weight)
        return adapter_for_arrays(parts, placement, batch_size, shuffle)
    if isinstance(x, (list, tuple, dict)):
        _refuse(x)
    kind = type(x).__name__
    if is_table(x) and not isinstance(x, (Dataset, PyDataset)):
        return _of_table(x, y, sample_weight, placement, batch_size, shuffle)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                f"{name} was passed beside a {kind}, which brings its own. Leave {name} out, and let the {kind} give "
                "(x, y) or (x, y, sample_weight)."
            )
    if isinstance(x, PyDataset):
        return PyDatasetAdapter(x, placement, shuffle)
    if isinstance(x, Dataset) and not isinstance(x, DataLoader):
        in_order = isinstance(x, IterableDataset)
        x = DataLoader(x, batch_size or 32, shuffle=None if in_order else shuffle)
    if x is None or isinstance(x, (str, bytes, int, float)) or not isinstance(x, Iterable):
        raise ArgumentError(
            f"x is {'None' if x is None else f'a {kind}'}, which is no source of data. Pass arrays, a PyDataset, a "
            "torch Dataset or DataLoader, or an iterable of batches."
        )
    return IterableAdapter(x, placement)


def _of_table(
    x: Any, y: Any, sample_weight: Any, placement: Placement, batch_size: int | None, shuffle: bool
) -> DataAdapter:
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None and not isinstance(value, str) and not _are_names(value):
            raise ArgumentError(
                f"Beside a table ({type(x).__name__}), {name} names its columns. Pass a name, or leave it out."
            )
    return TableAdapter(x, placement, y, sample_weight, 32 if batch_size is None else batch_size, shuffle)


def _are_names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _refuse(x: Any) -> NoReturn:
    """A container that is no nest of arrays: say which of its items is to blame."""
    if not x:
        raise ArgumentError(f"x is an empty {type(x).__name__}. Pass one array per input.")
    items = x.items() if isinstance(x, dict) else enumerate(x)
    for key, item in items:
        if item is None:
            raise ArgumentError(f"x[{key!r}] is None. Pass an array for every input.")
        if not is_arrays(item):
            to_tensor(item, f"x[{key!r}]")  # strings, objects: each has its own message
            raise ArgumentError(
                f"x[{key!r}] is a {type(item).__name__}, of which no tensor can be made. Pass an array."
            )
    raise ArgumentError(f"x is a {type(x).__name__} of which no tensors can be made. Pass one array per input.")


def take_apart(
    x: Any, y: Any, sample_weight: Any, fraction: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Arrays for training and, the last `fraction` of the samples, for validation.

    Raises:
        ArgumentError: `x` is a source of batches, which cannot be split.
    """
    if isinstance(x, TensorDataset) and y is None:
        x, y, sample_weight = (*x.tensors, None, None)[:3]
    if not is_arrays(x):
        raise ArgumentError(
            f"validation_split needs arrays, but x is a {type(x).__name__}. Pass validation_data instead."
        )
    return split_off(checked(x, y, sample_weight), fraction)


def device_of(model: torch.nn.Module) -> torch.device:
    """Where a model's weights are; torch's default device where it has none yet."""
    modules = [model]  # `model.parameters()` goes the same way at ten times the cost, and each prediction asks
    while modules:
        module = modules.pop()
        for weight in module._parameters.values():
            if weight is not None:
                return weight.device
        modules.extend(inner for inner in reversed(module._modules.values()) if inner is not None)
    first = next(model.buffers(), None)
    return torch.get_default_device() if first is None else first.device
