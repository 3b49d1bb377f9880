"""Functions that a user gives, called with those of the values on offer that they have arguments for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ramify.errors import ArgumentError


def checked_arguments(
    what: str, function: Any, allowed: Sequence[str], needed: Sequence[str]
) -> dict[str, inspect._ParameterKind]:
    """The names among `allowed` that a function takes, and how."""
    if not callable(function):
        raise ArgumentError(f"`{what}` is a function, but received {function!r:.60}. Pass a function.")
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    found = {p.name: p.kind for p in named if p.name in allowed}
    missing = [name for name in needed if name not in found]
    unknown = [p.name for p in named if p.name not in allowed and p.default is p.empty]
    if missing or unknown:
        wrong = f"lacks the argument '{missing[0]}'" if missing else f"has the unknown argument '{unknown[0]}'"
        raise ArgumentError(f"`{what}` {wrong}. Its arguments have names of {', '.join(allowed)}; wrap it in one.")
    return found


def call_with(function: Callable[..., Any], takes: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """Call a function with the values that it takes, as `checked_arguments` found them."""
    alone = [name for name, kind in takes.items() if kind is inspect.Parameter.POSITIONAL_ONLY]
    rest = {name: values[name] for name in takes if name not in alone}
    return function(*(values[name] for name in alone), **rest)
