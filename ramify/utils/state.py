"""What the process as a whole remembers, and small questions about values."""

from __future__ import annotations

import gc
from typing import Any

from ramify import dtypes
from ramify.graph import SymbolicTensor
from ramify.naming import reset_names


def clear_session(free_memory: bool = True) -> None:
    """Start automatic names again from the beginning.

    Nothing else is kept: models and their graphs go when nothing refers to them any more.

    Args:
        free_memory: whether to run Python's garbage collector.
    """
    reset_names()
    if free_memory:
        gc.collect()


def is_keras_tensor(x: Any) -> bool:
    """Whether a value is a symbolic tensor.

    >>> import ramify
    >>> is_keras_tensor(ramify.Input((3,)))
    True
    """
    return isinstance(x, SymbolicTensor)


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype.

    >>> import torch
    >>> standardize_dtype(torch.bfloat16)
    'bfloat16'
    """
    return dtypes.name(dtype)
