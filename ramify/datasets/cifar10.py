"""CIFAR-10: 60,000 colour images of ten kinds of things, 32 x 32 (Krizhevsky, 2009)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ramify.datasets.cifar import in_layout, read_batch
from ramify.datasets.mnist import Sides
from ramify.datasets.sources import fetch


def load_data() -> Sides:
    """Download CIFAR-10 where it is not in the cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 of shapes ``(50000, 32, 32, 3)``, ``(50000, 1)``,
        ``(10000, 32, 32, 3)`` and ``(10000, 1)``; channels first where the global setting says so.

    Raises:
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    folder = Path(fetch("cifar-10-batches-py-target", extract=True)) / "cifar-10-batches-py"
    batches = [read_batch(folder / f"data_batch_{i}") for i in range(1, 6)]
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    test_images, test_labels = read_batch(folder / "test_batch")
    return (in_layout(images), labels), (in_layout(test_images), test_labels)
