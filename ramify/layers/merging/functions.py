"""The merging layers as functions: ``add([a, b])`` is ``Add()([a, b])``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify.layers.merging.concatenate import Concatenate
from ramify.layers.merging.dot import Dot
from ramify.layers.merging.elementwise import Add, Average, Maximum, Minimum, Multiply, Subtract
from ramify.registry import serializable

_MODULE = "keras.layers"


@serializable(_MODULE)
def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Sum of tensors.

    Args:
        inputs: list of tensors whose shapes broadcast, the batch axis being the same in all.
        **kwargs: the layer's own arguments, such as ``name``.

    Returns:
        The sum, of the shape that they broadcast to.

    Raises:
        ShapeError: shapes that do not fit together.

    >>> import torch
    >>> add([torch.ones(1, 2), torch.ones(1, 2)])
    tensor([[2., 2.]])
    """
    return Add(**kwargs)(inputs)


@serializable(_MODULE)
def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The first of two tensors minus the second; see `add`.

    >>> import torch
    >>> subtract([torch.ones(1, 2), torch.ones(1, 2)])
    tensor([[0., 0.]])
    """
    return Subtract(**kwargs)(inputs)


@serializable(_MODULE)
def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Product of tensors; see `add`.

    >>> import torch
    >>> multiply([torch.ones(1, 2), 3 * torch.ones(1, 2)])
    tensor([[3., 3.]])
    """
    return Multiply(**kwargs)(inputs)


@serializable(_MODULE)
def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Mean of tensors; see `add`.

    >>> import torch
    >>> average([torch.ones(1, 2), 3 * torch.ones(1, 2)])
    tensor([[2., 2.]])
    """
    return Average(**kwargs)(inputs)


@serializable(_MODULE)
def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The greatest of tensors, element by element; see `add`.

    >>> import torch
    >>> maximum([torch.ones(1, 2), torch.zeros(1, 2)])
    tensor([[1., 1.]])
    """
    return Maximum(**kwargs)(inputs)


@serializable(_MODULE)
def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """The least of tensors, element by element; see `add`.

    >>> import torch
    >>> minimum([torch.ones(1, 2), torch.zeros(1, 2)])
    tensor([[0., 0.]])
    """
    return Minimum(**kwargs)(inputs)


@serializable(_MODULE)
def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Tensors one after the other along an axis.

    Args:
        inputs: list of tensors whose sizes are equal on all other axes.
        axis: the axis along which they are joined.
        **kwargs: the layer's own arguments, such as ``name``.

    Returns:
        The joined tensor.

    Raises:
        ShapeError: shapes that do not fit together.

    >>> import torch
    >>> concatenate([torch.ones(1, 2), torch.zeros(1, 1)])
    tensor([[1., 1., 0.]])
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


@serializable(_MODULE)
def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Sum of products of two tensors along an axis of each; see `Dot`.

    >>> import torch
    >>> dot([torch.ones(1, 2), torch.ones(1, 2)])
    tensor([[2.]])
    """
    return Dot(axes=axes, **kwargs)(inputs)
