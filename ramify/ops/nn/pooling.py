"""Pooling: the largest value or the mean of windows, sliding or spread evenly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F

from ramify.image_format import checked_choice, per_axis
from ramify.ops.nn.layout import from_front, lifted, to_front
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]

Sizes = int | Sequence[int]
Pool = Callable[[Tensor, tuple[int, ...], bool], Tensor]


def same_pooled(pool: Pool, x: Tensor, window: Sequence[int], strides: Sequence[int]) -> Tensor:
    """Pool ``(batch, channels, ...)`` to ``ceil(size / stride)`` outputs without a padded copy.

    What is needed before goes to the kernel as padding. What is needed after is at most one pixel more; the last window
    may hang over the end by that much, and windows count no pixel that is not there. With steps of 1, an even window
    needs that pixel although no window may hang over: both sides are padded by it, and the first output is dropped.

    Args:
        pool: summarizes windows; given the input, the padding on both sides of each axis, and whether the last window
            may hang over the end.
        x: the input.
        window: size of the window per axis.
        strides: step per axis.
    """
    extra = [step == 1 and size % 2 == 0 for size, step in zip(window, strides, strict=True)]
    padding = []
    for size, reach, step, more in zip(x.shape[2:], window, strides, extra, strict=True):
        total = max((-(-size // step) - 1) * step + reach - size, 0)
        padding.append((total + 1) // 2 if more else total // 2)
    x = pool(x, tuple(padding), True)
    for axis, more in enumerate(extra, start=2):
        if more:
            x = x.narrow(axis, 1, x.shape[axis] - 1)
    return x


def _pooled(
    inputs: Any, pool_size: Sizes, strides: Sizes | None, padding: str, data_format: str | None, pools: Any, who: str
) -> Tensor:
    x, rank, last = to_front(to_tensor(inputs), data_format, who)
    window = lifted(per_axis(pool_size, rank, f"{who}: pool_size"))
    steps = window if strides is None else lifted(per_axis(strides, rank, f"{who}: strides"))

    def pool(x: Tensor, pads: tuple[int, ...], hanging: bool) -> Tensor:
        result: Tensor = pools[len(window) - 2](x, window, steps, pads, hanging)
        return result

    if checked_choice(padding, ("valid", "same"), f"{who}: padding") == "same":
        x = same_pooled(pool, x, window, steps)
    else:
        x = pool(x, (0,) * len(window), False)
    return from_front(x, rank, last)


def _max2(x: Tensor, window: Any, steps: Any, pads: Any, hanging: bool) -> Tensor:
    return F.max_pool2d(x, window, steps, pads, 1, hanging)


def _max3(x: Tensor, window: Any, steps: Any, pads: Any, hanging: bool) -> Tensor:
    return F.max_pool3d(x, window, steps, pads, 1, hanging)


def _mean2(x: Tensor, window: Any, steps: Any, pads: Any, hanging: bool) -> Tensor:
    return F.avg_pool2d(x, window, steps, pads, hanging, count_include_pad=False)


def _mean3(x: Tensor, window: Any, steps: Any, pads: Any, hanging: bool) -> Tensor:
    return F.avg_pool3d(x, window, steps, pads, hanging, count_include_pad=False)


@op
def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest value of each window.

    Args:
        inputs: tensor of shape ``(batch, ..., channels)`` with one to three axes between.
        pool_size: size of the window, per axis or one number.
        strides: how far the window moves per step; its size when not given.
        padding: ``"valid"`` or ``"same"`` (``ceil(size / stride)`` outputs).
        data_format: ``"channels_last"``, or ``"channels_first"`` for channels behind the batch; the global setting when
            not given.

    Returns:
        A tensor of shape ``(batch, ..., channels)``.

    >>> import torch
    >>> max_pool(torch.tensor([[[1.0], [3.0], [2.0], [0.0]]]), 2).flatten()
    tensor([3., 2.])
    """
    return _pooled(inputs, pool_size, strides, padding, data_format, (_max2, _max3), "max_pool")


@op
def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window; padding does not count. Arguments as in `max_pool`.

    >>> import torch
    >>> average_pool(torch.tensor([[[1.0], [3.0], [2.0], [0.0]]]), 2).flatten()
    tensor([2., 1.])
    """
    return _pooled(inputs, pool_size, strides, padding, data_format, (_mean2, _mean3), "average_pool")


def _adaptive(inputs: Any, output_size: Sizes, data_format: str | None, pools: Any, who: str) -> Tensor:
    x, rank, last = to_front(to_tensor(inputs), data_format, who)
    sizes = lifted(per_axis(output_size, rank, f"{who}: output_size"))
    return from_front(pools[len(sizes) - 2](x, sizes), rank, last)


@op
def adaptive_max_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Tensor:
    """The largest value of each of as many windows as are wanted, spread evenly.

    Window `i` of `n` goes from ``floor(i * size / n)`` to ``ceil((i + 1) * size / n)``.

    Args:
        inputs: tensor of shape ``(batch, ..., channels)`` with one to three axes between.
        output_size: the number of windows, per axis or one number.
        data_format: as in `max_pool`.

    Returns:
        A tensor of shape ``(batch, *output_size, channels)``.

    >>> import torch
    >>> adaptive_max_pool(torch.tensor([[[1.0], [3.0], [2.0]]]), 2).flatten()
    tensor([3., 3.])
    """
    pools = (F.adaptive_max_pool2d, F.adaptive_max_pool3d)
    return _adaptive(inputs, output_size, data_format, pools, "adaptive_max_pool")


@op
def adaptive_average_pool(inputs: Any, output_size: Sizes, data_format: str | None = None) -> Tensor:
    """The mean of each of as many windows as are wanted, spread evenly; arguments as in `adaptive_max_pool`.

    >>> import torch
    >>> adaptive_average_pool(torch.tensor([[[1.0], [3.0], [2.0]]]), 2).flatten()
    tensor([2.0000, 2.5000])
    """
    pools = (F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
    return _adaptive(inputs, output_size, data_format, pools, "adaptive_average_pool")
