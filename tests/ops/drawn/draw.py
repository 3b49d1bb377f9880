"""A row of the table of drawn calls: an op, and strategies for every argument that it takes."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import ramify

BOOL = st.booleans()
ONE_AXIS = st.integers(-3, 2)
AXIS = st.sampled_from([None, 0, 1, -1, 2, (0, 1), (0, -1), (1, 2), (0, 1, 2)])
FORMAT = st.sampled_from([None, "channels_last", "channels_first"])
HALF = ["float16", "bfloat16"]
FLOATS = ["float32", "float64", *HALF]
EXACT = ["float32", "float64"]
WHOLE = ["int8", "int16", "int32", "int64", "uint8"]
NUMBERS = [*FLOATS, *WHOLE, "bool"]
SHAPES = ((4, 3, 5), (3, 5), (6,))
TURNS = itertools.count()
"""No two tensors of a call are alike."""


def data(kind: str, shape: tuple[int, ...], low: float, high: float, seed: int) -> torch.Tensor:
    """Numbers between bounds; whole ones and truth values as their dtype has them."""
    rng, dtype = np.random.default_rng(seed), getattr(torch, kind)
    if kind == "bool":
        return torch.as_tensor(rng.integers(0, 2, shape) > 0)
    if dtype.is_floating_point:
        return torch.as_tensor(rng.uniform(low, high, shape)).to(dtype)
    low, high = (int(np.ceil(max(low, 0) if kind == "uint8" else low)), int(high))
    return torch.as_tensor(rng.integers(low, max(high, low) + 1, shape)).to(dtype)


def T(*shapes: tuple[int, ...], kinds: Any = EXACT, low: float = -3.0, high: float = 3.0,
      holes: tuple[float, ...] = ()) -> Any:  # fmt: skip
    """A tensor of one of the shapes and dtypes; `holes` (NaN, infinities) take the place of some of its numbers."""
    return _tensors(shapes or SHAPES, kinds, (low, high), holes, 1000 * next(TURNS))


@st.composite
def _tensors(draw: Any, shapes: Any, kinds: Any, bounds: Any, holes: Any, salt: int) -> torch.Tensor:
    shape, kind = draw(st.sampled_from(shapes)), draw(st.sampled_from(kinds))
    made = data(kind, shape, *bounds, salt + draw(st.integers(0, 99)))
    if holes and made.is_floating_point():
        rng = np.random.default_rng(made.numel())
        for hole in holes:
            made[torch.as_tensor(rng.uniform(size=shape) < 0.2)] = hole
    return made


def F(*shapes: tuple[int, ...], **bounds: Any) -> Any:
    """A tensor of float32."""
    return T(*shapes, kinds=["float32"], **bounds)


def I(*shapes: tuple[int, ...], below: int = 5, kinds: Any = ("int32", "int64")) -> Any:  # noqa: E743 - as torch's names
    """Whole numbers from 0."""
    return T(*shapes, kinds=kinds, low=0, high=below - 1)


@dataclass(frozen=True)
class Draw:
    """What is drawn for one op, and how it is held against Keras."""

    name: str
    """Its path below the library: ``ops.sum``."""
    calls: Any
    """A strategy: positional arguments and options."""
    gives: tuple[str, ...]
    """The parameters that every call of the strategy gives."""
    gradient: bool = True
    """Whether gradients are compared, too, where the inputs and the outputs have them."""
    tolerance: float = 1e-5
    """How far results may be from Keras's, as part of the largest of them."""
    measure: Callable[..., Any] | None = None
    """In place of Keras's op: a function of NumPy, SciPy or torch, called with the same arguments."""
    why: str = ""
    """Why Keras on torch is not the measure, or not for all that could be drawn."""
    then: Callable[..., Any] = lambda made, *_, **__: made
    """What is made of the result before it is compared: a function that was returned is called."""
    fixed: bool = False
    """Whether the shape of the result depends on the values, or its arguments cannot be symbolic."""
    hides: tuple[str, ...] = ("", "the batch", "all sizes")
    """Of a symbolic first tensor: with all sizes known, without that of the batch, with none."""
    random: bool = False
    """Draws numbers: shapes, dtypes and distributions are compared, not values."""
    independent: Callable[..., float] = lambda made, *_, **__: made.numel()
    """Of a random op: how many numbers of its result are drawn each for itself."""

    narrow: str = ""
    """Why Keras is not the measure of what it makes of bfloat16."""

    def __str__(self) -> str:
        return f"{self.name.removeprefix('ops.')}-{'-'.join(self.gives)}"


def find(library: Any, name: str) -> Any:
    """The function of a path."""
    return reduce(getattr, name.split("."), library)


def parameters(name: str) -> list[str]:
    """What an op can be given by name."""
    every = inspect.signature(find(ramify, name)).parameters.values()
    return [p.name for p in every if p.kind is not p.VAR_KEYWORD]


@dataclass
class Table:
    """The rows of one file."""

    part: str = "ops."
    rows: list[Draw] = field(default_factory=list)

    def __call__(self, names: str, *args: Any, how: dict[str, Any] | None = None, **options: Any) -> None:
        """Ops with strategies for their positional arguments and their options; `how` has fields of `Draw`."""
        calls = st.tuples(st.tuples(*args), st.fixed_dictionaries(options)).filter(_axes_differ)
        for name in names.split():
            first = parameters(self.part + name)
            varied = first and find(ramify, self.part + name) and _variadic(self.part + name)
            given = first if varied else first[: len(args)]
            self.rows.append(Draw(self.part + name, calls, (*given, *options), **(how or {})))

    def whole(self, names: str, calls: Callable[[], Any], gives: str, **how: Any) -> None:
        """Ops whose arguments depend on one another: a strategy for whole calls, and what each of them gives."""
        for name in names.split():
            self.rows.append(Draw(self.part + name, calls(), tuple(gives.split()), **how))

    def __iter__(self) -> Iterator[Draw]:
        return iter(self.rows)


def _axes_differ(call: Any) -> bool:
    """Whether no axis is named twice: Keras takes that, NumPy and this library do not."""
    (first, *_), axis = (*call[0], None), call[1].get("axis")
    if not isinstance(axis, tuple) or not isinstance(first, torch.Tensor) or not first.ndim:
        return True
    return len({one % first.ndim for one in axis}) == len(axis)


def _variadic(name: str) -> bool:
    every = inspect.signature(find(ramify, name)).parameters.values()
    return any(p.kind is p.VAR_POSITIONAL for p in every)
