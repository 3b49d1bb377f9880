"""From arrays of all kinds to tensors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph import SymbolicValue

# Kinds of integers that torch's kernels know little of, and what holds the same numbers.
_PLAIN = "fdilqbB?e"  # native kinds that torch has, too
_WIDER = {"uint16": "int32", "uint32": "int64", "uint64": "int64"}


def is_plain(array: np.ndarray[Any, Any]) -> bool:
    """Whether torch can take an array's memory as it is."""
    dtype = array.dtype
    return dtype.char in _PLAIN and dtype.isnative and array.flags.carray


def is_data_frame(value: Any) -> bool:
    """Whether a value is a pandas data frame or series; pandas need not be installed."""
    return type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "to_numpy")


def is_array(value: Any) -> bool:
    """Whether a value is one array, rather than a container of arrays or a source of batches."""
    if type(value) is np.ndarray or type(value) is torch.Tensor:
        return True
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)) or is_data_frame(value):
        return True
    return hasattr(value, "__array__") and hasattr(value, "shape")


def is_numbers(value: Any) -> bool:
    """Whether nested lists hold plain numbers, and so are one array.

    >>> is_numbers([[1, 2], [3, 4]]), is_numbers([]), is_numbers([np.ones(2)])
    (True, False, False)
    """
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (int, float, bool, np.number, np.bool_))


def is_arrays(value: Any) -> bool:
    """Whether a value is an array, or nested lists, tuples and dicts of arrays."""
    if is_array(value) or (isinstance(value, (list, tuple)) and is_numbers(value)):
        return True
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(item is None or is_arrays(item) for item in value)
    return isinstance(value, Mapping) and len(value) > 0 and all(v is None or is_arrays(v) for v in value.values())


def to_tensor(value: Any, name: str, floats: torch.dtype | None = None) -> torch.Tensor:
    """One array as a tensor, on the same memory where that can be.

    Args:
        value: array, tensor, data frame or nested lists of numbers.
        name: how messages call it.
        floats: dtype that floating values get; their own when ``None``.

    Raises:
        ArgumentError: strings, objects, dates, sparse matrices, symbolic tensors.

    >>> to_tensor(np.ones(2), "x", torch.float32).dtype
    torch.float32
    """
    if type(value) is np.ndarray and value.ndim and is_plain(value):
        value = torch.from_numpy(value)
    elif not isinstance(value, torch.Tensor):
        value = _from_numpy(_as_numpy(value, name), name)
    tensor: torch.Tensor = value
    if floats is not None and tensor.is_floating_point() and tensor.dtype is not floats:
        return tensor.to(floats)
    return tensor


def _as_numpy(value: Any, name: str) -> np.ndarray[Any, Any]:
    if isinstance(value, SymbolicValue):
        raise ArgumentError(f"{name} is a symbolic tensor, which holds no data. Pass an array.")
    if is_data_frame(value):
        array = value.to_numpy()
        return np.asarray(array[:, None] if array.ndim == 1 else array)
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise ArgumentError(f"{name} is a sparse matrix. Pass `{name}.toarray()`, or batches from a generator.")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{name} holds rows of different lengths ({error}). Pad them to one length.") from None


def _from_numpy(array: np.ndarray[Any, Any], name: str) -> torch.Tensor:
    if array.dtype == object:
        numbers = None if any(item is None for item in array.flat) else _as_numbers(array)
        if numbers is None:
            raise ArgumentError(
                f"{name} holds Python objects (such as {_first(array)!r:.60}), of which no tensor can be made. Pass "
                "numbers of one dtype; rows of different lengths must be padded."
            )
        array = numbers
    if dtypes.is_beyond_numpy(array):
        return dtypes.from_numpy(array)
    if array.dtype.kind in "USOMmV":
        kind = {"U": "strings", "S": "bytes", "M": "dates", "m": "durations"}.get(array.dtype.kind, "records")
        raise ArgumentError(f"{name} holds {kind} ({_first(array)!r:.60}), not numbers. Turn them into numbers first.")
    wider = _WIDER.get(array.dtype.name) if array.dtype.kind == "u" else None
    if wider is not None or not array.dtype.isnative:
        array = array.astype(wider or array.dtype.newbyteorder("="))
    if any(stride < 0 for stride in array.strides):
        array = np.ascontiguousarray(array)
    if not array.ndim:
        return torch.as_tensor(array)
    if array.flags.writeable:
        return torch.from_numpy(array)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not writable.*")  # nothing here writes
        return torch.from_numpy(array)


def _as_numbers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    try:
        return array.astype(np.float32)
    except (TypeError, ValueError):
        return None


def _first(array: np.ndarray[Any, Any]) -> Any:
    return array.flat[0] if array.size else None
