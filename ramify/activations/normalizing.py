"""Activations that look along an axis: softmax and its kin, and the gated linear unit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from ramify.activations.convert import Tensor, to_tensor
from ramify.registry import serializable

_MODULE = "keras.activations"
_NARROW = (torch.float16, torch.bfloat16)

Axis = int | Sequence[int] | None


def _axes(x: Tensor, axis: Sequence[int] | None) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else tuple(axis)


@serializable(_MODULE)
def softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """``exp(x) / sum(exp(x))``: positive numbers that sum to 1 along an axis.

    Args:
        x: tensor of any shape, of a float dtype.
        axis: one axis; several, over which the sum is taken together; ``None`` for all.

    Returns:
        A tensor of the same shape and dtype.

    >>> softmax(torch.tensor([[1000.0, 1000.0], [0.0, -1000.0]]))
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """
    if not isinstance(x, Tensor):
        x = to_tensor(x)
    if isinstance(axis, int):
        return torch.softmax(x, axis)
    axes = _axes(x, axis)
    powers = torch.exp(x - torch.amax(x, axes, keepdim=True).detach())
    return powers / powers.sum(axes, keepdim=True)


@serializable(_MODULE)
def log_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    """``x - log(sum(exp(x)))`` along an axis: the logarithm of `softmax`, without the underflow of computing it so.

    Args:
        x: tensor of any shape, of a float dtype.
        axis: one axis; several, over which the sum is taken together; ``None`` for all.

    Returns:
        A tensor of the same shape and dtype.

    >>> log_softmax(torch.tensor([0.0, -1000.0]))
    tensor([    0., -1000.])
    """
    if not isinstance(x, Tensor):
        x = to_tensor(x)
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    axes = _axes(x, axis)
    shifted = x - torch.amax(x, axes, keepdim=True).detach()
    return shifted - torch.exp(shifted).sum(axes, keepdim=True).log()


@serializable(_MODULE)
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """The nearest point to `x` among the vectors that are not negative and sum to 1: a softmax with zeros in it.

    Source: Martins & Astudillo, 2016, https://arxiv.org/abs/1602.02068.

    Args:
        x: tensor of at least one axis, of a float dtype.
        axis: the axis that sums to 1.

    Returns:
        A tensor of the same shape and dtype.

    >>> sparsemax(torch.tensor([[1.0, 0.8, -3.0], [5.0, 0.0, 0.0]]))
    tensor([[0.6000, 0.4000, 0.0000],
            [1.0000, 0.0000, 0.0000]])
    """
    if not isinstance(x, Tensor):
        x = to_tensor(x)
    wide = x.float() if x.dtype in _NARROW else x
    z = wide - torch.amax(wide, axis, keepdim=True).detach()
    ordered = torch.sort(z, dim=axis, descending=True)[0]
    rank = torch.cumsum(torch.ones_like(ordered), axis)
    kept = 1 + rank * ordered > torch.cumsum(ordered, axis)
    total = torch.where(kept, ordered, 0.0).sum(axis, keepdim=True)
    y = torch.relu(z - (total - 1) / kept.sum(axis, keepdim=True))
    return y if wide is x else y.to(x.dtype)


@serializable(_MODULE)
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """Gated linear unit: the first half of an axis times the sigmoid of the second (Dauphin et al., 2017, https://arxiv.org/abs/1612.08083).

    Args:
        x: tensor whose size along the axis is even, of a float dtype.
        axis: the axis that is halved.

    Returns:
        A tensor of the same dtype, half as long along the axis.

    >>> glu(torch.tensor([4.0, 6.0, 0.0, 100.0]))
    tensor([2., 6.])
    """
    return F.glu(x if isinstance(x, Tensor) else to_tensor(x), axis)
