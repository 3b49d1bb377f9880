"""How much room the texts of an HDF5 file can take when they are read.

Texts of any length stand in heaps, and attributes hold references: four bytes of length, eight of the heap's address,
four of the text's number. Many references may be to one long text, so that reading a list of names from a small file
takes gigabytes; HDF5 reads an attribute whole, and does not tell before. Long texts are rare (a model's config is one),
so their references can be counted. See the HDF5 File Format Specification 3.0, III.E "Global Heap".
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ramify.errors import UnsafeFileError

SHORT = 4096  # bytes of a text that is not long
_MOST_LONG = 64
_SIGNATURE, _HEAP = b"\x89HDF\r\n\x1a\n", b"GCOL\x01\0\0\0"


def shared_texts(source: Any) -> int:
    """The bytes of all long texts of a file, each as often as something may refer to it.

    Args:
        source: path of the file.

    Raises:
        UnsafeFileError: the file is laid out in a way that does not allow it to be told.
    """
    if not isinstance(source, Path):
        raise UnsafeFileError("Lists of names are read from files of their own alone.")
    with source.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:8] != _SIGNATURE or data[13 if data[8] < 2 else 9] != 8:
            raise UnsafeFileError(f"{source} does not begin as HDF5 files of Keras do. It is not read.")
        total = 0
        for number, (reference, size) in enumerate(_long_texts(data)):
            if number == _MOST_LONG:
                raise UnsafeFileError(f"{source} has more than {_MOST_LONG} long texts. It is not read.")
            total += size * _count(data, reference)
        return total


def _long_texts(data: mmap.mmap) -> Iterator[tuple[bytes, int]]:
    """How a reference to each long text ends, and the text's size."""
    start = data.find(_HEAP)
    while start >= 0:
        place, end = start + 16, min(len(data), start + int.from_bytes(data[start + 8 : start + 16], "little"))
        while place + 16 <= end:
            number = int.from_bytes(data[place : place + 2], "little")
            size = int.from_bytes(data[place + 8 : place + 16], "little")
            if number == 0 or size > end - place:
                break
            if size > SHORT:
                yield start.to_bytes(8, "little") + number.to_bytes(4, "little"), size
            place += 16 + -(-size // 8) * 8
        start = data.find(_HEAP, start + 8)


def _count(data: mmap.mmap, pattern: bytes) -> int:
    found, place = 0, data.find(pattern)
    while place >= 0:
        found, place = found + 1, data.find(pattern, place + 1)
    return found
