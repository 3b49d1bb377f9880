"""`op`: a function over torch that also works on symbolic tensors, where a call becomes one node of the graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ramify.graph import is_symbolic, record
from ramify.registry import serializable

P = ParamSpec("P")
R = TypeVar("R")

_MODULE = "keras.ops"


def op(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function be called on symbolic tensors; it is written once, for real ones.

    On a symbolic tensor anywhere in the arguments the call is recorded, its shapes learned by running the function
    itself on tensors without data. The function is registered by name, so that files may name it.

    Args:
        function: a pure function of tensors (arrays and numbers count as tensors).

    Example:

    >>> import torch, ramify
    >>> @op
    ... def twice(x):
    ...     return 2 * x
    >>> twice(torch.ones(2)), twice(ramify.Input((3,))).shape
    (tensor([2., 2.]), (None, 3))
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if is_symbolic(args) or (kwargs and is_symbolic(kwargs)):
            result: R = record(function, args, kwargs)
            return result
        return function(*args, **kwargs)

    serializable(_MODULE)(wrapper)
    return wrapper
