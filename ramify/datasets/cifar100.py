"""CIFAR-100: 60,000 colour images of a hundred kinds of things in twenty groups, 32 x 32 (Krizhevsky, 2009)."""

from __future__ import annotations

from pathlib import Path

from ramify.datasets.cifar import in_layout, read_batch
from ramify.datasets.mnist import Sides
from ramify.datasets.sources import fetch
from ramify.errors import ArgumentError


def load_data(label_mode: str = "fine") -> Sides:
    """Download CIFAR-100 where it is not in the cache.

    Args:
        label_mode: ``"fine"`` for the hundred kinds, ``"coarse"`` for the twenty groups.

    Returns:
        As `cifar10.load_data`, with int64 classes.

    Raises:
        ArgumentError: another `label_mode`.
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    if label_mode not in ("fine", "coarse"):
        raise ArgumentError(f"label_mode must be 'fine' or 'coarse', but is {label_mode!r}.")
    folder = Path(fetch("cifar-100-python-target", extract=True)) / "cifar-100-python"
    label = f"{label_mode}_labels".encode()
    sides = (read_batch(folder / side, label, "int64") for side in ("train", "test"))
    (images, labels), (test_images, test_labels) = sides
    return (in_layout(images), labels), (in_layout(test_images), test_labels)
