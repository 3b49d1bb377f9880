"""What a zip says of its members, compared with what is there, before any of them is read."""

from __future__ import annotations

import io
import stat
import struct
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ramify.errors import FileFormatError, UnsafeFileError

MAX_DIRECTORY = 2**20
"""Bytes that the directory of a zip may have: some ten thousand members."""
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _BEHIND, _PATCH, _STRONG, _UTF8, _MASKED = 0x1, 0x8, 0x20, 0x40, 0x800, 0x2000
_ODD = _ENCRYPTED | _PATCH | _STRONG | _MASKED
_IN_64 = 2**32 - 1


class BoundedFile(io.BufferedReader):
    """An open file, of which no more is read at once than the directory of a zip may have, until `loosen`."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._path, self._most = path, MAX_DIRECTORY

    def loosen(self) -> None:
        """Let any number of bytes be read from now on."""
        self._most = sys.maxsize

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes.

        Raises:
            UnsafeFileError: too many at once.
        """
        if size is not None and size > self._most:
            raise UnsafeFileError(
                f"{self._path} lists its members in {size} bytes; no model file needs more than {self._most}."
            )
        return super().read(size)


class Member(NamedTuple):
    """A member, and where its bytes begin in the file."""

    info: zipfile.ZipInfo
    start: int


def members(archive: zipfile.ZipFile, file: BoundedFile, path: Path) -> dict[str, Member]:
    """The members of a zip by name. Each is described alike in the directory and before its data, and none overlap.

    Args:
        archive: the zip.
        file: the file that it was opened on.
        path: what it is called in messages.

    Raises:
        FileFormatError: members that are damaged, encrypted, or packed in an unknown way.
        UnsafeFileError: members that only a file made to deceive has.
    """
    found: dict[str, Member] = {}
    for info in archive.infolist():
        if info.filename in found:
            raise UnsafeFileError(f"{path} has two members named {info.filename!r}; which one counts is not decided.")
        _check(info, path)
        found[info.filename] = Member(info, _start(info, file, path))
    end = 0
    for info, start in sorted(found.values(), key=lambda member: member.info.header_offset):
        if info.header_offset < end:
            raise UnsafeFileError(f"The member {info.filename!r} of {path} lies within another one. It is not read.")
        end = start + info.compress_size
    if end > archive.start_dir:
        raise FileFormatError(f"{path} is damaged: its last member reaches beyond the place for members.")
    return found


def _check(info: zipfile.ZipInfo, path: Path) -> None:
    """What the directory says of a member."""
    name = info.orig_filename  # `filename` ends at a null byte
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or set("\\:\0") & set(name):
        raise UnsafeFileError(f"{path} has the member {name!r}, which no model file needs.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "link" if kind == stat.S_IFLNK else "pipe, socket or device"
        raise UnsafeFileError(f"The member {name!r} of {path} is a {what}. It is not followed.")
    if info.flag_bits & _ODD or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(f"The member {name!r} of {path} is encrypted or packed in an unknown way.")
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        raise FileFormatError(f"The member {name!r} of {path} has two sizes, though it is not packed. It is damaged.")


def _start(info: zipfile.ZipInfo, file: BoundedFile, path: Path) -> int:
    """Where the bytes of a member begin, behind a header that says what the directory does."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise FileFormatError(f"The member {info.filename!r} of {path} is not where the directory says. It is damaged.")
    _, _, flags, method, _, _, crc, packed, size, letters, more = _LOCAL.unpack(header)
    name = file.read(letters).decode("utf-8" if flags & _UTF8 else "cp437")
    extra = file.read(more)
    if _IN_64 in (packed, size):
        size, packed = _sizes_64(extra, size, packed)
    there = [(crc, info.CRC), (packed, info.compress_size), (size, info.file_size)]
    later = flags & _BEHIND  # what was not known yet is 0, and stands behind the data
    same = all(ours == theirs or (later and ours == 0) for ours, theirs in there)
    kinds = (flags ^ info.flag_bits) & (_ODD | _BEHIND) == 0 and method == info.compress_type
    if not (same and kinds and name == info.orig_filename):
        raise UnsafeFileError(
            f"The member {info.filename!r} of {path} is described in two ways, in the directory and before its data; "
            "which one counts is not decided."
        )
    return info.header_offset + _LOCAL.size + letters + more


def _sizes_64(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """The sizes out of the field for those that need 64 bits."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - 4) // 8}Q", extra, 4))
            size = next(numbers, size) if size == _IN_64 else size
            return size, next(numbers, packed) if packed == _IN_64 else packed
        extra = extra[4 + length :]
    return size, packed
