"""Which dtype comes out when dtypes meet, and how numbers, lists and arrays become tensors.

Two rules live side by side, because Keras on torch has both and results must carry its dtypes:

* *torch's own* (`promoted`): 64-bit dtypes stay, tensors without axes and Python numbers are weak. Arithmetic and
  comparisons use it.
* *the 32-bit lattice* (`unified`, `result_dtype`): JAX's lattice, in which 64-bit dtypes end as 32-bit ones. It holds
  for `maximum`, `matmul`, `floor_divide`, `arctan2` and others, as Keras has it. Only where `floatx` was set to
  ``"float64"`` do doubles stay doubles; Keras cuts them even then.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError, InputError
from ramify.graph import paused

Tensor = torch.Tensor
TensorLike = Any  # a tensor (symbolic ones too), a NumPy array, a Python number, or nested lists of them

_WIDTH = {
    torch.uint8: 8, torch.uint16: 16, torch.uint32: 32, torch.int8: 8, torch.int16: 16, torch.int32: 32,
    torch.int64: 64, torch.float16: 16, torch.bfloat16: 16, torch.float32: 32, torch.float64: 64,
}  # fmt: skip
_UNSIGNED = (torch.uint8, torch.uint16, torch.uint32)
_SIGNED = {8: torch.int8, 16: torch.int16, 32: torch.int32, 64: torch.int64}
_NARROW = {torch.int64: torch.int32, torch.uint64: torch.uint32, torch.float64: torch.float32}
_FLOATS = frozenset({torch.float32, torch.bfloat16, torch.float16})
_SETTLED = _FLOATS | {torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}

_known: dict[tuple[Any, ...], torch.dtype] = {}


def to_tensor(x: TensorLike, dtype: Any = None, device: torch.device | None = None) -> Tensor:
    """Any value as a tensor; a tensor as it is.

    Python numbers and lists become int32 (int64 where they need it), `floatx` or bool; arrays keep their dtype, but
    for uint16 and uint32, which torch cannot compute with and which become int32 and int64.

    Args:
        x: tensor, array, number, or nested lists of them.
        dtype: cast to it; ``None`` leaves the dtype as described.
        device: where a new tensor is put; torch's default device when not given. Tensors stay where they are.

    Raises:
        InputError: a value that is no number.

    Example:

    >>> to_tensor([1, 2]).dtype, to_tensor(1.5).dtype
    (torch.int32, torch.float32)
    """
    if not isinstance(x, Tensor):
        x = _number(x) if type(x) in (bool, int, float) else _array(x, device)
    return x if dtype is None else x.to(dtypes.to_torch(dtype))


def _number(x: float) -> Tensor:
    if isinstance(x, bool):
        return torch.tensor(x)
    if isinstance(x, int):
        return torch.tensor(x, dtype=torch.int32 if -(2**31) <= x < 2**31 else torch.int64)
    return torch.tensor(x, dtype=dtypes.to_torch(None))


def _array(x: Any, device: torch.device | None) -> Tensor:
    if isinstance(x, np.generic):  # NumPy's double is also Python's float
        return _number(float(x)) if isinstance(x, float) else _array(np.asarray(x), device)
    if _holds_tensor(x):
        return torch.stack(common([to_tensor(item, device=device) for item in x]))
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise InputError(
            f"A {type(x).__name__} cannot become a tensor: {error}. Nested lists need equal lengths."
        ) from None
    if dtypes.is_beyond_numpy(array):
        return dtypes.from_numpy(array).to(device)
    if array.dtype.kind not in "biufc":
        raise InputError(f"A {type(x).__name__} of dtype {array.dtype} cannot become a tensor. Give numbers.")
    return torch.as_tensor(_plain(array), dtype=_dtype_of(array, not isinstance(x, np.ndarray)), device=device)


def _holds_tensor(x: Any) -> bool:
    return isinstance(x, Tensor) or (isinstance(x, (list, tuple)) and any(_holds_tensor(item) for item in x))


def _plain(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Memory that torch can share without a warning."""
    fits = array.flags.writeable and all(stride >= 0 for stride in array.strides) and array.dtype.isnative
    if array.dtype in (np.uint16, np.uint32):
        return array.astype(np.int64)
    return array if fits else array.astype(array.dtype.newbyteorder("="), order="C", copy=True)


def _dtype_of(array: np.ndarray[Any, Any], weak: bool) -> torch.dtype | None:
    if array.dtype == np.uint16:
        return torch.int32
    if not weak:
        return None
    if array.dtype.kind == "f":
        return dtypes.to_torch(None)
    if array.dtype.kind == "c":
        return torch.complex64
    small = array.dtype.kind == "i" and (not array.size or (array.min() >= -(2**31) and array.max() < 2**31))
    return torch.int32 if small else None


def _lattice(items: tuple[Any, ...], floatx: str) -> torch.dtype:
    weak = {item for item in items if item in (bool, int, float)}
    strong = [dtypes.to_torch(item or floatx) for item in items if item not in weak]
    found: torch.dtype = functools.reduce(_meet, strong) if strong else torch.bool
    if float in weak and not (found.is_floating_point or found.is_complex):
        return dtypes.to_torch(floatx)
    if int in weak and found == torch.bool:
        return torch.int32
    return found if found == torch.float64 and floatx == "float64" else _NARROW.get(found, found)


def _meet(a: torch.dtype, b: torch.dtype) -> torch.dtype:
    if _UNSIGNED[1] not in (a, b) and _UNSIGNED[2] not in (a, b):
        return torch.promote_types(a, b)
    if a not in _WIDTH or b not in _WIDTH or a.is_floating_point or b.is_floating_point:  # bool, floats, complex
        return a if b == torch.bool or (a not in _UNSIGNED and a != torch.bool) else b
    if a in _UNSIGNED and b in _UNSIGNED:
        return max(a, b, key=_WIDTH.__getitem__)
    signed, unsigned = (b, a) if a in _UNSIGNED else (a, b)
    return _SIGNED[min(64, max(_WIDTH[signed], 2 * _WIDTH[unsigned]))]


def result_dtype(*items: Any) -> torch.dtype:
    """The dtype in the 32-bit lattice that several dtypes meet in.

    Args:
        *items: `torch.dtype` or names; the Python types ``bool``, ``int`` and ``float`` are weak: they widen the kind
            (to int32, to `floatx`) and never the width. ``None`` stands for `floatx`.

    Example:

    >>> result_dtype("int32", "float16"), result_dtype("int8", int), result_dtype("int64", float)
    (torch.float16, torch.int8, torch.float32)
    """
    key = (items, dtypes.floatx())
    found = _known.get(key)  # a dictionary, for torch.compile warns of functools' cache
    if found is None:
        found = _known[key] = _lattice(*key)
    return found


def kind(x: TensorLike) -> Any:
    """What a value counts as in `result_dtype`: a number's Python type, anything else's dtype."""
    if isinstance(x, Tensor):
        return x.dtype
    return type(x) if type(x) in (bool, int, float) else to_tensor(x).dtype


def promoted(x: TensorLike, y: TensorLike) -> tuple[Any, Any]:
    """Two operands for a Python operator under torch's own rule; at least one of them is a tensor.

    A number that cannot change the dtype stays a number, which saves a tensor.
    """
    if isinstance(x, Tensor):
        return x, y if isinstance(y, Tensor) else _beside(x, y)
    if isinstance(y, Tensor):
        return _beside(y, x), y
    return to_tensor(x), to_tensor(y)


def _beside(x: Tensor, y: Any) -> Any:
    if type(y) in (bool, int, float):
        floating = x.is_floating_point() or x.is_complex()
        weak = floating or type(y) is bool or (type(y) is int and x.dtype != torch.bool and -(2**31) <= y < 2**31)
        return y if weak else _number(y)
    return to_tensor(y, device=x.device)


def tensors(*values: TensorLike) -> list[Tensor]:
    """Every value as a tensor, arrays and lists on the device of the first tensor among them."""
    device = next((value.device for value in values if isinstance(value, Tensor)), None)
    return [value if isinstance(value, Tensor) else to_tensor(value, device=device) for value in values]


def common(values: list[Tensor]) -> list[Tensor]:
    """Tensors cast to the dtype that torch promotes them to."""
    first = values[0].dtype
    if all(value.dtype == first for value in values):
        return values
    dtype = functools.reduce(torch.promote_types, [value.dtype for value in values])
    return [value.to(dtype) for value in values]


def unified(x: TensorLike, y: TensorLike, floating: bool = False) -> tuple[Tensor, Tensor]:
    """Two tensors cast to their dtype in the 32-bit lattice.

    Args:
        x: first value.
        y: second value.
        floating: whether integers and booleans count as `floatx`.
    """
    if isinstance(x, Tensor) and x.dtype in _FLOATS and type(y) in (bool, int, float):
        return x, torch.tensor(y, dtype=x.dtype)
    settled = _FLOATS if floating else _SETTLED
    if isinstance(x, Tensor) and isinstance(y, Tensor) and x.dtype == y.dtype and x.dtype in settled:
        return x, y
    dtype = result_dtype(kind(x), kind(y), *((float,) if floating else ()))
    a, b = tensors(x, y)
    return a.to(dtype), b.to(dtype)


def as_float(x: TensorLike, int64: torch.dtype | None = None) -> Tensor:
    """A tensor of a floating (or complex) dtype; integers and booleans become `floatx`.

    Args:
        x: any value.
        int64: what int64 becomes, where that is something else.
    """
    x = to_tensor(x)
    if x.is_floating_point() or x.is_complex():
        return x
    return x.to(int64 if int64 is not None and x.dtype == torch.int64 else dtypes.to_torch(None))


def as_float32(x: TensorLike) -> Tensor:
    """As `as_float` in the 32-bit lattice: doubles become float32 too."""
    x = to_tensor(x)
    return x if x.is_floating_point() and x.dtype != torch.float64 else x.to(result_dtype(x.dtype, float))


def constant(x: Any) -> Any:
    """Sizes, places or counts as Python numbers, out of an array or a tensor; anything else as it is.

    A tensor that is a constant of a graph tells its numbers while shapes are inferred; one that depends on data stays.
    """
    if isinstance(x, Tensor):
        with paused():
            return x if x.is_meta else x.tolist()
    if isinstance(x, (list, tuple)):
        return [constant(item) for item in x]
    return x.tolist() if isinstance(x, (np.ndarray, np.generic)) else x


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as a tuple of numbers from 0; all of them for ``None``.

    Raises:
        ArgumentError: an axis that the tensor does not have, or one that is named twice.
    """
    if axis is None:
        return tuple(range(rank))
    if isinstance(axis, int) and -rank <= axis < rank:
        return (axis % rank,)
    if rank == 0 and axis in (0, -1):  # NumPy and torch let a number have one
        return ()
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in given):
        raise ArgumentError(f"axis={axis} does not exist in a tensor of {rank} axes. Use -{rank} to {rank - 1}.")
    axes = tuple(a % rank for a in given)
    if len(set(axes)) < len(axes):
        raise ArgumentError(f"axis={axis} names an axis twice. Name each once.")
    return axes
