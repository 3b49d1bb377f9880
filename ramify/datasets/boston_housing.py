"""Prices of 506 homes around Boston, with 13 measurements (Harrison and Rubinfeld, 1978).

One of the measurements is the share of black residents, put into a formula that assumes that segregation raises prices:
the data set serves to show such bias, and to compare with old results.
"""

from __future__ import annotations

from ramify.datasets.houses import split
from ramify.datasets.mnist import Sides
from ramify.datasets.sources import fetch


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Sides:
    """Download the prices where they are not in the cache.

    Args:
        path: name of the file in the cache.
        test_split: share of the samples that is kept for testing.
        seed: settles the order.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float64 of shapes ``(samples, 13)`` and ``(samples,)``; prices in
        thousands of dollars.

    Raises:
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    return split(fetch("boston_housing.npz", path), test_split, seed)
