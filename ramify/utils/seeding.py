"""One seed for every source of random numbers."""

from __future__ import annotations

import random

import numpy as np
import torch

from ramify.errors import ArgumentError


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators (on every device).

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ArgumentError: anything else.

    Example:

    >>> import torch
    >>> set_random_seed(7)
    >>> first = torch.rand(3)
    >>> set_random_seed(7)
    >>> torch.equal(first, torch.rand(3))
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ArgumentError(f"seed={seed!r} is no seed. Give an integer from 0 to 2**32 - 1.")
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - the global generator is what users' code draws from
    torch.manual_seed(int(seed))
