"""`SeedGenerator`: a seed that counts how often it was used."""

from __future__ import annotations

import operator
import random
from typing import Any, Self

import torch

from ramify import naming
from ramify.errors import ArgumentError
from ramify.registry import serializable
from ramify.variables import State


@serializable("keras.random")
class SeedGenerator:
    """Gives another seed each time it is asked, always the same ones in the same order.

    Args:
        seed: whole number of up to 63 bits; drawn from Python's generator when not given.
        name: a name for its state.
        **kwargs: none.

    Attributes:
        state: the seed and the count, an int64 tensor of shape ``(2,)`` on the CPU.

    Raises:
        ArgumentError: a seed that is no whole number.

    Example:

    >>> from ramify import random
    >>> a, b = random.SeedGenerator(7), random.SeedGenerator(7)
    >>> first = random.normal((3,), seed=a)
    >>> torch.equal(first, random.normal((3,), seed=a)), torch.equal(first, random.normal((3,), seed=b))
    (False, True)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ArgumentError(f"SeedGenerator does not know the arguments {sorted(kwargs)}.")
        if seed is None:
            seed = random.randrange(2**31)
        try:
            self.seed = operator.index(seed)
        except TypeError:
            self.seed = -(2**63) - 1
        if isinstance(seed, bool) or not -(2**63) <= self.seed < 2**63:
            raise ArgumentError(f"SeedGenerator takes a whole number of up to 63 bits as seed, but got {seed!r}.")
        self.name = name or naming.auto_name("seed_generator")
        self.state = State.make(torch.tensor([self.seed, 0], device="cpu"), "seed_generator_state")

    def next(self, ordered: bool = True) -> torch.Tensor:
        """The next seed: the number given and how many came before, int64 of shape ``(2,)``.

        Args:
            ordered: accepted for Keras's sake; seeds always come in order.
        """
        value = self.state.value.clone()
        self.state.value[1].add_(1)
        return value

    def get_config(self) -> dict[str, Any]:
        """Seed and name; the count starts anew."""
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A generator from its config."""
        return cls(**config)
