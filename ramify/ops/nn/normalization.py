"""Moments, and tensors brought to mean 0, variance 1 or norm 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import distributed

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.ops.convert import floating, like, wide
from ramify.ops.op import op

__all__ = ["batch_normalization", "layer_normalization", "moments", "normalize", "rms_normalization"]

Tensor = torch.Tensor
Axes = int | Sequence[int]


def _axes(axis: Axes | None, ndim: int) -> tuple[int, ...]:
    given = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(sorted(one % ndim for one in given))


@op
def moments(x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and (biased) variance over some axes; half precision is counted in float32.

    Args:
        x: tensor of any shape.
        axes: axis or axes.
        keepdims: whether they stay, of size 1.
        synchronized: count over all processes of `torch.distributed` together.

    Returns:
        ``(mean, variance)`` of the dtype of `x`.

    >>> moments(torch.tensor([1.0, 3.0]), 0)
    (tensor(2.), tensor(1.))
    """
    x = floating(x)
    over = _axes(axes, x.ndim)
    if synchronized and distributed.is_available() and distributed.is_initialized():
        mean, variance = _together(wide(x), over)
    else:
        variance, mean = torch.var_mean(wide(x), over, correction=0, keepdim=True)
    if x.dtype == torch.float16:
        end = torch.finfo(x.dtype).max
        mean, variance = mean.clamp(-end, end), variance.clamp(-end, end)
    if not keepdims:
        mean, variance = mean.squeeze(over), variance.squeeze(over)
    return mean.to(x.dtype), variance.to(x.dtype)


def _together(x: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Mean and variance of all processes' parts, each of which may have a size of its own."""
    from torch.distributed.nn.functional import all_reduce

    mean = x.sum(axes, keepdim=True)
    count = all_reduce(torch.full_like(mean, x.numel() / mean.numel()))
    mean = all_reduce(mean) / count
    return mean, all_reduce((x - mean).square().sum(axes, keepdim=True)) / count


@op
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 0.001
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, channel by channel.

    Source: Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167.

    Args:
        x: tensor of any shape.
        mean: shape ``(channels,)``.
        variance: shape ``(channels,)``.
        axis: the axis of the channels.
        offset: shape ``(channels,)``; none when not given.
        scale: shape ``(channels,)``; none when not given.
        epsilon: keeps the root from zero.

    Returns:
        A tensor of the shape of `x`.

    >>> batch_normalization(torch.tensor([[3.0]]), torch.tensor([1.0]), torch.tensor([4.0]), -1, epsilon=0.0)
    tensor([[1.]])
    """
    x, mean, variance = (floating(value) for value in like(x, mean, variance))
    sizes = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    factor = torch.rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * like(x, scale)[1]
    shift = -mean * factor
    if offset is not None:
        shift = shift + like(x, offset)[1]
    return torch.addcmul(shift.view(sizes), x, factor.view(sizes))


@op
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Axes = -1, epsilon: float | None = None, **kwargs: Any
) -> Tensor:
    """Each sample to mean 0 and variance 1 over some axes, then scaled and shifted.

    Source: Ba et al., 2016, https://arxiv.org/abs/1607.06450.

    Args:
        x: tensor of any shape.
        gamma: scale, of the sizes of the axes; none when not given.
        beta: shift, likewise.
        axis: axis or axes.
        epsilon: keeps the root from zero; the global one when not given.
        **kwargs: ``rms_scaling=True`` leaves the mean where it is, as `rms_normalization`.

    Returns:
        A tensor of the shape of `x`.

    >>> layer_normalization(torch.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """
    rms = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise ArgumentError(f"layer_normalization does not know the arguments {sorted(kwargs)}.")
    x = floating(x)
    return _normalized(x, gamma, beta, axis, epsilon, by_root=bool(rms))


@op
def rms_normalization(x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None) -> Tensor:
    """``x / sqrt(mean(x**2) + epsilon)`` over some axes, then scaled.

    Source: Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467.

    Args:
        x: tensor of any shape.
        scale: of the sizes of the axes; none when not given.
        axis: axis or axes.
        epsilon: keeps the root from zero; the global one when not given.

    Returns:
        A tensor of the shape of `x`.

    >>> rms_normalization(torch.tensor([[3.0, 3.0]]))
    tensor([[1., 1.]])
    """
    return _normalized(floating(x), scale, None, axis, epsilon, by_root=True)


def _normalized(x: Tensor, scale: Any, shift: Any, axis: Axes, epsilon: float | None, *, by_root: bool) -> Tensor:
    """By torch's kernel; axes that are not the last ones are brought there, and back."""
    epsilon = dtypes.epsilon() if epsilon is None else epsilon
    axes = _axes(axis, x.ndim)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = x if axes == last else x.movedim(axes, last)
    sizes = moved.shape[x.ndim - len(axes) :]
    weight, bias = (None if v is None else like(x, v)[1].to(x.dtype).reshape(sizes) for v in (scale, shift))
    if by_root:
        moved = F.rms_norm(moved, sizes, weight, epsilon)
        moved = moved if bias is None else moved + bias
    else:
        moved = F.layer_norm(moved, sizes, weight, bias, epsilon)
    return moved if axes == last else moved.movedim(last, axes)


@op
def normalize(x: Any, axis: Axes | None = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """Divided by its norm along some axes.

    Args:
        x: tensor of any shape.
        axis: axis or axes; ``None`` for all.
        order: which norm, a whole number from 1 up.
        epsilon: the least that is divided by; the global one when not given.

    Returns:
        A tensor of the same shape; zeros stay zeros.

    >>> normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize takes a whole number from 1 up as order, but got {order!r}.")
    x = floating(x)
    epsilon = dtypes.epsilon() if epsilon is None else epsilon
    return x / torch.linalg.vector_norm(x, order, _axes(axis, x.ndim), keepdim=True).clamp(min=epsilon)
