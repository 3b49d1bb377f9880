"""Mean and variance of every channel where some positions do not count, or where several processes count together."""

from __future__ import annotations

import torch
from torch import distributed


def replicas() -> int:
    """The number of processes that train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def weighted_moments(
    x: torch.Tensor, axis: int, mask: torch.Tensor | None, *, together: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and biased variance of every channel; both 0 where nothing counts.

    Args:
        x: tensor of any shape.
        axis: the axis of the channels.
        mask: booleans over the first axes of `x` (not that of the channels): which positions count. ``None``: all.
        together: whether to count over all processes of `torch.distributed`.

    Returns:
        Two tensors of shape ``(channels,)``.
    """
    rest = [i for i in range(x.ndim) if i != axis]
    sizes = [x.shape[axis] if i == axis else 1 for i in range(x.ndim)]
    weight = torch.ones((), dtype=x.dtype, device=x.device)
    if mask is not None:
        weight = mask.to(x.dtype)[(..., *(None,) * (x.ndim - mask.ndim))]
    one_channel = [1 if i == axis else size for i, size in enumerate(x.shape)]
    count = weight.expand(one_channel).sum()
    total = (x * weight).sum(rest)
    if together:
        total, count = _everywhere(total, count)
    count = count.clamp(min=1)
    mean = total / count
    squares = ((x - mean.view(sizes)).square() * weight).sum(rest)
    if together:
        squares, _ = _everywhere(squares, count)
    return mean, squares / count


def _everywhere(total: torch.Tensor, count: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both summed over all processes; gradients flow back to all of them."""
    from torch.distributed.nn.functional import all_reduce

    both = all_reduce(torch.cat([total, count[None].to(total.dtype)]))
    return both[:-1], both[-1]
