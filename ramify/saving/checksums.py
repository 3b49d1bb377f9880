"""A checksum per tensor: damage of the data is found when it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ramify.errors import FileFormatError

KEY = "ramify"


def checksum(array: np.ndarray[Any, Any]) -> str:
    """SHA-256 of an array's dtype, shape and data."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def check(array: np.ndarray[Any, Any], path: str, sums: Mapping[str, str]) -> None:
    """Hold an array against the checksum that was saved for it, if one was.

    Raises:
        FileFormatError: they differ.
    """
    expected = sums.get(path)
    if expected is not None and checksum(array) != expected:
        raise FileFormatError(
            f"The data of '{path}' is not what was saved: its SHA-256 differs. The file is damaged; take a copy of it."
        )
