"""Products of vectors, matrices and tensors.

Dtypes meet in the 32-bit lattice. torch multiplies matrices of floats only on a GPU, and no booleans anywhere, so these
go through another dtype and back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, kind, result_dtype, tensors, to_tensor, unified

__all__ = [
    "correlate", "cross", "dot", "einsum", "inner", "kron", "matmul", "outer", "slogdet", "tensordot", "trace",
    "vander", "vdot",
]  # fmt: skip


def _computed(function: Callable[..., Tensor], *operands: Tensor) -> Tensor:
    """Run a product in a dtype that torch has a kernel for, and return the operands' own."""
    dtype = operands[0].dtype
    if dtype.is_floating_point or dtype.is_complex:
        return function(*operands)
    through = torch.float64 if operands[0].is_cuda else torch.int32 if dtype == torch.bool else dtype
    result = function(*[operand.to(through) for operand in operands])
    return result != 0 if dtype == torch.bool else result.to(dtype)


def _int8_as_int32(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return (a.int(), b.int()) if a.dtype == torch.int8 else (a, b)


@op
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The matrix product over the last axis of `x1` and the last but one of `x2`; axes before broadcast.

    Two int8 tensors give int32; booleans give where any product is true.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    tensor([[11.]])
    """
    if isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.dtype == x2.dtype == torch.float32:
        return torch.matmul(x1, x2)
    both = kind(x1) == kind(x2) == torch.int8
    a, b = unified(x1, x2)
    return _computed(torch.matmul, *(_int8_as_int32(a, b) if both else (a, b)))


@op
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum over the last axis of `x1` and the last but one of `x2` (its last, if it has one); no broadcasting.

    With a number on either side it is a multiplication.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    tensor(11.)
    """
    a, b = unified(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2:
        return _computed(torch.matmul, a, b)
    return _computed(lambda p, q: torch.tensordot(p, q, dims=([-1], [-2])), a, b)


@op
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of the products of all values, the first conjugated.

    >>> vdot([[1.0, 2.0]], [[3.0, 4.0]])
    tensor(11.)
    """
    a, b = unified(x1, x2)
    return _computed(torch.matmul, torch.conj(a).reshape(-1), b.reshape(-1))


@op
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sums of products over the last axes; with a number on either side a multiplication.

    >>> inner([1.0, 2.0], [3.0, 4.0])
    tensor(11.)
    """
    a, b = unified(x1, x2)
    return a * b if a.ndim == 0 or b.ndim == 0 else _computed(torch.inner, a, b)


@op
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """All products of a value of `x1` (rows) and one of `x2` (columns), both flattened.

    >>> outer([1.0, 2.0], [3.0, 4.0])
    tensor([[3., 4.],
            [6., 8.]])
    """
    a, b = tensors(x1, x2)
    return torch.outer(a.reshape(-1), b.reshape(-1))


@op
def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sums of products over pairs of axes.

    Args:
        x1: first tensor.
        x2: second tensor.
        axes: how many last axes of `x1` meet the first ones of `x2`, or the axes of each: ``[[1, 2], [1, 0]]``.

    Returns:
        The remaining axes of `x1`, then those of `x2`.

    >>> tensordot([[1.0, 2.0]], [[3.0], [4.0]], axes=1)
    tensor([[11.]])
    """
    a, b = unified(x1, x2)
    dims: Any = axes if isinstance(axes, int) else [[side] if isinstance(side, int) else list(side) for side in axes]
    return _computed(lambda p, q: torch.tensordot(p, q, dims=dims), a, b)


@op
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:  # noqa: ARG001 - Keras's signature
    """Sums of products in Einstein's notation, such as ``"bij,bjk->bik"``.

    Args:
        subscripts: a letter for each axis; letters missing after the arrow are summed over.
        *operands: tensors. int8 alone gives int32.
        **kwargs: taken for compatibility (``optimize``) and not used: torch finds the order.

    >>> einsum("ij,j->i", [[1.0, 2.0]], [3.0, 4.0])
    tensor([11.])
    """
    values = tensors(*operands)
    dtype = values[0].dtype
    if any(value.dtype != dtype for value in values) or dtype in (torch.int64, torch.float64):
        dtype = result_dtype(*[value.dtype for value in values])
    elif dtype == torch.int8:
        dtype = torch.int32
    return _computed(lambda *parts: torch.einsum(subscripts, *parts), *[value.to(dtype) for value in values])


@op
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The Kronecker product: every value of `x1` times all of `x2`, in blocks.

    >>> kron([1.0, 2.0], [1.0, 3.0])
    tensor([1., 3., 2., 6.])
    """
    return torch.kron(*tensors(x1, x2))


@op
def cross(
    x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """The cross product of vectors of three (or two) components.

    Args:
        x1: first vectors.
        x2: second vectors.
        axisa: where the components of `x1` stand.
        axisb: where the components of `x2` stand.
        axisc: where those of the result stand.
        axis: all three at once.

    Returns:
        The vectors at right angles to both; for two vectors of two components their third component alone.

    Raises:
        ArgumentError: vectors of another number of components.

    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = unified(x1, x2)
    a, b = a.movedim(axisa, -1), b.movedim(axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not {*sizes} <= {2, 3}:
        raise ArgumentError(f"`cross` takes vectors of 2 or 3 components, not of {sizes[0]} and {sizes[1]}.")
    if sizes == (2, 2):
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (torch.cat((v, torch.zeros_like(v[..., :1])), -1) if v.shape[-1] == 2 else v for v in (a, b))
    return torch.linalg.cross(*torch.broadcast_tensors(a, b), dim=-1).movedim(-1, axisc)


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal of the matrices that two axes span; small integers add up as int32.

    Args:
        x: tensor of at least two axes.
        offset: which diagonal; above the main one when positive.
        axis1: the rows.
        axis2: the columns.

    >>> trace([[1.0, 2.0], [3.0, 4.0]])
    tensor(5.)
    """
    x = torch.diagonal(to_tensor(x), offset, axis1, axis2)
    floating = x.is_floating_point() or x.is_complex() or x.dtype == torch.int64
    return torch.sum(x, dim=-1, dtype=x.dtype if floating else torch.int32)


@op
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: the powers of each value in a row.

    Args:
        x: tensor of one axis.
        N: how many powers; as many as there are values when ``None``.
        increasing: whether powers rise from 0 along the row, or fall to it.

    >>> vander([1, 2, 3], N=2)
    tensor([[1, 1],
            [2, 1],
            [3, 1]], dtype=torch.int32)
    """
    x = to_tensor(x)
    powers = torch.arange(x.shape[0] if N is None else int(N), device=x.device)
    powers = powers if increasing else powers.flip(0)
    dtype = result_dtype(x.dtype)
    return torch.pow(x.to(torch.int32 if dtype == torch.bool else dtype)[:, None], powers).to(dtype)


@op
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """The sums of products of one sequence and another that slides along it, as floats.

    Args:
        x1: sequence.
        x2: the sequence that slides, conjugated.
        mode: ``"full"``: wherever they overlap; ``"same"``: as many as the longer has, in the middle of that;
            ``"valid"``: where they overlap completely.

    Raises:
        ArgumentError: another mode.

    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5], mode="same")
    tensor([2.0000, 3.5000, 3.0000])
    """
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"mode={mode!r} is not known. Use 'valid', 'same' or 'full'.")
    a, b = unified(x1, x2, floating=True)
    flipped = a.shape[0] < b.shape[0]
    long, short = (b, a) if flipped else (a, b)
    small, large = short.shape[0], long.shape[0]
    full = torch.nn.functional.conv1d(long[None, None], torch.conj(short).resolve_conj()[None, None], padding=small - 1)
    full = full[0, 0].flip(0) if flipped else full[0, 0]
    if mode == "full":
        return full
    if mode == "valid":
        return full[small - 1 : large]
    start = small // 2 if flipped else (small - 1) // 2
    return full[start : start + large]


@op
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The sign and the logarithm of the absolute value of the determinants of square matrices.

    >>> slogdet([[2.0, 0.0], [0.0, 3.0]])
    (tensor(1.), tensor(1.7918))
    """
    sign, logarithm = torch.linalg.slogdet(to_tensor(x))
    return sign, logarithm
