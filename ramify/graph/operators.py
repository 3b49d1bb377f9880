"""What Python can do with a symbolic tensor: arithmetic, comparison and indexing record calls; the rest is refused."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from ramify.errors import SymbolicValueError


def _forward(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *others: Any) -> Any:
        return self._record(function, self, *others)

    return method


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return self._record(function, other, self)

    return method


class Operators:
    """Mixin: every operator becomes a recorded call of the function of that name in `operator`."""

    __slots__ = ()

    def _record(self, function: Callable[..., Any], *args: Any) -> Any:
        raise AssertionError("a class with operators defines how calls are recorded")  # pragma: no cover

    __add__, __radd__ = _forward(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _forward(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _forward(operator.mul), _reflected(operator.mul)
    __truediv__, __rtruediv__ = _forward(operator.truediv), _reflected(operator.truediv)
    __floordiv__, __rfloordiv__ = _forward(operator.floordiv), _reflected(operator.floordiv)
    __mod__, __rmod__ = _forward(operator.mod), _reflected(operator.mod)
    __pow__, __rpow__ = _forward(operator.pow), _reflected(operator.pow)
    __neg__, __pos__ = _forward(operator.neg), _forward(operator.pos)


class TensorOperators(Operators):
    """Mixin: what tensors answer beyond arithmetic, and clear refusals for what needs numbers."""

    __slots__ = ()
    __array_ufunc__ = None  # so that `array + x` is asked of `x`

    __matmul__, __rmatmul__ = _forward(operator.matmul), _reflected(operator.matmul)
    __and__, __rand__ = _forward(operator.and_), _reflected(operator.and_)
    __or__, __ror__ = _forward(operator.or_), _reflected(operator.or_)
    __xor__, __rxor__ = _forward(operator.xor), _reflected(operator.xor)
    __invert__, __abs__ = _forward(operator.invert), _forward(operator.abs)
    __lt__, __le__ = _forward(operator.lt), _forward(operator.le)
    __gt__, __ge__ = _forward(operator.gt), _forward(operator.ge)
    __getitem__ = _forward(operator.getitem)
    reshape, squeeze = _forward(torch.Tensor.reshape), _forward(torch.Tensor.squeeze)

    def _refuse(self, doing: str, mend: str) -> Any:
        raise SymbolicValueError(f"{doing} a symbolic tensor is not possible: {self!r} has no values yet. {mend}")

    def __bool__(self) -> bool:
        mend = "Compute both branches and select with `torch.where`, or put the Python code into a layer's `call`."
        return bool(self._refuse("Branching (`if`, `while`, `and`, `not`) on", mend))

    def __float__(self) -> float:
        return float(self._refuse("Taking a number from", "Keep it a tensor and use operations on it."))

    def __int__(self) -> int:
        return int(self._refuse("Taking a number from", "Keep it a tensor and use operations on it."))

    def __array__(self, *_: Any, **__: Any) -> Any:
        mend = "Use functions of `ramify.ops` or `torch` instead of NumPy, or a `Lambda` layer."
        return self._refuse("A NumPy function of", mend)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._refuse("Assigning into", "Build a new tensor with `torch.where`, `torch.cat` or `index_put`.")

    def __len__(self) -> int:
        size = getattr(self, "shape", (None,))[0] if getattr(self, "shape", ()) else None
        if size is None:
            self._refuse("`len` of the unknown first axis of", "Use `x.size(0)`, which stays symbolic.")
        return int(size)  # type: ignore[arg-type]

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def __contains__(self, item: Any) -> bool:
        return bool(self._refuse("`in` with", "Compare with `==`-like operations such as `torch.eq`."))
