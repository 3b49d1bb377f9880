"""Merging element by element: sum, difference, product, mean, extremes.

Shapes are broadcast as everywhere in NumPy, only that the first axis is the batch in every input: an input of lower
rank gets its missing axes after the batch axis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch

from ramify.layers.merging.base import Merge, same_rank
from ramify.registry import serializable


@serializable("keras.layers")
class Add(Merge):
    """Sum of the inputs; the join of a residual connection (He et al., 2016, https://arxiv.org/abs/1512.03385).

    Shapes:
        list of shapes that broadcast -> the shape they broadcast to.

    Example:

    >>> import ramify
    >>> x = ramify.Input((8,))
    >>> Add()([x, x]).shape
    (None, 8)
    """

    def call(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The sum."""
        if len(inputs) == 2 and inputs[0].ndim == inputs[1].ndim:
            return inputs[0] + inputs[1]
        return reduce(torch.add, same_rank(inputs))


@serializable("keras.layers")
class Subtract(Merge):
    """The first of two inputs minus the second.

    Shapes:
        two shapes that broadcast -> the shape they broadcast to.

    Example:

    >>> import torch
    >>> Subtract()([torch.tensor([[5.0]]), torch.tensor([[3.0]])])
    tensor([[2.]])
    """

    least = most = 2

    def merge(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The difference."""
        return inputs[0] - inputs[1]


@serializable("keras.layers")
class Multiply(Merge):
    """Product of the inputs.

    Where an input is masked it counts as 1; where all of them are, the product is 0.

    Shapes:
        list of shapes that broadcast -> the shape they broadcast to.

    Example:

    >>> import torch
    >>> Multiply()([torch.tensor([[5.0]]), torch.tensor([[3.0]])])
    tensor([[15.]])
    """

    def call(self, inputs: list[torch.Tensor], mask: list[torch.Tensor | None] | None = None) -> torch.Tensor:
        """The product."""
        if mask is None:
            return reduce(torch.mul, same_rank(inputs))
        return self._masked([*inputs], [*mask])

    def _masked(self, inputs: list[torch.Tensor], masks: list[torch.Tensor | None]) -> torch.Tensor:
        counts: list[Any] = [m if m is None else _trailing(m, x.ndim) for m, x in zip(masks, inputs, strict=True)]
        kept = [x if m is None else torch.where(m, x, 1) for m, x in zip(counts, inputs, strict=True)]
        product = reduce(torch.mul, same_rank(kept))
        if any(m is None for m in counts):
            return product
        return torch.where(reduce(torch.logical_or, same_rank(counts)), product, 0)


@serializable("keras.layers")
class Average(Merge):
    """Mean of the inputs.

    Shapes:
        list of shapes that broadcast -> the shape they broadcast to.

    Example:

    >>> import torch
    >>> Average()([torch.tensor([[5.0]]), torch.tensor([[3.0]])])
    tensor([[4.]])
    """

    def merge(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """The mean."""
        return reduce(torch.add, inputs) / len(inputs)


class _Extreme(Merge):
    """Base of `Maximum` and `Minimum`."""

    choose: Callable[..., torch.Tensor]

    def call(self, inputs: list[torch.Tensor], mask: list[torch.Tensor | None] | None = None) -> torch.Tensor:
        """The extreme values."""
        choose = type(self).choose
        if mask is None:
            return reduce(choose, same_rank(inputs))
        counts = [_counting(m, x) for m, x in zip(mask, inputs, strict=True)]
        (out, *others), (known, *further) = same_rank(inputs), same_rank(counts)
        for x, count in zip(others, further, strict=True):
            out = torch.where(known & count, choose(out, x), torch.where(count & ~known, x, out))
            known = known | count
        return out


@serializable("keras.layers")
class Maximum(_Extreme):
    """The greatest of the inputs, element by element.

    Where an input is masked it does not take part; where all of them are, the first is taken.

    Shapes:
        list of shapes that broadcast -> the shape they broadcast to.

    Example:

    >>> import torch
    >>> Maximum()([torch.tensor([[5.0, 1.0]]), torch.tensor([[3.0, 2.0]])])
    tensor([[5., 2.]])
    """

    choose = torch.maximum


@serializable("keras.layers")
class Minimum(_Extreme):
    """The least of the inputs, element by element.

    Where an input is masked it does not take part; where all of them are, the first is taken.

    Shapes:
        list of shapes that broadcast -> the shape they broadcast to.

    Example:

    >>> import torch
    >>> Minimum()([torch.tensor([[5.0, 1.0]]), torch.tensor([[3.0, 2.0]])])
    tensor([[3., 1.]])
    """

    choose = torch.minimum


def _counting(mask: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor:
    """A mask of the rank of `x`; true throughout where there is none."""
    return torch.ones((1,) * x.ndim, dtype=torch.bool, device=x.device) if mask is None else _trailing(mask, x.ndim)


def _trailing(mask: torch.Tensor, ndim: int) -> torch.Tensor:
    """A mask with axes of size 1 at the end, up to `ndim` axes."""
    return mask[(..., *(None,) * (ndim - mask.ndim))]
