"""Tensors that last and have a name: weights, and the state of layers, metrics and optimizers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch

from ramify.errors import ShapeError


class Changes:
    """Counts what may make old knowledge of layers and weights wrong and that torch itself does not count.

    Attributes:
        count: goes up with every attribute that a layer is given, every hook, and every use of a variable's `data`.
    """

    count = 0


_DATA: Any = torch.Tensor.data


class Variable(torch.Tensor):
    """What all of them have in common: a tensor that answers what Keras users ask of a variable.

    Nothing here costs anything when the variable is used: operations on it return plain tensors. Assigning works in
    place, so that whoever holds the tensor (an optimizer's list, a captured graph) sees the new numbers; only a value
    on another device moves the variable there.

    Attributes:
        name: the last part of the path, such as ``"kernel"``.
        path: where the variable lives, such as ``"encoder/dense/kernel"``.
    """

    # As torch.nn.Parameter does: operations give plain tensors, without a detour through Python.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    name = "variable"
    path = "variable"

    @property
    def data(self) -> torch.Tensor:
        """The numbers as torch's `data` gives them: what is written there escapes torch's count of changes."""
        Changes.count += 1
        found: torch.Tensor = _DATA.__get__(self)
        return found

    @data.setter
    def data(self, value: torch.Tensor) -> None:
        Changes.count += 1
        _DATA.__set__(self, value)

    @property
    def trainable(self) -> bool:
        """Whether training changes the variable by gradients."""
        return self.requires_grad

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.requires_grad_(bool(value) and self.is_floating_point())

    @property
    def value(self) -> torch.Tensor:
        """The tensor itself."""
        return self

    def assign(self, value: Any) -> Self:
        """Take over the numbers of a tensor, an array or a number.

        Args:
            value: of the same shape, or a number.

        Raises:
            ShapeError: another shape.
        """
        new = value if isinstance(value, torch.Tensor) else torch.as_tensor(value)
        if new.ndim and new.shape != self.shape:
            raise ShapeError(
                f"Cannot assign a value of shape {tuple(new.shape)} to the variable '{self.path}' of shape "
                f"{tuple(self.shape)}. Pass an array of the variable's shape."
            )
        with torch.no_grad():
            self._follow(value)
            self.copy_(new)
        return self

    def assign_add(self, value: Any) -> Self:
        """Add the numbers of `value` in place."""
        return self._in_place(value, 1)

    def assign_sub(self, value: Any) -> Self:
        """Take away the numbers of `value` in place."""
        return self._in_place(value, -1)

    def _in_place(self, value: Any, sign: int) -> Self:
        with torch.no_grad():
            self._follow(value)
            if not isinstance(value, (torch.Tensor, int, float)):
                value = torch.as_tensor(value, dtype=self.dtype, device=self.device)
            self.add_(value, alpha=sign)
        return self

    def _follow(self, value: Any) -> None:
        if isinstance(value, torch.Tensor) and value.ndim and value.device != self.device:
            self.move(value.device)

    def move(self, device: torch.device) -> Self:
        """Keep the numbers on `device` from now on."""
        self.data = self.data.to(device)
        return self

    def numpy(self, *, force: bool = True) -> np.ndarray[Any, Any]:
        """The numbers as an array of its own, without gradient: it stays as it is when training goes on.

        Waits for the device. ``variable.detach().numpy()`` shares the memory, as with any tensor.
        """
        return self._shared(force).copy()

    def _shared(self, force: bool = True) -> np.ndarray[Any, Any]:
        return self.detach().as_subclass(torch.Tensor).numpy(force=force)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        values = self._shared()
        return np.array(values, dtype=dtype, copy=copy) if dtype is not None or copy else values

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            data = self.detach().as_subclass(torch.Tensor).clone(memory_format=torch.preserve_format)
            memo[id(self)] = _made(type(self), data, self.requires_grad, self.__dict__)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        data = self.detach().as_subclass(torch.Tensor)
        return _made, (type(self), data, self.requires_grad, dict(self.__dict__))


class Parameter(Variable, torch.nn.Parameter):
    """A weight that training may change."""

    def __new__(cls, data: torch.Tensor, requires_grad: bool = True) -> Self:
        """Share the memory of `data`; integers never ask for a gradient."""
        return torch.Tensor._make_subclass(cls, data.detach(), requires_grad and data.is_floating_point())

    __repr__ = torch.nn.Parameter.__repr__
    __deepcopy__ = Variable.__deepcopy__
    __reduce_ex__ = Variable.__reduce_ex__


class State(Variable):
    """A tensor that changes by other means than gradients, such as a moving average; a buffer in torch's terms.

    >>> total = State.make(torch.zeros(()), "total", "mean/total")
    >>> total.assign_add(2.0).numpy()
    array(2., dtype=float32)
    """

    def __new__(cls, data: torch.Tensor, requires_grad: bool = False) -> Self:
        """Share the memory of `data`."""
        del requires_grad
        return data.detach().as_subclass(cls)

    @staticmethod
    def make(data: torch.Tensor, name: str, path: str = "") -> State:
        """`data` under a name; the memory is shared. Subclasses of tensors (DTensor) stay what they are."""
        state: Any = State(data) if type(data.detach()) is torch.Tensor else data.detach()
        state.name, state.path = name, path or name
        result: State = state
        return result

    @property
    def value(self) -> torch.Tensor:
        """The numbers, as a plain tensor on the same memory."""
        return self.detach().as_subclass(torch.Tensor)


def _made(cls: Any, data: torch.Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    variable = cls(data, requires_grad)
    variable.__dict__.update(attributes)
    return variable
