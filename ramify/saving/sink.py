"""HDF5 files that are being written, on disks that may be full."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ramify.lazy import lazy
from ramify.saving.trailer import trailer

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")


@contextlib.contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file to write into, which gets a trailer when it is done.

    HDF5 does not get over a write that failed: its file can no longer be closed, and what it held in memory stays. So
    it never hears of one; the error is raised when the file is closed.

    Args:
        path: where it is made.

    Raises:
        OSError: the disk is full, or fails otherwise.
    """
    with io.FileIO(path, "w+") as handle:
        sink = _Sink(handle)
        try:
            with h5py.File(sink, "w") as file:
                yield file
            sink.end()
        except Exception as error:  # noqa: BLE001 - goes on, if it is no consequence of the first
            raise sink.error or error from None
        if sink.error is not None:
            raise sink.error


class _Sink(io.RawIOBase):
    """A file that remembers its first error, and takes everything from then on without keeping it."""

    def __init__(self, handle: io.FileIO) -> None:
        self._handle = handle
        self._at = 0
        self._size = 0
        self.error: OSError | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self._size = self._at if size is None else size
        self._keep(lambda: self._handle.truncate(self._size))
        return self._size

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._keep(lambda: self._put(view))
        self._at += len(view)
        self._size = max(self._size, self._at)
        return len(view)

    def end(self) -> None:
        """Put the trailer behind all that was written."""
        self._keep(lambda: self._put(memoryview(trailer(self._handle, self.seek(0, io.SEEK_END)))))

    def _put(self, view: memoryview) -> None:
        self._handle.seek(self._at)
        done = 0
        while done < len(view):  # a disk that is getting full takes a part
            done += self._handle.write(view[done:])

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self.error is not None:
            count = len(view)
        else:
            self._handle.seek(self._at)
            count = self._handle.readinto(view)
        self._at += count
        return count

    def _keep(self, action: Any) -> None:
        if self.error is None:
            try:
                action()
            except OSError as error:
                self.error = error
