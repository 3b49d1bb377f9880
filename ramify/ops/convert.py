"""Between Python's and NumPy's values, tensors and dtypes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph import SymbolicTensor, is_symbolic
from ramify.graph.structure import flatten
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "saturate_cast", "shape", "stop_gradient",
]  # fmt: skip


def like(first: Any, *others: Any) -> tuple[Tensor, ...]:
    """Several values as tensors, on the device of the first tensor among them."""
    values = (first, *others)
    known = next((value for value in values if isinstance(value, Tensor)), None)
    device = None if known is None else known.device
    return tuple(to_tensor(value, device=device) for value in values)


def floating(x: Any) -> Tensor:
    """The value as a tensor of floating-point (or complex) numbers; whole ones become `floatx`."""
    x = to_tensor(x)
    return x if x.is_floating_point() or x.is_complex() else x.to(dtypes.to_torch(None))


def wide(x: Any) -> Tensor:
    """The same, and half precision as float32: for sums, and for what torch computes in no other dtype."""
    x = floating(x)
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


@op
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Tensor:
    """A tensor of a number, an array, nested lists or a tensor.

    Args:
        x: what to convert. Python floats become `floatx`, ints int32; arrays keep their dtype.
        dtype: the dtype of the result; ``None`` keeps what `x` has.
        sparse: only ``None`` or ``False``: all tensors are dense.
        ragged: likewise.

    Returns:
        A tensor; `x` itself where nothing needs to change.

    Raises:
        ArgumentError: a sparse or ragged tensor is asked for.

    >>> convert_to_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    if sparse or ragged:
        raise ArgumentError(
            f"convert_to_tensor makes dense tensors only, but got sparse={sparse}, ragged={ragged}. Leave both out."
        )
    return to_tensor(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """A NumPy array of a tensor, a number or nested lists; waits for the device.

    bfloat16 and float8, which NumPy does not have, become float32.

    >>> convert_to_numpy(torch.tensor([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    if not isinstance(x, Tensor):
        if is_symbolic(x):
            raise ArgumentError("convert_to_numpy takes real tensors, but got a symbolic one. Run the model first.")
        if isinstance(x, (list, tuple)) and any(isinstance(leaf, Tensor) for leaf in flatten(x)):
            return np.asarray([convert_to_numpy(item) for item in x])
        return np.asarray(x)
    return dtypes.to_numpy(x)


@op
def cast(x: Any, dtype: Any) -> Tensor:
    """The numbers of `x` in another dtype; fractions are cut off towards zero.

    Args:
        x: tensor of any shape.
        dtype: name or `torch.dtype`.

    Returns:
        A tensor of the same shape.

    >>> cast(torch.tensor([1.7, -1.2]), "int32")
    tensor([ 1, -1], dtype=torch.int32)
    """
    return to_tensor(x).to(dtypes.to_torch(dtype))


@op
def saturate_cast(x: Any, dtype: Any) -> Tensor:
    """As `cast`, but what lies outside the range of the dtype becomes its nearest end.

    Args:
        x: tensor of any shape.
        dtype: name or `torch.dtype`.

    Returns:
        A tensor of the same shape.

    >>> saturate_cast(torch.tensor([300.0, -4.0]), "uint8")
    tensor([255,   0], dtype=torch.uint8)
    """
    x, wanted = to_tensor(x), dtypes.to_torch(dtype)
    if wanted == torch.bool or x.dtype in {torch.bool, wanted} or x.is_complex():
        return x.to(wanted)
    if wanted.is_floating_point:
        ends = torch.finfo(wanted)
        return x.to(wanted) if not x.is_floating_point() else x.clamp(*_within(x.dtype, ends.min, ends.max)).to(wanted)
    low, high = torch.iinfo(wanted).min, torch.iinfo(wanted).max
    if not x.is_floating_point():
        return x.clamp(*_within(x.dtype, low, high)).to(wanted)
    # Float formats may not hold the largest integer: what reaches it is put in after the conversion.
    whole = x.nan_to_num(nan=0.0).clamp(*_within(x.dtype, low, high))
    made = torch.where(whole >= high, torch.zeros_like(whole), whole).to(wanted)
    return torch.where(whole >= high, torch.full_like(made, high), made)


def _within(dtype: torch.dtype, low: float, high: float) -> tuple[float, float]:
    """The part of a range that a dtype has."""
    ends = torch.finfo(dtype) if dtype.is_floating_point else torch.iinfo(dtype)
    return max(low, ends.min), min(high, ends.max)


def dtype(x: Any) -> str:
    """The dtype of a tensor, symbolic or real, by name.

    >>> dtype(torch.zeros(2))
    'float32'
    """
    return dtypes.name(x.dtype if hasattr(x, "dtype") else to_tensor(x).dtype)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a real tensor: not an array, nor a symbolic tensor.

    >>> is_tensor(torch.zeros(2)), is_tensor([1.0])
    (True, False)
    """
    return isinstance(x, Tensor)


def shape(x: Any) -> tuple[Any, ...]:
    """The sizes of a tensor; of a symbolic one the unknown sizes are values to calculate with.

    Args:
        x: tensor of any shape, symbolic or real.

    Returns:
        A tuple of ints, with symbolic sizes in place of those that are unknown until data arrives.

    >>> shape(torch.zeros(2, 3))
    (2, 3)
    """
    if isinstance(x, SymbolicTensor):
        return tuple(x.size())
    return tuple(x.shape) if hasattr(x, "shape") else tuple(to_tensor(x).shape)


@op
def stop_gradient(variable: Any) -> Tensor:
    """The same numbers, through which no gradient flows back.

    >>> x = torch.ones(2, requires_grad=True)
    >>> stop_gradient(x).requires_grad
    False
    """
    return to_tensor(variable).detach()


def sizes_of(shape: Any) -> tuple[int, ...]:
    """A shape given as ints, a sequence of ints or of size-one tensors, or as one tensor, in plain ints."""
    if isinstance(shape, Tensor):
        shape = shape.tolist()
    if isinstance(shape, np.ndarray):
        shape = shape.tolist()
    with contextlib.suppress(TypeError):
        return (int(shape),)
    values: Iterable[Any] = shape
    return tuple(int(size) for size in values)
