"""Projections that keep weights within bounds after each optimizer step.

A constraint is any function from a tensor to a tensor of the same shape and dtype. Those here never wait for the device
and have a finite gradient everywhere, zero weights included. Norms are taken along `axis`: for a kernel ``(in, out)``,
axis 0 gives the norm of each output's weights; for a convolution kernel ``(kh, kw, in, out)``, axis ``(0, 1, 2)`` does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch

from ramify import dtypes, registry
from ramify.errors import ArgumentError
from ramify.registry import serializable

_MODULE = "keras.constraints"

Axis = int | Sequence[int] | None


class Constraint:
    """A projection with a config. Subclass it and write `__call__` and `get_config`.

    >>> class AtMostOne(Constraint):
    ...     def __call__(self, w):
    ...         return w.clamp(max=1.0)
    >>> AtMostOne()(torch.tensor([0.5, 2.0]))
    tensor([0.5000, 1.0000])
    """

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """The projected weight; the weight itself here."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A constraint from what `get_config` returned."""
        return cls(**config)


def _norm(w: torch.Tensor, axis: Axis) -> torch.Tensor:
    """Euclidean norms along the axes, which stay with size 1; ``None`` is all axes."""
    return torch.linalg.vector_norm(w, dim=axis if axis is None or isinstance(axis, int) else tuple(axis), keepdim=True)


@serializable(_MODULE, "max_norm")
class MaxNorm(Constraint):
    """Shrink what has a norm above a bound (Srivastava et al., 2014, "Dropout", JMLR 15).

    Args:
        max_value: the largest norm.
        axis: one axis or several along which norms are taken; ``None`` for all.

    >>> MaxNorm(5.0)(torch.tensor([[6.0], [8.0]]))
    tensor([[3.],
            [4.]])
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """The projected weight."""
        norm = _norm(w, self.axis)
        return w * (norm.clamp(0, self.max_value) / (norm + dtypes.epsilon()))

    def get_config(self) -> dict[str, Any]:
        """Bound and axis."""
        return {"max_value": self.max_value, "axis": self.axis}


@serializable(_MODULE, "non_neg")
class NonNeg(Constraint):
    """Set what is negative to zero.

    >>> NonNeg()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """The projected weight."""
        return torch.relu(w)


@serializable(_MODULE, "unit_norm")
class UnitNorm(Constraint):
    """Divide by the norm.

    Args:
        axis: one axis or several along which norms are taken; ``None`` for all.

    >>> UnitNorm()(torch.tensor([[3.0], [4.0]]))
    tensor([[0.6000],
            [0.8000]])
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """The projected weight."""
        return w / (_norm(w, self.axis) + dtypes.epsilon())

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {"axis": self.axis}


@serializable(_MODULE, "min_max_norm")
class MinMaxNorm(Constraint):
    """Move norms into an interval, at once or part of the way in each step.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: the share of the way that is gone in each step: 1 is all of it.
        axis: one axis or several along which norms are taken; ``None`` for all.

    >>> MinMaxNorm(10.0, 20.0, rate=0.5)(torch.tensor([[3.0], [4.0]]))
    tensor([[4.5000],
            [6.0000]])
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """The projected weight."""
        norm = _norm(w, self.axis)
        wanted = self.rate * norm.clamp(self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (wanted / (norm + dtypes.epsilon()))

    def get_config(self) -> dict[str, Any]:
        """Bounds, rate and axis."""
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm


def serialize(constraint: Any) -> Any:
    """The config of a constraint, as Keras files hold it.

    >>> serialize(MaxNorm(3))["config"]
    {'max_value': 3, 'axis': 0}
    """
    return registry.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that a config or a name stands for.

    Args:
        config: what `serialize` returned, or a name such as ``"non_neg"``.
        custom_objects: name -> class or function, looked up first.

    Raises:
        ArgumentError: a name that is not known.

    >>> deserialize("max_norm").max_value
    2
    """
    return registry.deserialize(config, _MODULE, custom_objects, "constraint")


def get(identifier: Any) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """The constraint that is meant.

    Args:
        identifier: a constraint, its class, its name or config, any function from a tensor to a tensor, or ``None``.

    Returns:
        Something to call with a tensor; ``None`` for ``None``.

    Raises:
        ArgumentError: anything else, or a name that is not known.

    >>> get("non_neg")(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    if isinstance(identifier, (str, Mapping)):
        identifier = deserialize(identifier)
    elif inspect.isclass(identifier):
        identifier = identifier()
    if identifier is None or callable(identifier):
        found: Callable[[torch.Tensor], torch.Tensor] | None = identifier
        return found
    raise ArgumentError(
        f"{identifier!r} is no constraint. Pass a name such as 'max_norm', a Constraint, or a function from a tensor "
        "to a tensor; for a bound of your own, constraints.MaxNorm(bound)."
    )


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
