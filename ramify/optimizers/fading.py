"""Averages of gradients that have stopped: what is left of them ends as zero."""

from __future__ import annotations

from collections.abc import Iterable

import torch

FREQUENCY = 256
"""Steps between two looks; a look costs about as much as a step's formula."""

_DTYPES = (torch.float32, torch.float64, torch.bfloat16)
_LARGEST_SUBNORMAL = {dtype: torch.finfo(dtype).tiny * (1 - torch.finfo(dtype).eps) for dtype in _DTYPES}


def end_fading(state: Iterable[torch.Tensor]) -> None:
    """Set to zero, in place, whatever is smaller than the smallest normal number of its dtype.

    The average of a gradient that stays zero (a dead unit, a word that comes no more) gets there within 800 steps of
    Adam, and stays: nine tenths of the smallest number round to itself. Processors are many times as slow with such
    numbers; GPUs are not, and are left alone.

    Args:
        state: tensors of an optimizer's state.
    """
    for tensor in state:
        bound = _LARGEST_SUBNORMAL.get(tensor.dtype)
        if bound is not None and tensor.device.type == "cpu":
            own = tensor.to_local() if hasattr(tensor, "to_local") else tensor  # of a DTensor, the part that is here
            plain = own.detach().as_subclass(torch.Tensor)
            torch.ops.aten.hardshrink.out(plain, bound, out=plain)
