"""`pad`: values added at the ends of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.ops.op import op
from ramify.promotion import Tensor, TensorLike, constant, to_tensor

__all__ = ["pad"]

_PLACES = {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric", "wrap": "wrap", "circular": "wrap"}


@op
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """Add values at the ends of axes.

    Args:
        x: tensor.
        pad_width: one number for all ends, ``(before, after)`` for all axes, or such a pair for each axis.
        mode: ``"constant"``, or values of the tensor itself: ``"edge"`` repeats the last, ``"reflect"`` and
            ``"symmetric"`` mirror without and with the last, ``"wrap"`` (or ``"circular"``) goes on at the other end.
        constant_values: what is added in mode ``"constant"``; 0 when ``None``.

    Raises:
        ArgumentError: widths that fit no axes, an unknown mode, or a constant in another mode.

    >>> pad([1.0, 2.0], 1), pad([1.0, 2.0, 3.0], (1, 0), mode="reflect")
    (tensor([0., 1., 2., 0.]), tensor([2., 1., 2., 3.]))
    """
    x = to_tensor(x)
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        flat = [width for pair in reversed(widths) for width in pair]
        return F.pad(x, flat, value=0 if constant_values is None else constant_values)
    if mode not in _PLACES:
        raise ArgumentError(f"mode={mode!r} is not known. Use 'constant' or one of {', '.join(map(repr, _PLACES))}.")
    if constant_values is not None:
        raise ArgumentError(f"constant_values={constant_values} has no place in mode {mode!r}. Leave it out.")
    for axis, pair in enumerate(widths):
        if any(pair):
            places = np.pad(np.arange(x.shape[axis]), pair, mode=_PLACES[mode])  # type: ignore[call-overload]
            x = torch.index_select(x, axis, torch.as_tensor(places, device=x.device))
    return x


def _widths(given: Any, rank: int) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    given = constant(given)
    if isinstance(given, int):
        return [(given, given)] * rank
    pairs = [tuple(pair) if isinstance(pair, (tuple, list)) else pair for pair in given]
    if all(isinstance(width, int) for width in pairs) and len(pairs) in (1, 2):
        pairs = [(pairs[0], pairs[-1])]
    if len(pairs) == 1:
        pairs = pairs * rank
    if len(pairs) != rank or not all(isinstance(pair, tuple) and len(pair) in (1, 2) for pair in pairs):
        raise ArgumentError(f"pad_width={given} does not fit a tensor of {rank} axes. Give (before, after) for each.")
    return [(pair[0], pair[-1]) for pair in pairs]
