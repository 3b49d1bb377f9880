"""The zip around a ``.keras`` file: three members and assets, each looked at before it is read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from ramify.errors import FileFormatError, UnsafeFileError
from ramify.saving.zips import BoundedFile, Member, members

METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets/"
MAX_JSON = 256 * 2**20
MAX_DEFLATED_JSON = 32 * 2**20
MAX_DEFLATED_ASSETS = 8 * 2**20  # all of them together
_SPARE = 64 * 2**20
_VALUE, _OBJECT = 64, 200  # bytes that a value and an object of JSON take at most, on the whole
_CHUNK = 2**20


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a zip with stored members.

    Args:
        path: where to.
        content: name -> bytes or a buffer, in order.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in content.items():
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
        self._handle = BoundedFile(path)
        try:
            self._zip = zipfile.ZipFile(self._handle)
            self._members = self._checked()
            self._handle.loosen()
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

    def _checked(self) -> dict[str, Member]:
        found = members(self._zip, self._handle, self.path)
        for name in found:
            if name not in (METADATA, CONFIG, WEIGHTS) and not name.startswith(ASSETS):
                raise UnsafeFileError(f"{self.path} has the member {name!r}, which no model file needs.")
        for name in (CONFIG, WEIGHTS):
            if name not in found:
                raise FileFormatError(
                    f"{self.path} has no {name} (it has {sorted(found)[:20] or 'nothing'}). It is incomplete, or "
                    "another kind of zip. Save the model again."
                )
        assets = [info for name, (info, _) in found.items() if name.startswith(ASSETS)]
        packed = sum(info.file_size for info in assets if info.compress_type == zipfile.ZIP_DEFLATED)
        if packed > MAX_DEFLATED_ASSETS:
            raise UnsafeFileError(
                f"The assets in {self.path} unpack to {packed} bytes; at most {MAX_DEFLATED_ASSETS} are read. Save the "
                "model again: assets are written as they are, and are read at any size then."
            )
        return found

    def json(self, name: str) -> dict[str, Any]:
        """A member as JSON; empty for metadata that is not there.

        Raises:
            FileFormatError: damaged, too large, or no JSON object.
        """
        if name not in self._members:
            return {}
        info = self._members[name].info
        limit = MAX_JSON if info.compress_type == zipfile.ZIP_STORED else MAX_DEFLATED_JSON
        if info.file_size > limit:
            raise UnsafeFileError(f"{name} in {self.path} unpacks to {info.file_size} bytes; at most {limit} are read.")
        data = self._bytes(info, limit)
        return parsed_within(data, self.path.stat().st_size, f"{name} in {self.path}")

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
        info, start = self._members[WEIGHTS]
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
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise FileFormatError(f"{WEIGHTS} in {self.path} is damaged: {error}. Take a copy of the file.") from None
        return io.BufferedReader(_Window(self._handle, start, info.file_size))

    def assets(self, path: str) -> dict[str, bytes]:
        """The assets of a layer: name -> content."""
        prefix = f"{ASSETS}{path}/" if path else ASSETS
        found = [
            info for name, (info, _) in self._members.items() if name.startswith(prefix) and not name.endswith("/")
        ]
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


def parsed_within(data: bytes, size: int, name: str) -> dict[str, Any]:
    """JSON that holds an object, which takes no more room than a file of `size` bytes may.

    Raises:
        FileFormatError: anything else.
    """
    takes = _VALUE * (data.count(b",") + data.count(b"[")) + _OBJECT * data.count(b"{")
    if takes > 2 * size + _SPARE:
        raise UnsafeFileError(f"{name} is small, but has too many values to be a model's.")
    return parsed(data, name)


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
