"""Every public name of the parts that are to be whole is here, and is called as in the Keras that is installed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import reduce
from typing import Any

import keras
import pytest

import ramify

PARTS = "layers ops random activations initializers regularizers constraints dtype_policies tree".split()
INNER = {"ops": ("image", "linalg", "nn", "numpy")}
PLAIN = (bool, int, float, str, type(None))


def names() -> Iterator[str]:
    """Dotted paths of all that is public in the parts."""
    for part in PARTS:
        for path in (part, *(f"{part}.{inner}" for inner in INNER.get(part, ()))):
            yield from (f"{path}.{name}" for name in dir(at(keras, path)) if is_public(at(keras, path), name))


def is_public(module: Any, name: str) -> bool:
    return not name.startswith("_") and not inspect.ismodule(getattr(module, name))


def at(library: Any, path: str) -> Any:
    return reduce(getattr, path.split("."), library)


def parameters(thing: Any) -> dict[str, inspect.Parameter] | None:
    """Of a function, or of a class's constructor; ``None`` where they cannot be read, or anything is taken."""
    try:
        found = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters
    except (TypeError, ValueError):
        return None
    own = {name: p for name, p in found.items() if name != "self"}
    kinds = [p.kind for p in own.values()]
    return None if kinds == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD] else own


def difference(ours: Any, theirs: Any) -> str:
    """How the first call takes less than the second, or has another order or default; empty where not."""
    have, want = parameters(ours), parameters(theirs)
    if have is None or want is None:
        return ""
    takes_any = any(p.kind is p.VAR_KEYWORD for p in have.values())
    named = [p for p in want.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    for p in named:
        mine = have.get(p.name)
        if mine is None and not takes_any:
            return f"no parameter '{p.name}'"
        given = p.default is not p.empty and type(p.default) in PLAIN
        if mine is not None and given and mine.default != p.default:
            return f"{p.name}={mine.default!r}, but {p.default!r} in Keras"
    positions = [
        [p.name for p in found.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        for found in (have, want)
    ]
    shared = [name for name in positions[1] if name in have]
    return "" if positions[0][: len(shared)] == shared else f"order {positions[0]}, but {positions[1]} in Keras"


@pytest.mark.parametrize("part", PARTS)
def test_no_name_is_missing(part):
    wanted = [path for path in names() if path.split(".")[0] == part]
    assert len(wanted) > 5
    missing = [path for path in wanted if not hasattr(at(ramify, path.rpartition(".")[0]), path.rpartition(".")[2])]
    assert not missing, f"public in Keras {keras.__version__}: {missing}"


def test_signatures_are_those_of_keras():
    told = {path: difference(at(ramify, path), at(keras, path)) for path in names() if callable(at(keras, path))}
    assert len(told) > 800
    assert {path: why for path, why in told.items() if why} == {}


def test_a_difference_is_seen():
    assert difference(lambda x: x, lambda x, axis=-1: x) == "no parameter 'axis'"
    assert difference(lambda x, axis=0: x, lambda x, axis=-1: x) == "axis=0, but -1 in Keras"
    assert difference(lambda axis, x: x, lambda x, axis: x).startswith("order")
    assert difference(lambda x, **options: x, lambda x, axis=-1: x) == ""
