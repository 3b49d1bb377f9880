"""Nested structures under Keras's names: lists, tuples and dicts (in the order of their sorted keys) with leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ramify.errors import ArgumentError
from ramify.graph.structure import is_namedtuple


class MAP_TO_NONE:  # noqa: N801 - Keras's name
    """What a function given to `traverse` returns to have ``None`` stand in a place."""


def _items(structure: Any) -> list[tuple[Any, Any]]:
    """Keys and values of one level, in order."""
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in sorted(structure)]
    return list(enumerate(structure))


def _rebuilt(structure: Any, values: list[Any]) -> Any:
    if isinstance(structure, dict):
        by_key = dict(zip(sorted(structure), values, strict=True))
        return type(structure)((key, by_key[key]) for key in structure)
    return type(structure)(*values) if is_namedtuple(structure) else type(structure)(values)


def is_nested(structure: Any) -> bool:
    """Whether a value is a list, a tuple or a dict.

    >>> is_nested([]), is_nested("ab")
    (True, False)
    """
    return isinstance(structure, (list, tuple, dict))


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of a path and the leaf it leads to.

    >>> flatten_with_path({"b": 1, "a": [2]})
    [(('a', 0), 2), (('b',), 1)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, value in _items(structure) for path, leaf in flatten_with_path(value)]


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order; ``None`` is one.

    >>> flatten({"b": 1, "a": [2, None]})
    [2, None, 1]
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The same structure with a function applied to the leaves of one or more structures, side by side.

    Args:
        func: takes a leaf of each structure.
        *structures: of the same structure.
        none_is_leaf: whether `func` is applied to ``None`` too.

    Raises:
        ArgumentError: structures that differ.

    >>> map_structure(lambda x, y: x + y, {"a": [1]}, {"a": [2]})
    {'a': [3]}
    """
    if not structures:
        raise ArgumentError("map_structure needs at least one structure. Pass it after the function.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return map_structure_up_to(structures[0], _but_none(func, none_is_leaf), *structures)


def _but_none(func: Callable[..., Any], none_is_leaf: bool) -> Callable[..., Any]:
    return func if none_is_leaf else lambda *leaves: None if leaves[0] is None else func(*leaves)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Apply a function down to the leaves of a shallow structure; what is nested deeper is passed on whole.

    >>> map_structure_up_to({"a": 0}, len, {"a": [1, 2]})
    {'a': 2}
    """
    if not is_nested(shallow_structure):
        return func(*structures)
    levels = [dict(_items(structure)) for structure in structures]
    keys = [key for key, _ in _items(shallow_structure)]
    for level in levels:
        if not set(keys) <= set(level):
            raise ArgumentError(f"The structures differ: {sorted(map(str, keys))} against {sorted(map(str, level))}.")
    inner = [
        map_structure_up_to(value, func, *(level[key] for level in levels)) for key, value in _items(shallow_structure)
    ]
    return _rebuilt(shallow_structure, inner)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise where two structures differ in kind, length or keys.

    Args:
        a: one structure.
        b: the other.
        check_types: accepted for Keras's sake; kinds are always compared.

    Raises:
        ArgumentError: they differ; the message says where.
    """
    del check_types
    _compare(a, b, "")


def _compare(a: Any, b: Any, where: str) -> None:
    place = where or "the top"
    if is_nested(a) != is_nested(b) or (is_nested(a) and type(a) is not type(b)):
        raise ArgumentError(f"The structures differ at {place}: {type(a).__name__} against {type(b).__name__}.")
    if not is_nested(a):
        return
    if [key for key, _ in _items(a)] != [key for key, _ in _items(b)]:
        what = f"keys {sorted(a)} against {sorted(b)}" if isinstance(a, dict) else f"{len(a)} items against {len(b)}"
        raise ArgumentError(f"The structures differ at {place}: {what}.")
    for (key, one), (_, other) in zip(_items(a), _items(b), strict=True):
        _compare(one, other, f"{where}[{key!r}]")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise where two structures have different paths; lists and tuples count as the same.

    Raises:
        ArgumentError: a path that only one of them has.
    """
    one, other = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if one != other:
        raise ArgumentError(f"The paths differ: only the first has {one - other}, only the second {other - one}.")


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The structure with other leaves.

    Raises:
        ArgumentError: more or fewer leaves than places.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    leaves = list(flat_sequence)
    count = len(flatten(structure))
    if count != len(leaves):
        raise ArgumentError(f"The structure has {count} places, but {len(leaves)} leaves were given. Give as many.")
    rest = iter(leaves)
    return map_structure(lambda _: next(rest), structure)


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    if not is_nested(structure):
        return structure
    inner = [lists_to_tuples(value) for _, value in _items(structure)]
    return tuple(inner) if isinstance(structure, list) else _rebuilt(structure, inner)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every shape, a tuple or list of sizes counting as a leaf.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(1,)]})
    {'a': 2, 'b': [1]}
    """
    sizes = isinstance(structure, (list, tuple)) and all(isinstance(size, (int, type(None))) for size in structure)
    if sizes or not is_nested(structure):
        return func(structure)
    return _rebuilt(structure, [map_shape_structure(func, value) for _, value in _items(structure)])


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Visit every level; where the function returns something other than ``None``, that takes the place.

    Args:
        func: takes a level or a leaf; `MAP_TO_NONE` puts ``None`` in its place.
        structure: what to visit.
        top_down: whether a level is visited before what is in it.

    >>> traverse(lambda x: 0 if x == 1 else None, [1, [2, 1]])
    [0, [2, 0]]
    """
    if top_down:
        found = func(structure)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    if is_nested(structure):
        structure = _rebuilt(structure, [traverse(func, value, top_down) for _, value in _items(structure)])
    if top_down:
        return structure
    found = func(structure)
    if found is None:
        return structure
    return None if found is MAP_TO_NONE else found


__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]
