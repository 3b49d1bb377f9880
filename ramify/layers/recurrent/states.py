"""The states of recurrent layers: nested, of zeros, and dropped in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F

from ramify.seeds import Stream


def as_list(states: Any) -> list[Any]:
    """A list of states, also where there is a single one."""
    return list(states) if isinstance(states, (list, tuple)) else [states]


def leaves(states: Any) -> Iterator[torch.Tensor]:
    """All tensors in nested states, in order."""
    if isinstance(states, (list, tuple)):
        for state in states:
            yield from leaves(state)
    else:
        yield states


def over_states(function: Callable[..., Any], states: Any, *others: Any) -> Any:
    """Apply a function to the tensors of equally nested states."""
    if isinstance(states, (list, tuple)):
        return [over_states(function, *items) for items in zip(states, *others, strict=True)]
    return function(states, *others)


def zero_states(state_size: Any, batch_size: int, dtype: torch.dtype, device: torch.device) -> Any:
    """Zeros for nested sizes; a size is a number, or a tuple of them for a state of higher rank."""
    if isinstance(state_size, list) or (isinstance(state_size, tuple) and not _is_shape(state_size)):
        return [zero_states(size, batch_size, dtype, device) for size in state_size]
    shape = state_size if isinstance(state_size, (tuple, torch.Size)) else (state_size,)
    return torch.zeros((batch_size, *shape), dtype=dtype, device=device)


def _is_shape(size: tuple[Any, ...]) -> bool:
    """Tell the shape of one state, a `torch.Size`, from a tuple of the sizes of several."""
    return isinstance(size, torch.Size)


def dropout_mask(stream: Stream, like: torch.Tensor, rate: float) -> torch.Tensor:
    """Factors of the shape of `like`: 0 with probability `rate`, else ``1 / (1 - rate)``."""
    if stream.is_global:
        return F.dropout(torch.ones_like(like), rate)
    if rate >= 1:
        return torch.zeros_like(like)
    return stream.bernoulli(like, like.shape, 1 - rate) / (1 - rate)
