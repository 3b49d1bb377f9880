"""Initializers that draw: uniform, normal, truncated normal, orthogonal.

In-place torch kernels fill the whole tensor. What is narrower than float32 is drawn in float32 and then rounded, since
eight random bits are no uniform number.
"""

from __future__ import annotations

import math
from typing import Any, Self

import torch

from ramify import dtypes, registry
from ramify.errors import ArgumentError, ShapeError
from ramify.initializers.base import Initializer, Shape, empty, sizes
from ramify.registry import serializable
from ramify.seeds import check_seed, generator

_WIDE = (torch.float32, torch.float64)
# erf(2 / sqrt(2)), rounded down so that no draw comes out beyond two standard deviations.
_WITHIN_TWO = 0.9544997


class RandomInitializer(Initializer):
    """What the drawing initializers share: a seed.

    Args:
        seed: ``None`` draws from torch's global generator, which `torch.manual_seed` governs: each call gives other
            numbers. A whole number gives the same numbers in each call. A SeedGenerator is asked for a new seed in
            each call.
    """

    def __init__(self, seed: Any = None) -> None:
        self.seed = check_seed(seed, type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": registry.serialize(self.seed)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An initializer from its config; a SeedGenerator in it comes back as one."""
        if isinstance(config.get("seed"), dict):
            config = {**config, "seed": registry.deserialize(config["seed"], "keras.random", what="seed")}
        return cls(**config)

    def _room(self, shape: Shape, dtype: Any) -> tuple[torch.Tensor, torch.dtype]:
        """A tensor to draw into, and the dtype it is to have in the end."""
        wanted = dtypes.to_torch(dtype)
        if not wanted.is_floating_point:
            raise ArgumentError(
                f"{type(self).__name__} draws floating-point numbers, not {dtypes.name(wanted)}. Give a float dtype."
            )
        return empty(shape, wanted if wanted in _WIDE else torch.float32), wanted

    def _uniform(self, shape: Shape, dtype: Any, low: float, high: float) -> torch.Tensor:
        room, wanted = self._room(shape, dtype)
        return room.uniform_(low, high, generator=generator(self.seed, room.device)).to(wanted)

    def _normal(self, shape: Shape, dtype: Any, mean: float, stddev: float) -> torch.Tensor:
        room, wanted = self._room(shape, dtype)
        return room.normal_(mean, stddev, generator=generator(self.seed, room.device)).to(wanted)

    def _truncated(self, shape: Shape, dtype: Any, mean: float, stddev: float) -> torch.Tensor:
        """Normal numbers within two standard deviations, by the inverse of their distribution function."""
        room, wanted = self._room(shape, dtype)
        room.uniform_(-_WITHIN_TWO, _WITHIN_TWO, generator=generator(self.seed, room.device))
        room.erfinv_().mul_(stddev * math.sqrt(2.0))
        return (room.add_(mean) if mean else room).to(wanted)


@serializable("keras.initializers", "random_uniform", "uniform")
class RandomUniform(RandomInitializer):
    """Uniform numbers from an interval.

    Args:
        minval: lower end, included.
        maxval: upper end, excluded.
        seed: see `RandomInitializer`.

    Raises:
        ArgumentError: the ends are the wrong way round.

    >>> values = RandomUniform(0.0, 1.0, seed=1)((100,))
    >>> bool((values >= 0).all() and (values < 1).all())
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        if minval > maxval:
            raise ArgumentError(f"RandomUniform from minval={minval} to maxval={maxval} is empty. Swap them.")
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Draw a tensor of a float dtype."""
        return self._uniform(shape, dtype, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        """Seed and ends."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


@serializable("keras.initializers", "random_normal", "normal")
class RandomNormal(RandomInitializer):
    """Normal numbers.

    Args:
        mean: their mean.
        stddev: their standard deviation, not negative.
        seed: see `RandomInitializer`.

    >>> RandomNormal(stddev=0.01)((3, 2)).shape
    torch.Size([3, 2])
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = _not_negative(stddev, type(self).__name__)
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Draw a tensor of a float dtype."""
        return self._normal(shape, dtype, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        """Seed, mean and standard deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@serializable("keras.initializers", "truncated_normal")
class TruncatedNormal(RandomInitializer):
    """Normal numbers without those that lie more than two standard deviations from the mean.

    Args:
        mean: their mean.
        stddev: the standard deviation before the cut, not negative; after it, 0.88 times that.
        seed: see `RandomInitializer`.

    >>> bool(TruncatedNormal(stddev=1.0)((100,)).abs().max() <= 2)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = _not_negative(stddev, type(self).__name__)
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Draw a tensor of a float dtype."""
        return self._truncated(shape, dtype, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        """Seed, mean and standard deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@serializable("keras.initializers", "orthogonal", "OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer.

    Sizes before the last are taken together as the rows. The matrix is uniform among the orthogonal ones: the Q of a
    normal matrix's QR, with R's diagonal made positive (Mezzadri, 2007, "How to generate random matrices from the
    classical compact groups"; for networks: Saxe et al., 2014, https://arxiv.org/abs/1312.6120).

    Args:
        gain: what the matrix is multiplied by.
        seed: see `RandomInitializer`.

    >>> q = Orthogonal()((3, 5))
    >>> torch.allclose(q @ q.T, torch.eye(3), atol=1e-5)
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Draw a tensor of a float dtype.

        Raises:
            ShapeError: the shape has fewer than two sizes.
        """
        shape = sizes(shape)
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal needs two sizes or more, not the shape {shape}. Use another initializer.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        room, wanted = self._room((max(rows, columns), min(rows, columns)), dtype)
        q, r = torch.linalg.qr(room.normal_(generator=generator(self.seed, room.device)))
        q *= torch.copysign(torch.ones_like(r.diagonal()), r.diagonal()) * self.gain
        return (q.T if rows < columns else q).reshape(shape).contiguous().to(wanted)

    def get_config(self) -> dict[str, Any]:
        """Seed and gain."""
        return {**super().get_config(), "gain": self.gain}


def _not_negative(stddev: float, owner: str) -> float:
    if stddev < 0:
        raise ArgumentError(f"{owner} cannot have the standard deviation {stddev}: it must not be negative.")
    return stddev
