"""What the process as a whole remembers, and small questions about values."""

from __future__ import annotations

import gc
from typing import Any

from ramify import dtypes
from ramify.errors import ArgumentError
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


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs that a symbolic tensor was computed from.

    Args:
        tensor: symbolic tensor.

    Returns:
        Symbolic tensors, without repetition, in the order in which they are met.

    Raises:
        ArgumentError: something that is no symbolic tensor.

    >>> import ramify
    >>> a, b = ramify.Input((3,)), ramify.Input((3,))
    >>> [source is a or source is b for source in get_source_inputs(ramify.layers.Dense(1)(a + b))]
    [True, True]
    """
    if not isinstance(tensor, SymbolicTensor):
        raise ArgumentError(f"get_source_inputs takes a symbolic tensor, not a {type(tensor).__name__}.")
    found: list[Any] = []
    seen: set[int] = set()
    waiting: list[Any] = [tensor]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.node.is_input:
            found.append(one)
        else:
            waiting.extend(reversed(one.node.inputs))
    return found
