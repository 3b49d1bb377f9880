"""Penalties on weights or activities, added to the loss.

A regularizer is any function from a tensor to a scalar. Those here stay on the tensor's device, keep its dtype, and
have a finite gradient everywhere, zero weights included.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Self

import torch
from torch.nn import functional as F

from ramify import registry
from ramify.errors import ArgumentError, ShapeError
from ramify.registry import serializable

_MODULE = "keras.regularizers"


class Regularizer:
    """A penalty with a config. Subclass it and write `__call__` and `get_config`.

    >>> class Squares(Regularizer):
    ...     def __call__(self, x):
    ...         return x.square().sum()
    >>> Squares()(torch.tensor([1.0, 2.0]))
    tensor(5.)
    """

    def __call__(self, x: torch.Tensor) -> Any:
        """The penalty of a tensor: a scalar tensor, or a number; 0.0 here."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A regularizer from what `get_config` returned."""
        return cls(**config)


def _factor(value: Any, owner: str, name: str) -> float:
    """A factor as a float; ``None`` means 0.

    Raises:
        ArgumentError: not a number, not finite, or below zero.
    """
    if value is None:
        return 0.0
    if isinstance(value, Real) and math.isfinite(value) and float(value) >= 0:
        return float(value)
    raise ArgumentError(f"{owner} cannot have {name}={value!r}: it must be a finite number that is not negative.")


@serializable(_MODULE, "l1_l2", "l1l2")
class L1L2(Regularizer):
    """Sum of absolute values times `l1` plus sum of squares times `l2`.

    Args:
        l1: factor of the absolute values, not negative.
        l2: factor of the squares, not negative.

    Raises:
        ArgumentError: a factor that is negative, infinite or no number.

    >>> L1L2(l1=1.0, l2=0.5)(torch.tensor([3.0, -4.0]))
    tensor(19.5000)
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(l1, type(self).__name__, "l1")
        self.l2 = _factor(l2, type(self).__name__, "l2")

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The penalty of a float tensor of any shape: a scalar of its dtype."""
        if not self.l1:
            return self.l2 * (x * x).sum() if self.l2 else x.new_zeros(())
        absolutes = self.l1 * x.abs().sum()
        return absolutes + self.l2 * (x * x).sum() if self.l2 else absolutes

    def get_config(self) -> dict[str, Any]:
        """Both factors."""
        return {"l1": self.l1, "l2": self.l2}


@serializable(_MODULE, "l1")
class L1(L1L2):
    """Sum of absolute values times a factor.

    Args:
        l1: the factor, not negative.

    >>> L1(0.5)(torch.tensor([3.0, -4.0]))
    tensor(3.5000)
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        super().__init__(l1=l1)

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l1": self.l1}


@serializable(_MODULE, "l2")
class L2(L1L2):
    """Sum of squares times a factor.

    Args:
        l2: the factor, not negative.

    >>> L2(0.1)(torch.tensor([3.0, -4.0]))
    tensor(2.5000)
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        super().__init__(l2=l2)

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l2": self.l2}


@serializable(_MODULE, "orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """Mean absolute cosine between the rows, or the columns, of a matrix, times a factor.

    Args:
        factor: the factor, not negative.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ArgumentError: a factor or mode that cannot be.

    >>> OrthogonalRegularizer(factor=1.0)(torch.eye(3))
    tensor(0.)
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"OrthogonalRegularizer has no mode {mode!r}. Use 'rows' or 'columns'.")
        self.factor = _factor(factor, "OrthogonalRegularizer", "factor")
        self.mode = mode

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The penalty of a matrix: a scalar of its dtype; 0 where there is one row or column alone.

        Raises:
            ShapeError: not of rank 2.
        """
        if x.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer takes matrices, not a tensor of shape {tuple(x.shape)}.")
        unit = F.normalize(x, dim=1 if self.mode == "rows" else 0, eps=1e-7)
        cosines = unit @ unit.T if self.mode == "rows" else unit.T @ unit
        n = cosines.shape[0]
        # The matrix is symmetric: what lies above its diagonal is every pair once.
        return cosines.triu(1).abs().sum() * (self.factor / max(1, n * (n - 1) // 2))

    def get_config(self) -> dict[str, Any]:
        """Factor and mode."""
        return {"factor": self.factor, "mode": self.mode}


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer


def serialize(regularizer: Any) -> Any:
    """The config of a regularizer, as Keras files hold it.

    >>> serialize(L2(0.5))["config"]
    {'l2': 0.5}
    """
    return registry.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that a config or a name stands for.

    Args:
        config: what `serialize` returned, or a name such as ``"l2"``.
        custom_objects: name -> class or function, looked up first.

    Raises:
        ArgumentError: a name that is not known.

    >>> deserialize("l2").l2
    0.01
    """
    return registry.deserialize(config, _MODULE, custom_objects, "regularizer")


def get(identifier: Any) -> Callable[[torch.Tensor], Any] | None:
    """The regularizer that is meant.

    Args:
        identifier: a regularizer, its class, its name or config, any function from a tensor to a scalar, or ``None``.

    Returns:
        Something to call with a tensor; ``None`` for ``None``.

    Raises:
        ArgumentError: anything else, or a name that is not known.

    >>> get("l1")(torch.tensor([100.0]))
    tensor(1.)
    """
    if isinstance(identifier, (str, Mapping)):
        identifier = deserialize(identifier)
    elif inspect.isclass(identifier):
        identifier = identifier()
    if identifier is None or callable(identifier):
        found: Callable[[torch.Tensor], Any] | None = identifier
        return found
    raise ArgumentError(
        f"{identifier!r} is no regularizer. Pass a name such as 'l2', a Regularizer, or a function from a tensor to a "
        "scalar; for a factor of your own, regularizers.L2(factor)."
    )


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
