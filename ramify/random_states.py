"""All sources of random numbers at once: how far they have got, and back to there."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

State = dict[str, Any]
_KINDS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)


def capture() -> State:
    """Where the process's generators stand: Python's, NumPy's, torch's on every device in use.

    Returns:
        Plain data and tensors.

    >>> state = capture()
    >>> first = torch.rand(2), np.random.rand(), random.random()
    >>> restore(state)
    >>> torch.equal(first[0], torch.rand(2)), first[1:] == (np.random.rand(), random.random())
    (True, True)
    """
    found: State = {
        "python": _python_state(random.getstate()),
        "numpy": _numpy_state(np.random.get_state()),  # noqa: NPY002 -- the global generator is what is kept
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():
        found["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        found["mps"] = torch.mps.get_rng_state()
    return found


def restore(state: State) -> None:
    """Set the process's generators back to where `capture` found them.

    Devices that are not there any more are passed over.
    """
    random.setstate(_python_tuple(state["python"]))
    np.random.set_state(_tuple(state["numpy"]))  # noqa: NPY002 -- likewise
    torch.set_rng_state(state["torch"])
    for index, one in enumerate(state.get("cuda", ())):
        if torch.cuda.is_available() and index < torch.cuda.device_count():
            torch.cuda.set_rng_state(one, index)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


def capture_own(owners: Iterable[Any]) -> list[State]:
    """Where the generators stand that some objects hold as attributes: torch's, NumPy's, Python's.

    Args:
        owners: the objects, in an order that will be the same again.
    """
    return [_state_of(one) for one in _generators(owners)]


def restore_own(owners: Iterable[Any], states: list[State]) -> None:
    """Set the generators that some objects hold back to where `capture_own` found them, where they fit."""
    own = list(_generators(owners))
    if [_kind(one) for one in own] != [state["kind"] for state in states]:
        return
    for one, state in zip(own, states, strict=True):
        value = state["value"]
        if isinstance(one, torch.Generator):
            one.set_state(value)
        elif isinstance(one, np.random.Generator):
            one.bit_generator.state = value
        elif isinstance(one, np.random.RandomState):
            one.set_state(_tuple(value))
        else:
            one.setstate(_python_tuple(value))


def _generators(owners: Iterable[Any]) -> Iterator[Any]:
    seen: set[int] = set()
    for owner in owners:
        for value in list(getattr(owner, "__dict__", {}).values()):
            if isinstance(value, _KINDS) and id(value) not in seen and not isinstance(value, random.SystemRandom):
                seen.add(id(value))
                yield value


def _kind(generator: Any) -> str:
    return next(kind.__name__ for kind in _KINDS if isinstance(generator, kind))


def _state_of(generator: Any) -> State:
    if isinstance(generator, torch.Generator):
        value: Any = generator.get_state()
    elif isinstance(generator, np.random.Generator):
        value = generator.bit_generator.state
    elif isinstance(generator, np.random.RandomState):
        value = _numpy_state(generator.get_state())
    else:
        value = _python_state(generator.getstate())
    return {"kind": _kind(generator), "value": value}


def _numpy_state(state: Any) -> tuple[Any, ...]:
    return (state[0], np.array(state[1]), *map(_plain, state[2:]))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _tuple(state: Any) -> Any:
    return (state[0], np.asarray(state[1], dtype=np.uint32), *state[2:])


def _python_state(state: Any) -> Any:
    version, words, rest = state
    return version, np.array(words, dtype=np.int64), rest


def _python_tuple(state: Any) -> Any:
    version, words, rest = state
    return version, tuple(np.asarray(words).tolist()), rest
