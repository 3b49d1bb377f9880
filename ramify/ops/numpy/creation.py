"""New tensors: filled, counted, spaced; `dtype` is a name or a `torch.dtype`, `floatx` where nothing else is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify import dtypes
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, constant, kind, result_dtype, tensors, to_tensor

__all__ = [
    "arange", "array", "copy", "empty", "empty_like", "eye", "full", "full_like", "geomspace", "identity", "linspace",
    "logspace", "meshgrid", "ones", "ones_like", "tri", "zeros", "zeros_like",
]  # fmt: skip

ShapeLike = int | Sequence[int]


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape given as a number, a sequence or an array of numbers."""
    sizes = constant(shape)
    return (sizes,) if isinstance(sizes, int) else tuple(map(int, sizes))


@op
def array(x: TensorLike, dtype: Any = None) -> Tensor:
    """Any value as a tensor.

    Args:
        x: tensor, array, number, nested lists of numbers.
        dtype: of the result; whole numbers become int32 and others `floatx` when not given, arrays keep theirs.

    >>> array([1, 2])
    tensor([1, 2], dtype=torch.int32)
    """
    return to_tensor(x, dtype)


@op
def copy(x: TensorLike) -> Tensor:
    """A tensor of the same values in memory of its own.

    >>> copy([1.0])
    tensor([1.])
    """
    return torch.clone(to_tensor(x))


@op
def zeros(shape: ShapeLike, dtype: Any = None) -> Tensor:
    """A tensor of zeros.

    >>> zeros((2,))
    tensor([0., 0.])
    """
    return torch.zeros(shape_of(shape), dtype=dtypes.to_torch(dtype))


@op
def ones(shape: ShapeLike, dtype: Any = None) -> Tensor:
    """A tensor of ones.

    >>> ones((2,), dtype="int32")
    tensor([1, 1], dtype=torch.int32)
    """
    return torch.ones(shape_of(shape), dtype=dtypes.to_torch(dtype))


@op
def empty(shape: ShapeLike, dtype: Any = None) -> Tensor:
    """A tensor of arbitrary values.

    >>> empty((2, 3)).shape
    torch.Size([2, 3])
    """
    return torch.empty(shape_of(shape), dtype=dtypes.to_torch(dtype))


@op
def full(shape: ShapeLike, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor of one value, or of values that broadcast to the shape.

    >>> full((2,), 7)
    tensor([7., 7.])
    """
    value = to_tensor(fill_value).to(dtypes.to_torch(dtype))
    return value.expand(shape_of(shape)).clone()


@op
def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Zeros in the shape, and the dtype, of another tensor.

    >>> zeros_like([1.0, 2.0])
    tensor([0., 0.])
    """
    return torch.zeros_like(to_tensor(x), dtype=_given(dtype))


@op
def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Ones in the shape, and the dtype, of another tensor.

    >>> ones_like([3.0, 2.0])
    tensor([1., 1.])
    """
    return torch.ones_like(to_tensor(x), dtype=_given(dtype))


@op
def empty_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Arbitrary values in the shape, and the dtype, of another tensor.

    >>> empty_like([1.0, 2.0]).shape
    torch.Size([2])
    """
    return torch.empty_like(to_tensor(x), dtype=_given(dtype))


@op
def full_like(x: TensorLike, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """One value, or values that broadcast, in the shape and the dtype of another tensor.

    >>> full_like([1.0, 2.0], 5)
    tensor([5., 5.])
    """
    x = to_tensor(x)
    value = to_tensor(fill_value, device=x.device).to(device=x.device, dtype=_given(dtype) or x.dtype)
    return value.expand(x.shape).clone()


def _given(dtype: Any) -> torch.dtype | None:
    return None if dtype is None else dtypes.to_torch(dtype)


@op
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on a diagonal, zeros elsewhere.

    Args:
        N: rows.
        M: columns; as many as rows when ``None``.
        k: which diagonal; above the main one when positive.
        dtype: of the result.

    >>> eye(2, 3, k=1)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    return _at(N, M, lambda row, column: column - row == k, dtype)


@op
def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix of n rows.

    >>> identity(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return torch.eye(int(n), dtype=dtypes.to_torch(dtype))


@op
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on and below a diagonal, zeros above.

    Args:
        N: rows.
        M: columns; as many as rows when ``None``.
        k: which diagonal; above the main one when positive.
        dtype: of the result.

    >>> tri(2, 3)
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _at(N, M, lambda row, column: column - row <= k, dtype)


def _at(rows: int, columns: int | None, where: Any, dtype: Any) -> Tensor:
    row = torch.arange(int(rows))[:, None]
    column = torch.arange(int(rows if columns is None else columns))
    return where(row, column).to(dtypes.to_torch(dtype))


@op
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Numbers from `start` to before `stop`.

    Args:
        start: the first number; with only one argument the end, and numbers start at 0.
        stop: the end, which is left out.
        step: distance, 1 when ``None``.
        dtype: of the result; that of the arguments together when not given (int32 for whole numbers).

    >>> arange(3), arange(0, 1, 0.5)
    (tensor([0, 1, 2], dtype=torch.int32), tensor([0.0000, 0.5000]))
    """
    if dtype is None:
        dtype = result_dtype(*[_dtype(number) for number in (start, stop, step) if number is not None])
    first, last = (0, start) if stop is None else (start, stop)
    return torch.arange(first, last, 1 if step is None else step, dtype=dtypes.to_torch(dtype))


def _dtype(number: Any) -> Any:
    return kind(number) if not isinstance(number, int) or isinstance(number, bool) else int


@op
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Evenly spaced numbers.

    Args:
        start: the first; tensors make one row each.
        stop: the last.
        num: how many.
        endpoint: whether `stop` is the last of them, or the first that is left out.
        retstep: whether the distance is returned too.
        dtype: of the result; a float when not given.
        axis: where the new axis goes.

    Returns:
        The numbers, or with `retstep` a tuple of them and their distance (NaN where there is none).

    >>> linspace(0, 10, 5)
    tensor([ 0.0000,  2.5000,  5.0000,  7.5000, 10.0000])
    """
    kinds = [kind(start), kind(stop), float]
    a, b = (value.to(result_dtype(*kinds)) for value in tensors(start, stop))
    parts = num - 1 if endpoint else num
    a, b = torch.broadcast_tensors(a, b)
    if parts > 0:
        step = (b - a) / parts
        where = torch.arange(num, dtype=a.dtype, device=a.device).reshape(-1, *[1] * a.ndim)
        near = (
            a + where * step
            if not endpoint
            else torch.where(where < num / 2, a + where * step, b - (parts - where) * step)
        )
    else:
        step = torch.full_like(a, float("nan"))
        near = a.expand(num, *a.shape).clone()
    result = torch.movedim(near, 0, axis).to(a.dtype if dtype is None else dtypes.to_torch(dtype))
    return (result, step) if retstep else result


@op
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: TensorLike = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Numbers with evenly spaced logarithms, from ``base ** start`` to ``base ** stop``.

    Args:
        start: logarithm of the first.
        stop: logarithm of the last.
        num: how many.
        endpoint: whether the last belongs to them.
        base: of the logarithm.
        dtype: of the result; a float when not given.
        axis: where the new axis goes.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    exponents = linspace(start, stop, num, endpoint, axis=axis, dtype=_wide(dtype))
    result = torch.pow(to_tensor(base, device=exponents.device), exponents)
    return result if dtype is None else result.to(dtypes.to_torch(dtype))


def _wide(dtype: Any) -> Any:
    """Spacing is computed in floats, whatever comes out."""
    return dtype if dtype is not None and dtypes.to_torch(dtype).is_floating_point else None


@op
def geomspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """Numbers that each are the one before times the same factor.

    Args:
        start: the first; not 0.
        stop: the last; of the same sign.
        num: how many.
        endpoint: whether `stop` belongs to them.
        dtype: of the result; a float when not given.
        axis: where the new axis goes.

    >>> geomspace(1, 100, 3)
    tensor([  1.,  10., 100.])
    """
    wide = result_dtype(kind(start), kind(stop), float)
    a, b = (value.to(wide) for value in tensors(start, stop))
    a, b = torch.broadcast_tensors(a, b)
    result = logspace(torch.log10(a.abs()), torch.log10(b.abs()), num, endpoint, dtype=_wide(dtype), axis=0)
    result = torch.movedim(result * torch.sign(a), 0, axis)
    return result if dtype is None else result.to(dtypes.to_torch(dtype))


@op
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of a grid out of the coordinates along its axes.

    Args:
        *x: one-dimensional tensors.
        indexing: ``"xy"`` lets the first run along columns, ``"ij"`` along rows.

    Returns:
        One tensor per argument, all of the grid's shape.

    >>> meshgrid([1, 2], [3, 4])[0]
    tensor([[1, 2],
            [1, 2]], dtype=torch.int32)
    """
    lines = [line.reshape(-1) for line in tensors(*x)]
    rows = list(lines)
    if indexing == "xy" and len(rows) > 1:
        rows[:2] = rows[1::-1]
    shape = [line.shape[0] for line in rows]
    order = [1, 0, *range(2, len(lines))] if indexing == "xy" and len(lines) > 1 else list(range(len(lines)))
    return [
        line.reshape([-1 if axis == at else 1 for at in range(len(lines))]).expand(shape).clone()
        for line, axis in zip(lines, order, strict=True)
    ]
