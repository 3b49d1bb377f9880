"""What CIFAR-10 and CIFAR-100 have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ramify import image_format
from ramify.datasets.reading import read_pickle


def read_batch(path: Path, label: bytes = b"labels", dtype: str = "uint8") -> tuple[np.ndarray, np.ndarray]:
    """Images of shape ``(count, 3, 32, 32)`` and labels of shape ``(count, 1)``."""
    batch = read_pickle(path)
    images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32)
    return images, np.asarray(batch[label], dtype).reshape(-1, 1)


def in_layout(images: np.ndarray) -> np.ndarray:
    """Images with their channels where the global setting has them."""
    return images if image_format.image_data_format() == "channels_first" else images.transpose(0, 2, 3, 1)
