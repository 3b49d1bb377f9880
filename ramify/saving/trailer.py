"""A trailer behind the data of an HDF5 file: SHA-256 of every byte before it, compared before HDF5 sees the first one.

A damaged header can make HDF5 itself crash, so that checksums inside the file come too late. HDF5, and with it Keras,
reads nothing behind its own data; a program that writes into the file cuts the trailer off, and the file is then read
as others without one are.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

from ramify.errors import FileFormatError

_MAGIC = b"\nramify sha-256\n"
_LAYOUT = struct.Struct(f"<{len(_MAGIC)}sQ32s")  # magic, number of the bytes before, their hash
_PIECE = 2**20


def trailer(file: Any, size: int) -> bytes:
    """What stands behind the first `size` bytes of an open file, which are read."""
    digest, left = hashlib.sha256(), size
    room = memoryview(bytearray(min(_PIECE, size)))
    file.seek(0)
    while left and (count := file.readinto(room[:left])):
        digest.update(room[:count])
        left -= count
    return _LAYOUT.pack(_MAGIC, size, digest.digest())


def is_whole(path: Path) -> bool:
    """Whether a file has a trailer, and is what was written.

    Returns:
        False for files without a trailer, of which nothing is known.

    Raises:
        FileFormatError: there is a trailer, or what is left of one, and it does not fit.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        found, size = _end(file)
        if not _is_trailer(found, size):
            return False
        if found == trailer(file, size):
            return True
    raise FileFormatError(
        f"{path} is not what was saved: its SHA-256 differs, or its end is missing. It is damaged; take a copy of it."
    )


def has_trailer(path: Path) -> bool:
    """Whether a file ends in a trailer, whatever it says."""
    with path.open("rb") as file:
        return _is_trailer(*_end(file))


def _end(file: BinaryIO) -> tuple[bytes, int]:
    """The last bytes of a file, and how many stand before them."""
    size = max(0, file.seek(0, os.SEEK_END) - _LAYOUT.size)
    file.seek(size)
    return file.read(_LAYOUT.size), size


def _is_trailer(found: bytes, size: int) -> bool:
    """By either mark, so that damage of one is found: the magic, which may be cut short, or the number of bytes."""
    return _MAGIC in found or found[len(_MAGIC) :].startswith(struct.pack("<Q", size))
