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
