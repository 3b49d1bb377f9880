"""What the two data sets of house prices have in common."""

from __future__ import annotations

import numpy as np

from ramify.datasets.mnist import Sides
from ramify.datasets.reading import read_npz
from ramify.errors import ArgumentError


def split(path: str, test_split: float, seed: int, count: int | None = None) -> Sides:
    """The first `count` samples of a file, shuffled as Keras shuffles them, the last share kept for testing."""
    if not 0 <= test_split < 1:
        raise ArgumentError(f"test_split must lie between 0 and 1, but is {test_split}.")
    data = read_npz(path)
    x, y = data["x"][:count], data["y"][:count]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)  # Keras's draw
    x, y = x[order], y[order]
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
