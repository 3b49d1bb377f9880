"""Reading what the files hold, without running what a pickle could name.

Some of these files are pickles (CIFAR) or hold pickled lists (IMDB, Reuters). Only what makes up lists, dicts and
arrays is allowed in them.
"""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from ramify.errors import FileFormatError, UnsafeFileError

_ALLOWED = {
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class PlainUnpickler(pickle.Unpickler):
    """Knows numbers, texts, lists, dicts and NumPy arrays; refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """The few names that arrays are made of."""
        if (module, name) not in _ALLOWED:
            raise UnsafeFileError(f"The file asks for {module}.{name}, which no data needs. It is not read.")
        return super().find_class(module, name)


def read_pickle(path: str | Path) -> Any:
    """A pickle of plain data; texts of Python 2 come as bytes."""
    with Path(path).open("rb") as file:
        return PlainUnpickler(file, encoding="bytes").load()


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file; arrays of lists, too.

    Raises:
        FileFormatError: no such file.
        UnsafeFileError: a pickle in it asks for more than lists and arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _array(io.BytesIO(archive.read(name))) for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"{path} is no .npz file ({error}). Remove it, so that it is downloaded again."
        ) from error


def _array(file: IO[bytes]) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    found: np.ndarray = PlainUnpickler(file, encoding="bytes").load()
    return found.reshape(shape)


def read_idx(path: str | Path) -> np.ndarray:
    """An array in MNIST's own format, compressed: bytes of any rank.

    Raises:
        FileFormatError: another kind of file.
    """
    with gzip.open(path) as file:
        zeros, kind, rank = file.read(2), *file.read(2)
        if zeros != b"\0\0" or kind != 8:
            raise FileFormatError(f"{path} is no file of bytes in IDX format. Remove it and try again.")
        shape = np.frombuffer(file.read(4 * rank), ">i4")
        return np.frombuffer(file.read(), np.uint8).reshape(shape)
