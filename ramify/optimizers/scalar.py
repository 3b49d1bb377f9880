"""A number on the host that is used like a variable: an optimizer's iteration count and learning rate."""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

_FLOAT = struct.Struct("f")


def float32(x: float) -> float:
    """`x` rounded to what a float32 holds, so that saving and loading it changes nothing."""
    rounded: float = _FLOAT.unpack(_FLOAT.pack(x))[0]
    return rounded


def bias(beta: float, step: int) -> float:
    """``1 - beta ** step``, rounded where Keras rounds: near ``beta = 1`` weights differ in the fifth digit else."""
    return 1.0 - float32(float32(beta) ** step)


class HostScalar:
    """A number with a name, which reads like a tensor of rank 0 but never waits for a device.

    Args:
        number: its value.
        name: its name.
        path: its name with that of its owner before.
        dtype: ``"int64"``, ``"int32"`` or ``"float32"``.

    >>> rate = HostScalar(0.5, "learning_rate")
    >>> rate.assign(0.25)
    <learning_rate: 0.25>
    >>> float(rate * 2)
    0.5
    """

    shape = ()
    ndim = 0
    trainable = False

    def __init__(self, number: float, name: str, path: str = "", dtype: str = "float32") -> None:
        self.name, self.path, self.dtype = name, path or name, dtype
        self.number: Any = 0
        self.assign(number)

    def assign(self, value: Any) -> HostScalar:
        """Take over a number, or the number of a tensor or array with one element."""
        value = value if isinstance(value, (int, float)) else np.asarray(_plain(value)).item()
        self.number = float32(value) if self.dtype == "float32" else int(value)
        return self

    def assign_add(self, value: Any) -> HostScalar:
        """Add a number."""
        return self.assign(self.number + float(_plain(value)))

    def assign_sub(self, value: Any) -> HostScalar:
        """Take a number away."""
        return self.assign(self.number - float(_plain(value)))

    def numpy(self) -> Any:
        """The number as a NumPy scalar array."""
        return np.array(self.number, self.dtype)

    @property
    def value(self) -> torch.Tensor:
        """The number as a tensor on the CPU."""
        return torch.tensor(self.number, dtype=getattr(torch, self.dtype))

    def item(self) -> Any:
        """The number itself."""
        return self.number

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.number, dtype or self.dtype)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        plain = [item.value if isinstance(item, HostScalar) else item for item in args]
        return func(*plain, **{key: _plain(item) for key, item in (kwargs or {}).items()})

    def __int__(self) -> int:
        return int(self.number)

    def __index__(self) -> int:
        return operator.index(self.number)

    def __float__(self) -> float:
        return float(self.number)

    def __bool__(self) -> bool:
        return bool(self.number)

    def __repr__(self) -> str:
        return f"<{self.path}: {self.number}>"

    def __format__(self, spec: str) -> str:
        return format(self.number, spec)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return self.number == _plain(other)

    def __neg__(self) -> Any:
        return -self.number


def _plain(x: Any) -> Any:
    return x.number if isinstance(x, HostScalar) else x


def _forward(fn: Callable[[Any, Any], Any]) -> Callable[[HostScalar, Any], Any]:
    return lambda self, other: fn(self.number, _plain(other))


def _backward(fn: Callable[[Any, Any], Any]) -> Callable[[HostScalar, Any], Any]:
    return lambda self, other: fn(other, self.number)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(HostScalar, f"__{_name}__", _forward(getattr(operator, _name)))
    setattr(HostScalar, f"__r{_name}__", _backward(getattr(operator, _name)))
for _name in ("lt", "le", "gt", "ge"):
    setattr(HostScalar, f"__{_name}__", _forward(getattr(operator, _name)))
