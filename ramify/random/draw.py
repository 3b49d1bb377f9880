"""Tensors of random numbers. In-place torch kernels fill them; what is narrower than float32 is drawn in float32.

Every function takes a `seed`: ``None`` draws from torch's global generator, a whole number gives the same numbers each
time, a `SeedGenerator` gives others in each call, the same in each run. Called with a symbolic size or tensor, a
function becomes part of the graph and draws whenever that runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.ops.convert import floating, sizes_of
from ramify.ops.op import op
from ramify.promotion import to_tensor
from ramify.seeds import check_seed, generator

Tensor = torch.Tensor
_WIDE = (torch.float32, torch.float64)
# erf(2 / sqrt(2)), rounded down so that no draw comes out beyond two standard deviations.
_WITHIN_TWO = 0.9544997


def _generator(seed: Any, device: torch.device, who: str) -> torch.Generator | None:
    seed = check_seed(seed, who)
    return None if device.type == "meta" else generator(seed, device)


def _room(shape: Any, dtype: Any, who: str) -> tuple[Tensor, torch.dtype]:
    """A tensor to draw into, and the dtype it is to have in the end."""
    wanted = dtypes.to_torch(dtype)
    if not wanted.is_floating_point:
        raise ArgumentError(f"{who} draws floating-point numbers, not {dtypes.name(wanted)}. Give a float dtype.")
    return torch.empty(sizes_of(shape), dtype=wanted if wanted in _WIDE else torch.float32), wanted


def _on(x: Any, room: Tensor) -> Any:
    """A parameter of a distribution: plain numbers as they are, anything else a tensor beside `room`."""
    return x if isinstance(x, (int, float)) else to_tensor(x).to(room)


def _rounded(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x if x.dtype == dtype else x.to(dtype)


@op
def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normal numbers.

    Args:
        shape: sizes of the result.
        mean: their mean, a number or a tensor that broadcasts to `shape`.
        stddev: their standard deviation, likewise.
        dtype: a float dtype; `floatx` when not given.
        seed: where the randomness comes from.

    >>> normal((2, 3), seed=1).shape
    torch.Size([2, 3])
    """
    room, wanted = _room(shape, dtype, "normal")
    room.normal_(generator=_generator(seed, room.device, "normal"))
    return _rounded(room * _on(stddev, room) + _on(mean, room), wanted)


@op
def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Uniform numbers from ``[minval, maxval)``; rounding to a narrow dtype may reach the end.

    Args:
        shape: sizes of the result.
        minval: lower end, a number or a tensor that broadcasts to `shape`.
        maxval: upper end, likewise.
        dtype: a float dtype; `floatx` when not given.
        seed: where the randomness comes from.

    >>> bool((uniform((100,), -1.0, 0.0) < 0).all())
    True
    """
    room, wanted = _room(shape, dtype, "uniform")
    room.uniform_(generator=_generator(seed, room.device, "uniform"))
    low, high = _on(minval, room), _on(maxval, room)
    return _rounded(low + (high - low) * room, wanted)


@op
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normal numbers within two standard deviations of their mean, by the inverse of their distribution function.

    Args:
        shape: sizes of the result.
        mean: their mean, a number or a tensor that broadcasts to `shape`.
        stddev: their standard deviation before the cut, likewise; 0.88 times that after it.
        dtype: a float dtype; `floatx` when not given.
        seed: where the randomness comes from.

    >>> bool((truncated_normal((100,)).abs() <= 2).all())
    True
    """
    room, wanted = _room(shape, dtype, "truncated_normal")
    room.uniform_(-_WITHIN_TWO, _WITHIN_TWO, generator=_generator(seed, room.device, "truncated_normal"))
    room.erfinv_().mul_(math.sqrt(2.0))
    return _rounded(room * _on(stddev, room) + _on(mean, room), wanted)


@op
def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from `minval` up to, but without, `maxval`.

    Args:
        shape: sizes of the result.
        minval: the least.
        maxval: what they stay below.
        dtype: an integer dtype.
        seed: where the randomness comes from.

    >>> sorted(set(randint((100,), 3, 5).tolist()))
    [3, 4]
    """
    wanted = dtypes.to_torch(dtype)
    if wanted.is_floating_point or wanted.is_complex or wanted == torch.bool:
        raise ArgumentError(f"randint draws whole numbers, not {dtypes.name(wanted)}. Give an integer dtype.")
    room = torch.empty(sizes_of(shape), dtype=torch.int64)
    room.random_(int(minval), int(maxval), generator=_generator(seed, room.device, "randint"))
    return room.to(wanted)


@op
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of a gamma distribution of scale 1.

    Args:
        shape: sizes of the result.
        alpha: the distribution's shape, a number or a tensor that broadcasts to `shape`, positive.
        dtype: a float dtype; `floatx` when not given.
        seed: where the randomness comes from.

    >>> bool((gamma((100,), 2.0) > 0).all())
    True
    """
    room, wanted = _room(shape, dtype, "gamma")
    room += _on(alpha, room.zero_())
    draw = torch._standard_gamma  # noqa: SLF001 - what torch.distributions draws with, but with a generator
    return _rounded(draw(room, generator=_generator(seed, room.device, "gamma")), wanted)


@op
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of a beta distribution: from 0 to 1, with mean ``alpha / (alpha + beta)``.

    Args:
        shape: sizes of the result.
        alpha: weight of the end 1, a number or a tensor that broadcasts to `shape`, positive.
        beta: weight of the end 0, likewise.
        dtype: a float dtype; `floatx` when not given.
        seed: where the randomness comes from.

    >>> bool((beta((100,), 2.0, 3.0) < 1).all())
    True
    """
    room, wanted = _room(shape, dtype, "beta")
    room.zero_()
    both = torch.stack([room + _on(alpha, room), room + _on(beta, room)], -1)
    draw = torch._sample_dirichlet  # noqa: SLF001 - what torch.distributions draws with, but with a generator
    return _rounded(draw(both, generator=_generator(seed, room.device, "beta"))[..., 0], wanted)


@op
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """How often something of a given probability happens.

    Args:
        shape: sizes of the result.
        counts: out of how many times, a number or a tensor that broadcasts to `shape`.
        probabilities: the probability, likewise.
        dtype: a float dtype; `floatx` when not given.
        seed: where the randomness comes from.

    >>> bool((binomial((100,), 10, 0.5) <= 10).all())
    True
    """
    room, wanted = _room(shape, dtype, "binomial")
    room.zero_()
    counts, odds = room + _on(counts, room), room + _on(probabilities, room)
    return _rounded(torch.binomial(counts, odds, generator=_generator(seed, room.device, "binomial")), wanted)


@op
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Class numbers, as likely as their logits say.

    Args:
        logits: tensor of shape ``(batch, classes)``.
        num_samples: how many to draw for each sample.
        dtype: an integer dtype.
        seed: where the randomness comes from.

    Returns:
        A tensor of shape ``(batch, num_samples)``.

    Raises:
        ShapeError: logits that do not have two axes.

    >>> categorical(torch.tensor([[0.0, 100.0]]), 3)
    tensor([[1, 1, 1]], dtype=torch.int32)
    """
    logits = floating(logits)
    if logits.ndim != 2:
        raise ShapeError(f"categorical takes logits of shape (batch, classes), but received {tuple(logits.shape)}.")
    odds = torch.softmax(logits.detach(), -1, dtype=logits.dtype if logits.dtype in _WIDE else torch.float32)
    source = _generator(seed, odds.device, "categorical")
    return torch.multinomial(odds, num_samples, replacement=True, generator=source).to(dtypes.to_torch(dtype))


@op
def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> Tensor:
    """Numbers set to zero with a probability, and the others scaled so that their mean stays.

    Source: Srivastava et al., 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Args:
        inputs: float tensor of any shape.
        rate: the probability, from 0 to 1.
        noise_shape: shape of the draw, broadcast against the input; ``None`` in it stands for the input's size.
        seed: where the randomness comes from.

    Returns:
        A tensor of the same shape.

    Raises:
        ArgumentError: a rate outside 0 to 1.

    >>> sorted(dropout(torch.ones(100), 0.5, seed=1).unique().tolist())
    [0.0, 2.0]
    """
    x = floating(inputs)
    if not 0 <= rate <= 1:
        raise ArgumentError(f"dropout takes a rate from 0 to 1, but got {rate!r}.")
    if seed is None and noise_shape is None:
        return F.dropout(x, rate)
    if rate == 1:
        return torch.zeros_like(x)
    sizes: Sequence[int] = x.shape
    if noise_shape is not None:
        sizes = [x.shape[i] if size is None else int(size) for i, size in enumerate(noise_shape)]
    kept = x.new_empty(sizes).bernoulli_(1 - rate, generator=_generator(seed, x.device, "dropout"))
    return x * kept.div_(1 - rate)


@op
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices along an axis in random order.

    Args:
        x: tensor of at least one axis.
        axis: along which.
        seed: where the randomness comes from.

    Returns:
        A tensor of the same shape and dtype.

    >>> shuffle(torch.arange(5)).sort().values
    tensor([0, 1, 2, 3, 4])
    """
    x = to_tensor(x)
    order = torch.randperm(x.shape[axis], generator=_generator(seed, x.device, "shuffle"), device=x.device)
    return x.index_select(axis, order)
