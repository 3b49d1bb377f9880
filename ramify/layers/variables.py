"""Weights: a `torch.nn.Parameter`, or a buffer, that also answers what Keras users ask of a variable."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch

from ramify.errors import ShapeError


class Variable(torch.Tensor):
    """What the two kinds of weights have in common.

    Nothing here costs anything when the weight is used: operations on it return plain tensors.

    Attributes:
        name: the last part of the path, such as ``"kernel"``.
        path: where the weight lives, such as ``"encoder/dense/kernel"``.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # as Parameter does

    @property
    def name(self) -> str:
        """The weight's own name."""
        return self.__dict__.get("_name", "variable")

    @property
    def path(self) -> str:
        """Names of the layers that hold the weight and its own, joined by slashes."""
        return self.__dict__.get("_path", self.name)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weight."""
        return self.requires_grad

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.requires_grad_(bool(value) and self.is_floating_point())

    @property
    def value(self) -> torch.Tensor:
        """The tensor itself."""
        return self

    def assign(self, value: Any) -> torch.Tensor:
        """Overwrite the values in place.

        Args:
            value: array or tensor of the same shape.

        Raises:
            ShapeError: another shape.
        """
        new = torch.as_tensor(value)
        if new.shape != self.shape:
            raise ShapeError(
                f"Cannot assign a value of shape {tuple(new.shape)} to the weight '{self.path}' of shape "
                f"{tuple(self.shape)}. Pass an array of the weight's shape."
            )
        with torch.no_grad():
            return self.copy_(new)

    def assign_add(self, value: Any) -> torch.Tensor:
        """Add to the values in place."""
        with torch.no_grad():
            return self.add_(torch.as_tensor(value, dtype=self.dtype, device=self.device))

    def assign_sub(self, value: Any) -> torch.Tensor:
        """Subtract from the values in place."""
        with torch.no_grad():
            return self.sub_(torch.as_tensor(value, dtype=self.dtype, device=self.device))

    def numpy(self, *, force: bool = True) -> np.ndarray:
        """The values as an array on the CPU, without gradient."""
        return self.detach().as_subclass(torch.Tensor).numpy(force=force)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.numpy()
        return np.array(values, dtype=dtype, copy=copy) if dtype is not None or copy else values

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            data = self.detach().as_subclass(torch.Tensor).clone(memory_format=torch.preserve_format)
            memo[id(self)] = _dress(type(self), data, self)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        data = self.detach().as_subclass(torch.Tensor)
        return _undress, (type(self), data, self.requires_grad, dict(self.__dict__))


class Parameter(Variable, torch.nn.Parameter):
    """A weight that training may change."""

    def __new__(cls, data: torch.Tensor, requires_grad: bool = True) -> Self:
        """Share the memory of `data`; integers never ask for a gradient."""
        return torch.Tensor._make_subclass(cls, data.detach(), requires_grad and data.is_floating_point())

    __repr__ = torch.nn.Parameter.__repr__
    __deepcopy__ = Variable.__deepcopy__
    __reduce_ex__ = Variable.__reduce_ex__


class State(Variable):
    """A weight that training does not change by gradients, such as a moving average; a buffer in torch's terms."""

    def __new__(cls, data: torch.Tensor, requires_grad: bool = False) -> Self:
        """Share the memory of `data`."""
        del requires_grad
        return data.detach().as_subclass(cls)


def _dress(cls: Any, data: torch.Tensor, like: Variable) -> Any:
    weight = cls(data, like.requires_grad)
    weight.__dict__.update(like.__dict__)
    return weight


def _undress(cls: Any, data: torch.Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    weight = cls(data, requires_grad)
    weight.__dict__.update(attributes)
    return weight
