"""Nested arguments: lists, tuples, named tuples, dicts and slices, and the leaves in them.

Order is the order in which the containers hold their items; dicts keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[Any, ...]


def is_namedtuple(value: Any) -> bool:
    """Whether a value is an instance of a `collections.namedtuple` class."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield ``(path, leaf)`` for every leaf; a path holds the keys and indices that lead to it.

    >>> list(walk({"a": [1, 2]}))
    [(('a', 0), 1), (('a', 1), 2)]
    """
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from walk(item, (*path, i))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif isinstance(value, slice):
        for field in ("start", "stop", "step"):
            yield from walk(getattr(value, field), (*path, field))
    else:
        yield path, value


def flatten(value: Any) -> list[Any]:
    """All leaves, in order."""
    return [leaf for _, leaf in walk(value)]


def by_keys(value: Any) -> Iterator[Any]:
    """All leaves, those of a dict in the order of its sorted keys: how Keras counts them in files.

    >>> list(by_keys({"b": 1, "a": [2, 3]}))
    [2, 3, 1]
    """
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from by_keys(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from by_keys(item)
    elif isinstance(value, slice):
        yield from by_keys([value.start, value.stop, value.step])
    else:
        yield value


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """The same structure with `function` applied to every leaf.

    >>> map_leaves(lambda n: n + 1, {"a": (1, 2)})
    {'a': (2, 3)}
    """
    if isinstance(value, (list, tuple)):
        items = [map_leaves(function, item) for item in value]
        if is_namedtuple(value):
            return type(value)(*items)
        if hasattr(value, "n_sequence_fields"):  # what torch.max and its kin return
            return type(value)(items)
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: map_leaves(function, item) for key, item in value.items()}
    if isinstance(value, slice):
        return slice(*(map_leaves(function, part) for part in (value.start, value.stop, value.step)))
    return function(value)


def pick(value: Any, path: Path) -> Any:
    """The item that a path leads to."""
    for key in path:
        value = getattr(value, key) if isinstance(value, slice) else value[key]
    return value


def unflatten(like: Any, leaves: list[Any]) -> Any:
    """The structure of `like` with other leaves, given in order."""
    rest = iter(leaves)
    return map_leaves(lambda _: next(rest), like)
