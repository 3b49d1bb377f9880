"""Tensors that last and have a name: weights, and the state of layers, metrics and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.naming import auto_name
from ramify.scopes import current


class Changes:
    """Counts what may make old knowledge of layers and weights wrong and that torch itself does not count.

    Attributes:
        count: goes up with every attribute that a layer is given, every hook, and every use of a variable's `data`.
        modes: goes up whenever a loop over data switches modules between training and inference.
    """

    count = 0
    modes = 0


_DATA: Any = torch.Tensor.data
_PLAIN_DEVICES = ("cpu", "cuda")


class Variable(torch.Tensor):
    """A tensor that lasts and answers what Keras users ask of a variable; layers' weights are such tensors, too.

    Made here, it is a `torch.nn.Parameter` where it is trainable, and a buffer of the layer that holds it otherwise.
    Nothing here costs anything when the variable is used: operations on it return plain tensors. Assigning works in
    place, so that whoever holds the tensor (an optimizer's list, a captured graph) sees the new numbers; only a value
    on another device moves the variable there.

    Args:
        initializer: the numbers, as a tensor, an array or a number; or an initializer, its name, or a function
            ``(shape, dtype=...) -> tensor``.
        shape: for an initializer: the sizes.
        dtype: that of the numbers when not given; with an initializer, the default float dtype.
        trainable: whether training changes it.
        autocast: whether a mixed policy hands it out in the dtype of computation.
        aggregation: accepted for Keras's sake; replicas are kept equal by `torch.distributed`.
        synchronization: likewise.
        name: a word without ``"/"``; made up when not given.
        layout: accepted for Keras's sake.
        **kwargs: attributes of the variable, such as ``constraint``.

    Attributes:
        name: the last part of the path, such as ``"kernel"``.
        path: where the variable lives, such as ``"encoder/dense/kernel"``.

    Raises:
        ArgumentError: an initializer without a shape, an unknown aggregation, or a name with ``"/"``.
        ShapeError: a size that is unknown.

    Example:

    >>> weight = Variable("ones", shape=(2,), name="weight")
    >>> weight.assign_add(1.0).tolist(), weight.trainable
    ([2.0, 2.0], True)
    """

    named: ClassVar[Callable[[Any], Any]]
    """`initializers.get`, which stands above this module and puts itself here."""

    # As torch.nn.Parameter does: operations give plain tensors, without a detour through Python.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    name = "variable"
    path = "variable"
    aggregation = "none"
    synchronization = "auto"
    autocast = True
    regularizer: Any = None
    constraint: Any = None
    overwrite_with_gradient = False
    lent: torch.Tensor | None = None
    """Shares its count of changes (`_version`) with all tensors that `data` gave out; ``None`` where there is none."""

    def __new__(
        cls,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A `Parameter` or a `State`."""
        del layout
        if aggregation not in _AGGREGATIONS:
            raise ArgumentError(f"Variable has no aggregation={aggregation!r}. Use one of {_AGGREGATIONS}.")
        name = name or auto_name("variable")
        if "/" in name:
            raise ArgumentError(f"A variable's name has no '/', but received {name!r}. Use `name_scope` for paths.")
        data = _data(initializer, shape, dtype, name)
        variable = Parameter(data, trainable) if trainable else State(data)
        given = {"aggregation": aggregation or "none", "synchronization": synchronization, "autocast": autocast}
        variable.__dict__.update(name=name, path="/".join((*current.names, name)), **given, **kwargs)
        return variable

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """All is done when the tensor is made."""

    @property
    def data(self) -> torch.Tensor:
        """The numbers as torch's `data` gives them: what is written there is not counted as a change of the variable.

        All that are given out have one count of changes together, which `lent` shows.
        """
        Changes.count += 1
        found: torch.Tensor = _DATA.__get__(self)
        if type(found) is not torch.Tensor or found.device.type not in _PLAIN_DEVICES or found.is_inference():
            return found
        known = self.lent
        if known is None or not known.is_set_to(found):
            known = self.__dict__["lent"] = found
        return known.detach()

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
        new = dtypes.from_numpy(value)
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
        if current.stateless:
            current.stateless[-1].hold(self)
        if isinstance(value, torch.Tensor) and value.ndim and value.device != self.device:
            self.move(value.device)

    def move(self, device: torch.device) -> Self:
        """Keep the numbers on `device` from now on."""
        self.data = self.data.to(device)
        return self

    def numpy(self, *, force: bool = True) -> np.ndarray[Any, Any]:
        """The numbers as an array of its own, without gradient: it stays as it is when training goes on.

        Waits for the device. bfloat16 and float8, which NumPy does not have, become float32.
        ``variable.detach().numpy()`` shares the memory, as with any tensor.
        """
        return self._shared().copy()

    def _shared(self) -> np.ndarray[Any, Any]:
        return dtypes.to_numpy(self.detach().as_subclass(torch.Tensor))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        values = self._shared()
        return np.array(values, dtype=dtype, copy=copy) if dtype is not None or copy else values

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            data = self.detach().as_subclass(torch.Tensor).clone(memory_format=torch.preserve_format)
            memo[id(self)] = _made(type(self), data, self.requires_grad, self._attributes())
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        data = self.detach().as_subclass(torch.Tensor)
        return _made, (type(self), data, self.requires_grad, self._attributes())

    def _attributes(self) -> dict[str, Any]:
        """What a copy takes over: all but the tensor that shares this one's memory."""
        return {name: value for name, value in self.__dict__.items() if name != "lent"}


_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


def _data(initializer: Any, shape: Any, dtype: Any, name: str) -> torch.Tensor:
    """The first numbers of a variable."""
    kind = None if dtype is None else dtypes.to_torch(dtype)
    if isinstance(initializer, torch.Tensor):
        return initializer.detach().as_subclass(torch.Tensor).to(kind or initializer.dtype, copy=True)
    if not (isinstance(initializer, (str, dict)) or callable(initializer)):
        plain = kind or (None if hasattr(initializer, "dtype") else _dtype_of(initializer))
        return torch.tensor(np.asarray(initializer), dtype=plain)
    if shape is None:
        raise ArgumentError(f"The variable '{name}' is made by an initializer, which needs a shape. Give `shape`.")
    sizes = tuple(shape) if isinstance(shape, (list, tuple, torch.Size)) else (shape,)
    if any(size is None for size in sizes):
        raise ShapeError(f"The variable '{name}' cannot have shape {sizes}: a size is unknown. Give a number.")
    made = Variable.named(initializer)(sizes, dtype=dtypes.name(kind or dtypes.to_torch(dtypes.floatx())))
    return torch.as_tensor(made, dtype=kind).detach()


def laid_out(data: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
    """The same numbers in the same shape, with the axes in another order in memory.

    Args:
        data: the numbers.
        axes: all axes, from the one whose neighbours are farthest apart in memory to the one where they are next to
            each other.

    Example:

    >>> laid_out(torch.zeros(2, 3, 4), (2, 0, 1)).stride()
    (3, 1, 6)
    """
    return data.permute(*axes).contiguous().permute(*sorted(range(len(axes)), key=axes.__getitem__))


def _dtype_of(numbers: Any) -> torch.dtype | None:
    """Plain floats have the default float dtype; other numbers what NumPy makes of them."""
    return dtypes.to_torch(dtypes.floatx()) if np.asarray(numbers).dtype.kind == "f" else None


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
