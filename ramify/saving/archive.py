"""The zip around a ``.keras`` file: three members and assets, each looked at before it is read."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Self

from ramify.errors import FileFormatError, UnsafeFileError

METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets/"
MAX_JSON = 256 * 2**20
MAX_DEFLATED_JSON = 32 * 2**20
_CHUNK = 2**20
_LOCAL_HEADER = 30


def write(path: Path, members: Mapping[str, Any]) -> None:
    """Write a zip with stored members.

    Args:
        path: where to.
        members: name -> bytes or a buffer, in order.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            with archive.open(name, "w", force_zip64=len(data) > 2**31) as member:
                for start in range(0, len(data), 64 * _CHUNK):
                    member.write(data[start : start + 64 * _CHUNK])


class Archive:
    """An open ``.keras`` file.

    Args:
        path: the file.

    Raises:
        FileFormatError: it is no zip, is damaged, or lacks a member.
        UnsafeFileError: a member has a name that no model file needs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(self._handle)
            self._members = self._checked()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
            self.close()
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(f"{path} {self._what(error)}") from None

    def _what(self, error: Exception) -> str:
        with self.path.open("rb") as handle:
            start = handle.read(8)
        if start == b"\x89HDF\r\n\x1a\n":
            return (
                "is an HDF5 file. If it holds weights only, build the model and call `model.load_weights`; a whole "
                "model in Keras's old format must have a name that ends in `.h5`."
            )
        return f"is no `.keras` file, or a damaged one: {error}. Such a file is a zip with {CONFIG} and {WEIGHTS}."

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            name = info.filename
            if name in members:
                raise UnsafeFileError(f"{self.path} has two members named {name!r}; which one counts is not decided.")
            parts = PurePosixPath(name).parts
            inside = name in (METADATA, CONFIG, WEIGHTS) or name.startswith(ASSETS)
            if ".." in parts or name.startswith("/") or "\\" in name or ":" in name or "\0" in name or not inside:
                raise UnsafeFileError(f"{self.path} has the member {name!r}, which no model file needs.")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise UnsafeFileError(f"The member {name!r} of {self.path} is a link. It is not followed.")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileFormatError(f"The member {name!r} of {self.path} is encrypted or packed in an unknown way.")
            members[name] = info
        for name in (CONFIG, WEIGHTS):
            if name not in members:
                raise FileFormatError(
                    f"{self.path} has no {name} (it has {sorted(members) or 'nothing'}). It is incomplete, or another "
                    "kind of zip. Save the model again."
                )
        return members

    def json(self, name: str) -> dict[str, Any]:
        """A member as JSON; empty for metadata that is not there.

        Raises:
            FileFormatError: damaged, too large, or no JSON object.
        """
        info = self._members.get(name)
        if info is None:
            return {}
        limit = MAX_JSON if info.compress_type == zipfile.ZIP_STORED else MAX_DEFLATED_JSON
        if info.file_size > limit:
            raise UnsafeFileError(f"{name} in {self.path} unpacks to {info.file_size} bytes; at most {limit} are read.")
        return parsed(self._bytes(info, limit), f"{name} in {self.path}")

    def _bytes(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        try:
            with self._zip.open(info) as member:
                data = member.read(limit + 1)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise FileFormatError(f"{info.filename} in {self.path} is damaged: {error}.") from None
        except Exception as error:  # zlib has an error class of its own
            raise FileFormatError(f"{info.filename} in {self.path} cannot be unpacked: {error}.") from error
        if len(data) > limit:
            raise UnsafeFileError(f"{info.filename} in {self.path} is larger than the {limit} bytes that are read.")
        return data

    def weights(self, limit: int) -> BinaryIO:
        """The weights as an open file, its checksum compared; a stored member is read where it is.

        Args:
            limit: bytes that a packed member may unpack to.
        """
        info = self._members[WEIGHTS]
        if info.compress_type == zipfile.ZIP_DEFLATED:
            if info.file_size > limit:
                raise UnsafeFileError(
                    f"{WEIGHTS} in {self.path} unpacks to {info.file_size} bytes, but the model needs at most {limit}."
                )
            return io.BytesIO(self._bytes(info, limit))
        try:
            with self._zip.open(info) as member:
                while member.read(_CHUNK):  # the zip's own checksum is compared at the end
                    pass
        except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
            raise FileFormatError(f"{WEIGHTS} in {self.path} is damaged: {error}. Take a copy of the file.") from None
        self._handle.seek(info.header_offset)
        header = self._handle.read(_LOCAL_HEADER)
        start = info.header_offset + _LOCAL_HEADER + int.from_bytes(header[26:28], "little")
        start += int.from_bytes(header[28:30], "little")
        return io.BufferedReader(_Window(self._handle, start, info.file_size))

    def assets(self, path: str) -> dict[str, bytes]:
        """The assets of a layer: name -> content."""
        prefix = f"{ASSETS}{path}/" if path else ASSETS
        found = [info for name, info in self._members.items() if name.startswith(prefix) and not name.endswith("/")]
        return {info.filename.removeprefix(prefix): self._bytes(info, MAX_JSON) for info in found}


class _Window(io.RawIOBase):
    """A part of an open file, as a file."""

    def __init__(self, handle: BinaryIO, start: int, size: int) -> None:
        self._handle, self._start, self._size, self._at = handle, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        self._handle.seek(self._start + self._at)
        count = self._handle.readinto(room) if len(room) else 0  # type: ignore[attr-defined]
        self._at += count
        return int(count)


def parsed(data: bytes | str, name: str) -> dict[str, Any]:
    """JSON that holds an object.

    Raises:
        FileFormatError: anything else.
    """
    try:
        value = json.loads(data, object_pairs_hook=lambda pairs: _unambiguous(pairs, name))
    except RecursionError:
        raise UnsafeFileError(f"{name} nests deeper than any model does. It is not read.") from None
    except UnsafeFileError:
        raise
    except ValueError as error:
        raise FileFormatError(f"{name} is no JSON: {error}. The file is damaged.") from None
    if not isinstance(value, dict):
        raise FileFormatError(f"{name} holds {type(value).__name__}, where an object belongs. The file is damaged.")
    return value


def _unambiguous(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnsafeFileError(f"{name} has two values for {twice!r:.60}; which one counts is not decided.")
    return found
