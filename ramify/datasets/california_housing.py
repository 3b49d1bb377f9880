"""Median prices of homes in 20,640 districts of California, with 8 measurements (Pace and Barry, 1997)."""

from __future__ import annotations

from ramify.datasets.houses import split
from ramify.datasets.mnist import Sides
from ramify.datasets.sources import fetch
from ramify.errors import ArgumentError


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Sides:
    """Download the prices where they are not in the cache.

    Args:
        version: ``"large"`` for all districts, ``"small"`` for the first 600.
        path: name of the file in the cache.
        test_split: share of the samples that is kept for testing.
        seed: settles the order.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float32 of shapes ``(samples, 8)`` and ``(samples,)``; prices in
        dollars.

    Raises:
        ArgumentError: another `version`.
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    if version not in ("large", "small"):
        raise ArgumentError(f"version must be 'large' or 'small', but is {version!r}.")
    return split(fetch("california_housing.npz", path), test_split, seed, 600 if version == "small" else None)
