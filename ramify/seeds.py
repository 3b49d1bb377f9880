"""Where what draws gets its randomness from: a seed becomes a generator."""

from __future__ import annotations

import operator
from typing import Any

import torch

from ramify.errors import ArgumentError

_MASK = 2**64 - 1


def check_seed(seed: Any, owner: str) -> Any:
    """Return the seed as it is kept: ``None``, an `int`, or an object with a `next` method.

    Raises:
        ArgumentError: anything else.
    """
    if seed is None or callable(getattr(seed, "next", None)):
        return seed
    if not isinstance(seed, bool):
        try:
            return operator.index(seed)
        except TypeError:
            pass
    raise ArgumentError(
        f"{owner} cannot take seed={seed!r}. Use None (torch's global generator), a whole number, or a SeedGenerator."
    )


def generator(seed: Any, device: torch.device) -> torch.Generator | None:
    """The generator to draw with: torch's global one (``None``) without a seed, else a fresh one started from it."""
    if seed is None:
        return None
    if not isinstance(seed, int):
        drawn = seed.next()
        if isinstance(drawn, torch.Generator):
            return drawn
        seed = _mix(torch.as_tensor(drawn).flatten().tolist())
    elif not 0 <= seed < 2**32:
        seed = _mix([seed])
    return torch.Generator(device=device).manual_seed(seed)


def _mix(words: list[int]) -> int:
    """Fold a seed of several words, or of a large one, into 64 bits.

    Every bit must reach the low 32, the only ones that torch's generator on the CPU uses: hence the finalizer of
    SplitMix64 (Steele et al., 2014, "Fast splittable pseudorandom number generators") after each word.
    """
    state = 0
    for word in words:
        state = (state + int(word) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


class Stream:
    """A reproducible sequence of random numbers on every device that asks for them.

    Without a seed, everything is drawn from torch's global generator, which `torch.manual_seed` governs. With one, each
    device has a generator of its own that starts from the seed and goes on from draw to draw. Copies and pickles go on
    from where the original stood.

    Args:
        seed: ``None``, a whole number, or an object with a method `next` that gives a new seed for every draw.
        owner: who draws; for messages.

    Raises:
        ArgumentError: anything else as a seed.

    Example:

    >>> x = torch.zeros(3)
    >>> a, b = Stream(7), Stream(7)
    >>> bool((a.uniform(x, x.shape) == b.uniform(x, x.shape)).all())
    True
    """

    def __init__(self, seed: Any = None, owner: str = "Stream") -> None:
        self.seed = check_seed(seed, owner)
        self._generators: dict[str, torch.Generator] = {}

    @property
    def is_global(self) -> bool:
        """Whether torch's global generator is drawn from."""
        return self.seed is None

    def generator(self, device: torch.device) -> torch.Generator | None:
        """The generator to draw with on a device; ``None`` is torch's global one."""
        if self.seed is None or device.type == "meta":
            return None
        if not isinstance(self.seed, int):
            return generator(self.seed, device)
        key = str(device)
        if key not in self._generators:
            made = generator(self.seed, device)
            assert made is not None  # there is a seed
            self._generators[key] = made
        return self._generators[key]

    def bernoulli(self, like: torch.Tensor, shape: Any, probability: float) -> torch.Tensor:
        """Ones with the given probability, else zeros, of the dtype and on the device of `like`."""
        return like.new_empty(shape).bernoulli_(probability, generator=self.generator(like.device))

    def normal(self, like: torch.Tensor, mean: float, stddev: float) -> torch.Tensor:
        """Normal numbers of the shape, the dtype and on the device of `like`."""
        return torch.empty_like(like).normal_(mean, stddev, generator=self.generator(like.device))

    def uniform(self, like: torch.Tensor, shape: Any) -> torch.Tensor:
        """Numbers from 0 to 1 of the dtype and on the device of `like`."""
        return like.new_empty(shape).uniform_(generator=self.generator(like.device))

    def positions(self) -> dict[str, torch.Tensor]:
        """How far each device has got."""
        return {key: generator.get_state() for key, generator in self._generators.items()}

    def rewind(self, positions: dict[str, torch.Tensor]) -> None:
        """Go on from where `positions` says; a device that it does not name starts from the seed."""
        for key in set(self._generators) - set(positions):
            del self._generators[key]
        for key, position in positions.items():
            self._generators[key].set_state(position)

    def __getstate__(self) -> dict[str, Any]:
        """The seed, and how far each device has got."""
        return {"seed": self.seed, "states": self.positions()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.seed, self._generators = state["seed"], {}
        for key, reached in state["states"].items():
            self._generators[key] = torch.Generator(device=key)
            self._generators[key].set_state(reached)
