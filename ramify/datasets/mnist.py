"""MNIST: 70,000 handwritten digits, 28 x 28 (LeCun, Cortes and Burges, 1998)."""

from __future__ import annotations

import numpy as np

from ramify.datasets.reading import read_npz
from ramify.datasets.sources import fetch

Sides = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def load_data(path: str = "mnist.npz") -> Sides:
    """Download MNIST where it is not in the cache.

    Args:
        path: name of the file in the cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 of shapes ``(60000, 28, 28)``, ``(60000,)``,
        ``(10000, 28, 28)`` and ``(10000,)``; pixels from 0 to 255, classes from 0 to 9.

    Raises:
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    data = read_npz(fetch("mnist.npz", path))
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
