"""The same values in another shape or order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph import is_probing
from ramify.ops.numpy.creation import shape_of
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, axes_of, constant, to_tensor

__all__ = [
    "broadcast_to", "expand_dims", "flip", "fliplr", "flipud", "moveaxis", "ravel", "repeat", "reshape", "roll",
    "rot90", "squeeze", "swapaxes", "tile", "transpose", "view",
]  # fmt: skip

Axes = int | Sequence[int]


@op
def reshape(x: TensorLike, newshape: Axes) -> Tensor:
    """The values, in order, in another shape.

    Args:
        x: tensor.
        newshape: sizes; one may be -1 and follows from the others.

    >>> reshape([1, 2, 3, 4], (2, -1))
    tensor([[1, 2],
            [3, 4]], dtype=torch.int32)
    """
    return torch.reshape(to_tensor(x), shape_of(newshape))


@op
def ravel(x: TensorLike) -> Tensor:
    """All values in one axis.

    >>> ravel([[1.0], [2.0]])
    tensor([1., 2.])
    """
    return torch.ravel(to_tensor(x))


@op
def expand_dims(x: TensorLike, axis: Axes) -> Tensor:
    """New axes of size 1, at the given places of the result.

    >>> expand_dims([1.0, 2.0], (0, -1)).shape
    torch.Size([1, 2, 1])
    """
    x = to_tensor(x)
    if isinstance(axis, int):
        return torch.unsqueeze(x, axis)
    for place in sorted(axes_of(axis, x.ndim + len(axis))):
        x = torch.unsqueeze(x, place)
    return x


@op
def squeeze(x: TensorLike, axis: Axes | None = None) -> Tensor:
    """Without axes of size 1.

    Args:
        x: tensor.
        axis: which ones (those of another size stay); all of size 1 when ``None``.

    >>> squeeze([[[1.0, 2.0]]], axis=0).shape
    torch.Size([1, 2])
    """
    x = to_tensor(x)
    return torch.squeeze(x) if axis is None else torch.squeeze(x, axes_of(axis, x.ndim))


@op
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order.

    Args:
        x: tensor.
        axes: for each axis of the result the axis of `x`; reversed when ``None``.

    >>> transpose([[1.0, 2.0]]).shape
    torch.Size([2, 1])
    """
    x = to_tensor(x)
    return torch.permute(x, tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))


@op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes in each other's place.

    >>> swapaxes([[1.0, 2.0]], 0, 1).shape
    torch.Size([2, 1])
    """
    return torch.swapaxes(to_tensor(x), axis1, axis2)


@op
def moveaxis(x: TensorLike, source: Axes, destination: Axes) -> Tensor:
    """Axes in other places; the others keep their order.

    >>> moveaxis([[[1.0, 2.0]]], -1, 0).shape
    torch.Size([2, 1, 1])
    """
    places: Any = [(place,) if isinstance(place, int) else tuple(place) for place in (source, destination)]
    return torch.movedim(to_tensor(x), *places)


@op
def flip(x: TensorLike, axis: Axes | None = None) -> Tensor:
    """Backwards along some axes, all when ``None``.

    >>> flip([1.0, 2.0])
    tensor([2., 1.])
    """
    x = to_tensor(x)
    return torch.flip(x, axes_of(axis, x.ndim))


@op
def fliplr(x: TensorLike) -> Tensor:
    """Backwards along axis 1.

    >>> fliplr([[1.0, 2.0]])
    tensor([[2., 1.]])
    """
    return torch.fliplr(to_tensor(x))


@op
def flipud(x: TensorLike) -> Tensor:
    """Backwards along axis 0.

    >>> flipud([[1.0], [2.0]])
    tensor([[2.],
            [1.]])
    """
    return torch.flipud(to_tensor(x))


@op
def rot90(array: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k right angles in the plane of two axes, from the first towards the second.

    Args:
        array: tensor of at least two axes.
        k: how many right angles.
        axes: the plane.

    >>> rot90([[1.0, 2.0]])
    tensor([[2.],
            [1.]])
    """
    return torch.rot90(to_tensor(array), k, list(axes))


@op
def roll(x: TensorLike, shift: Axes, axis: Axes | None = None) -> Tensor:
    """Moved along axes, what leaves at one end coming in at the other.

    Args:
        x: tensor.
        shift: by how many places; one number for each axis, or one for all.
        axis: axis or axes; the flattened tensor when ``None``.

    >>> roll([1.0, 2.0, 3.0], 1)
    tensor([3., 1., 2.])
    """
    shifts = constant(shift)
    if axis is None:
        return torch.roll(to_tensor(x), shifts)
    dims = (axis,) if isinstance(axis, int) else tuple(axis)
    return torch.roll(to_tensor(x), (shifts,) * len(dims) if isinstance(shifts, int) else shifts, dims)


@op
def repeat(x: TensorLike, repeats: TensorLike, axis: int | None = None) -> Tensor:
    """Every value, or every slice along an axis, several times over.

    Args:
        x: tensor.
        repeats: how many times; one number, or one for each.
        axis: the axis; the flattened tensor when ``None``.

    >>> repeat([1.0, 2.0], 2), repeat([1.0, 2.0], [0, 3])
    (tensor([1., 1., 2., 2.]), tensor([2., 2., 2.]))
    """
    x = to_tensor(x)
    # Counts that are known here give the size of the result without asking the device.
    counts = constant(repeats) if is_probing() or not isinstance(repeats, Tensor) else repeats
    if isinstance(counts, (int, Tensor)):
        return torch.repeat_interleave(x, counts, dim=axis)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis)
    if len(counts) == 1:
        return torch.repeat_interleave(x, counts[0], dim=dim)
    if len(counts) != x.shape[dim]:
        raise ArgumentError(f"`repeat` got {len(counts)} counts for an axis of {x.shape[dim]}. Give one for each.")
    index = [place for place, count in enumerate(counts) for _ in range(count)]
    return torch.index_select(x, dim, torch.tensor(index, dtype=torch.int64, device=x.device))


@op
def tile(x: TensorLike, repeats: Axes) -> Tensor:
    """The tensor beside itself; `repeats` tells how many times along each of the last axes.

    >>> tile([1.0, 2.0], 2)
    tensor([1., 2., 1., 2.])
    """
    return torch.tile(to_tensor(x), shape_of(repeats))


@op
def broadcast_to(x: TensorLike, shape: Axes) -> Tensor:
    """A view in which axes of size 1 appear larger.

    >>> broadcast_to([1.0, 2.0], (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return torch.broadcast_to(to_tensor(x), shape_of(shape))


@op
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The same memory read as another dtype; a narrower one makes the last axis longer.

    >>> view([1.0], dtype="int32")
    tensor([1065353216], dtype=torch.int32)
    """
    return to_tensor(x).view(dtypes.to_torch(dtype))
