"""`vectorize`: a function of single values made into one of whole tensors."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.graph import is_symbolic, record
from ramify.promotion import Tensor, to_tensor

__all__ = ["vectorize"]

_SIDE = re.compile(r"^\s*\([\w\s,]*\)\s*(,\s*\([\w\s,]*\)\s*)*$")


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function of tensors that applies `pyfunc` along all axes that it does not take itself, by `torch.vmap`.

    Args:
        pyfunc: takes and returns tensors; without a signature, tensors without axes.
        excluded: positions and names of arguments that are passed on as they are.
        signature: the axes that `pyfunc` takes and returns, such as ``"(n),(n)->()"``.

    Returns:
        The function; its arguments broadcast against each other.

    Raises:
        ArgumentError: something that cannot be called, or a signature that cannot be read.

    >>> import torch
    >>> vectorize(torch.dot, signature="(n),(n)->()")([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
    tensor([3., 7.])
    """
    if not callable(pyfunc):
        raise ArgumentError(f"`vectorize` takes a function, not {type(pyfunc).__name__}.")
    left = frozenset(excluded or ())
    ranks = None if signature is None else _ranks(signature)

    def run(*args: Any, **kwargs: Any) -> Any:
        places = [place for place in range(len(args)) if place not in left]
        names = [name for name in kwargs if name not in left]
        values = [to_tensor(args[place]) for place in places] + [to_tensor(kwargs[name]) for name in names]
        core = [0] * len(values) if ranks is None else ranks
        if len(core) != len(values):
            raise ArgumentError(f"The signature {signature!r} speaks of {len(core)} arguments; got {len(values)}.")

        def inner(*parts: Tensor) -> Any:
            given = list(args)
            for place, part in zip(places, parts, strict=False):
                given[place] = part
            return pyfunc(*given, **{**kwargs, **dict(zip(names, parts[len(places) :], strict=True))})

        return _mapped(inner, values, core)

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        return record(run, args, kwargs, name="vectorize") if is_symbolic((args, kwargs)) else run(*args, **kwargs)

    return vectorized


def _ranks(signature: str) -> list[int]:
    """How many axes of each argument belong to the function."""
    inputs, arrow, outputs = signature.partition("->")
    if not arrow or not _SIDE.match(inputs) or not _SIDE.match(outputs):
        raise ArgumentError(f"signature={signature!r} cannot be read. Write it as '(n),(n,m)->(m)'.")
    return [len([name for name in group.split(",") if name.strip()]) for group in re.findall(r"\(([^)]*)\)", inputs)]


def _mapped(function: Callable[..., Any], values: list[Tensor], core: list[int]) -> Any:
    """Map over the axes before the core ones; axes of size 1, or that are not there, stay as they are."""
    loops = [value.shape[: value.ndim - rank] for value, rank in zip(values, core, strict=True)]
    shape = torch.broadcast_shapes(*loops)
    wide = [value.expand((*shape, *value.shape[value.ndim - rank :])) for value, rank in zip(values, core, strict=True)]
    for _ in shape:
        function = torch.vmap(function)
    return function(*wide)
