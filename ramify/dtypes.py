"""Dtype names and the defaults that Keras calls ``floatx`` and ``epsilon``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError

_NAMES = (
    "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128 "
    "float8_e4m3fn float8_e5m2"
).split()
_TORCH: dict[Any, torch.dtype] = {name: getattr(torch, name) for name in _NAMES}
_TORCH |= {dtype: dtype for dtype in list(_TORCH.values())}
_TORCH |= {float: torch.float32, int: torch.int32, bool: torch.bool}
_NAME = {dtype: name for name, dtype in _TORCH.items() if isinstance(name, str)}

_BEYOND_NUMPY = frozenset((torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2))

_defaults: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7}


def to_torch(dtype: Any) -> torch.dtype:
    """The `torch.dtype` that a name, a NumPy dtype or a Python type stands for; `floatx` for ``None``.

    >>> to_torch("bfloat16")
    torch.bfloat16
    """
    if dtype is None:
        dtype = _defaults["floatx"]
    try:
        return _TORCH[dtype]
    except (KeyError, TypeError):
        pass
    text = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    text = text.removeprefix("torch.").removesuffix("_")
    if text in _TORCH:
        return _TORCH[text]
    raise ArgumentError(f"Unknown dtype {dtype!r}. Use one of {', '.join(_NAMES)}.")


def name(dtype: Any) -> str:
    """The name of a dtype as Keras writes it: ``"float32"``, ``"bool"``; `floatx` for ``None``."""
    return _NAME[to_torch(dtype)]


def to_numpy(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """The numbers as an array, on the tensor's memory where that can be; waits for the device.

    bfloat16 and float8, which NumPy does not have, become float32.
    """
    plain = tensor.detach()
    array: np.ndarray[Any, Any] = (plain.float() if plain.dtype in _BEYOND_NUMPY else plain).numpy(force=True)
    return array


def from_numpy(values: Any) -> torch.Tensor:
    """A tensor of an array or of nested lists; bfloat16 and float8 may be dtypes that a package gave NumPy.

    >>> from_numpy(np.ones(2, "float16")).dtype
    torch.float16
    """
    if isinstance(values, torch.Tensor):
        return values
    array = np.asarray(values)
    if is_beyond_numpy(array):
        return torch.as_tensor(array.astype(np.float32)).to(_TORCH[array.dtype.name])
    return torch.as_tensor(array)


def is_beyond_numpy(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array has a dtype that a package gave NumPy, such as bfloat16."""
    return array.dtype.kind == "V" and array.dtype.name in _TORCH


def floatx() -> str:
    """The default float dtype, ``"float32"`` unless it was set."""
    value: str = _defaults["floatx"]
    return value


def set_floatx(value: str) -> None:
    """Set the default float dtype: ``"bfloat16"``, ``"float16"``, ``"float32"`` or ``"float64"``."""
    if value not in ("bfloat16", "float16", "float32", "float64"):
        raise ArgumentError(f"floatx cannot be {value!r}. Use 'bfloat16', 'float16', 'float32' or 'float64'.")
    _defaults["floatx"] = value


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, ``1e-7`` unless it was set."""
    value: float = _defaults["epsilon"]
    return value


def set_epsilon(value: float) -> None:
    """Set what `epsilon` returns."""
    _defaults["epsilon"] = float(value)
