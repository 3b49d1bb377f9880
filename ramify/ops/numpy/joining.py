"""Tensors joined into one, and one cut into several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, common, constant, tensors, to_tensor

__all__ = [
    "append", "array_split", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "split", "stack", "vsplit",
    "vstack",
]  # fmt: skip

Parts = int | Sequence[int]


@op
def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Tensors one after another along an axis that they have; dtypes are promoted.

    Args:
        xs: tensors whose other axes agree.
        axis: the axis; all of them flattened when ``None``.

    >>> concatenate([[1, 2], [3.5]])
    tensor([1.0000, 2.0000, 3.5000])
    """
    parts = common(tensors(*xs))
    return torch.cat([part.reshape(-1) for part in parts]) if axis is None else torch.cat(parts, dim=axis)


@op
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new axis; dtypes are promoted.

    Args:
        x: tensors.
        axis: where the new axis stands in the result.

    >>> stack([[1, 2], [3, 4]], axis=1)
    tensor([[1, 3],
            [2, 4]], dtype=torch.int32)
    """
    return torch.stack(common(tensors(*x)), dim=axis)


@op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """One tensor after another, both flattened when `axis` is ``None``.

    >>> append([1, 2], 3)
    tensor([1, 2, 3], dtype=torch.int32)
    """
    a, b = common(tensors(x1, x2))
    return torch.cat((a.reshape(-1), b.reshape(-1))) if axis is None else torch.cat((a, b), dim=axis)


@op
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors one after another along axis 1, or 0 where that is the only one.

    >>> hstack([[1, 2], [3]])
    tensor([1, 2, 3], dtype=torch.int32)
    """
    return torch.hstack(common(tensors(*xs)))


@op
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors below each other: along axis 0, rows made of tensors of one axis.

    >>> vstack([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]], dtype=torch.int32)
    """
    return torch.vstack(common(tensors(*xs)))


@op
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors behind each other, along axis 2.

    >>> dstack([[1, 2], [3, 4]]).shape
    torch.Size([1, 2, 2])
    """
    return torch.dstack(common(tensors(*xs)))


@op
def split(x: TensorLike, indices_or_sections: Parts, axis: int = 0) -> list[Tensor]:
    """Cut along an axis.

    Args:
        x: tensor.
        indices_or_sections: how many equal parts, or the places where to cut.
        axis: the axis.

    Returns:
        The parts, views of the tensor.

    Raises:
        ArgumentError: a number of parts that does not divide the size.

    >>> split([1.0, 2.0, 3.0, 4.0], 2)
    [tensor([1., 2.]), tensor([3., 4.])]
    """
    x, indices_or_sections = to_tensor(x), constant(indices_or_sections)
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        raise ArgumentError(
            f"`split` cannot cut axis {axis} of shape {tuple(x.shape)} into {indices_or_sections} equal parts. "
            "Use a divisor of the size, or `array_split` for unequal parts."
        )
    return _parts(x, indices_or_sections, axis)


@op
def array_split(x: TensorLike, indices_or_sections: Parts, axis: int = 0) -> list[Tensor]:
    """As `split`, but parts may differ by one: the first ones are longer.

    Args:
        x: tensor.
        indices_or_sections: how many parts, or the places where to cut.
        axis: the axis.

    >>> array_split([1.0, 2.0, 3.0], 2)
    [tensor([1., 2.]), tensor([3.])]
    """
    return _parts(to_tensor(x), indices_or_sections, axis)


def _parts(x: Tensor, parts: Any, axis: int) -> list[Tensor]:
    return list(torch.tensor_split(x, constant(parts), dim=axis))


@op
def hsplit(x: TensorLike, indices_or_sections: Parts) -> list[Tensor]:
    """`split` along axis 1, or 0 where that is the only one.

    >>> hsplit([[1.0, 2.0]], 2)
    [tensor([[1.]]), tensor([[2.]])]
    """
    x = to_tensor(x)
    return split(x, indices_or_sections, axis=1 if x.ndim > 1 else 0)


@op
def vsplit(x: TensorLike, indices_or_sections: Parts) -> list[Tensor]:
    """`split` along axis 0.

    >>> vsplit([[1.0], [2.0]], 2)
    [tensor([[1.]]), tensor([[2.]])]
    """
    return split(x, indices_or_sections, axis=0)


@op
def dsplit(x: TensorLike, indices_or_sections: Parts) -> list[Tensor]:
    """`split` along axis 2.

    >>> dsplit([[[1.0, 2.0]]], 2)
    [tensor([[[1.]]]), tensor([[[2.]]])]
    """
    return split(x, indices_or_sections, axis=2)
