"""Which of torch's Python functions leads to an operation with the least ado.

An overload such as ``torch.ops.aten.addmm.default`` can be called as it is, but its arguments are then matched with its
schema in a general way; the functions that torch generates for Python take a third of the time. Names agree, though not
always: so a binding is only used after it was seen to lead to the very overload with the very arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ramify.training.capture.internals import HOMES, lean, schema_of

_known: dict[Any, Callable[..., Any]] = {}


class _Elsewhere(Exception):  # noqa: N818 - never an error to anyone: it stops a call before it does anything
    """A binding leads to another operation."""


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """Lets the first operation through if it is the expected one."""

    def __init__(self, func: Any, args: Any, kwargs: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.func, self.args, self.kwargs = func, args, kwargs
        self.passed = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler to keep it out of here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.passed or func is not self.func or not same((args, kwargs or {}), (self.args, self.kwargs)):
            raise _Elsewhere
        self.passed = True
        return func(*args, **(kwargs or {}))


def same(a: Any, b: Any) -> bool:
    """Whether nested arguments are the same: tensors and generators by identity, the rest by type and value."""
    if isinstance(a, (torch.Tensor, torch.Generator)) or isinstance(b, (torch.Tensor, torch.Generator)):
        return a is b
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a == b or a != a)  # noqa: PLR0124 - NaN is like NaN


def run(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """Do an operation, and find out what to call for it the next time.

    Args:
        func: the overload.
        args: its arguments.
        kwargs: those by name.

    Returns:
        What it returned, and the binding; what stands behind `func` where there is none.
    """
    key = (func, *map(_kind, args), *((name, _kind(arg)) for name, arg in kwargs.items()))
    call = _known.get(key)
    if call is not None:
        return func(*args, **kwargs), call
    for candidate in _candidates(func, args):
        watch = _Watch(func, args, kwargs)
        try:
            with watch:
                out = candidate(*args, **kwargs)
        except (_Elsewhere, TypeError):
            if watch.passed:
                raise
            continue
        _known[key] = candidate
        return out, candidate
    _known[key] = lean(func)
    return func(*args, **kwargs), _known[key]


def _candidates(func: Any, args: tuple[Any, ...]) -> Iterator[Callable[..., Any]]:
    namespace, name = schema_of(func).name.split("::")
    if namespace == "aten":
        for home in HOMES:
            if home is not HOMES[0] or (args and isinstance(args[0], torch.Tensor)):
                found = getattr(home, name, None)
                if found is not None:
                    yield found


def _kind(arg: Any) -> Any:
    if isinstance(arg, (list, tuple)):
        return (type(arg), _kind(arg[0]) if arg else None)
    return torch.Tensor if isinstance(arg, torch.Tensor) else type(arg)
