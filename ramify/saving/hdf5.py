"""Weights in HDF5, in the layout of Keras 3: ``layers/dense/vars/0``, the layer's name as an attribute beside them.

Reading trusts nothing: only groups and datasets that lie in the file itself, of plain numbers, are looked at, and no
data is read before its shape and dtype were compared with those of the weight it is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import torch

from ramify.errors import FileFormatError, UnsafeFileError
from ramify.lazy import lazy
from ramify.saving.checksums import check, checksum
from ramify.saving.parts import Part, join

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")

MAX_OBJECTS = 2_000_000
MAX_UNASKED = 64 * 2**20  # bytes that a dataset may have on the word of the file alone
SUMS = "ramify_sha256"
_BITS = {torch.bfloat16: torch.int16, torch.float8_e4m3fn: torch.int8, torch.float8_e5m2: torch.int8}
_NO_NUMPY = {str(dtype).removeprefix("torch."): dtype for dtype in _BITS}


# ---- writing ----


def array_of(value: Any) -> tuple[np.ndarray[Any, Any], str | None]:
    """A weight as an array, and the name of its dtype where NumPy has none."""
    if isinstance(value, torch.Tensor):
        plain = value.detach().as_subclass(torch.Tensor).cpu()
        if plain.dtype in _BITS:
            bits = plain.contiguous().view(_BITS[plain.dtype]).numpy()
            return bits.view(f"V{bits.itemsize}"), str(plain.dtype).removeprefix("torch.")
        return plain.numpy(), None
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a weight file holds numbers, but received an array of dtype {array.dtype}")
    return array, None


def write(file: h5py.File, parts: list[Part]) -> dict[str, str]:
    """Write the weights of all parts; returns path -> checksum."""
    sums: dict[str, str] = {}
    for part in parts:
        store: dict[str, Any] = {}
        part.owner.save_own_variables(store)
        place = join(part.path, "vars")
        group = file.require_group(place)
        group.attrs["name"] = part.name
        for key, value in store.items():
            array, kind = array_of(value)
            dataset = group.create_dataset(key, data=array)
            if kind is not None:
                dataset.attrs["dtype"] = kind
            sums[f"{place}/{key}"] = checksum(array)
    return sums


# ---- reading ----


class Entry:
    """One array in the file, not read yet.

    Attributes:
        path: where it is in the file.
        shape: its shape.
        dtype: its `torch.dtype`.
    """

    def __init__(self, path: str, dataset: h5py.Dataset, sums: Mapping[str, str]) -> None:
        self.path = path
        self._dataset = dataset
        self._sums = sums
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        kind = _text(dataset.attrs, "dtype") if dataset.dtype.kind == "V" else None
        self._bits = _NO_NUMPY.get(str(kind))
        if dataset.dtype.kind == "V" and self._bits is None:
            raise FileFormatError(f"'{path}' in the file has the unknown dtype {kind!r}.")
        self.dtype: torch.dtype = self._bits or torch.from_numpy(np.empty(0, dataset.dtype.newbyteorder("="))).dtype

    def array(self) -> np.ndarray[Any, Any]:
        """The array as it is stored, its checksum compared."""
        try:
            array: np.ndarray[Any, Any] = self._dataset[()]
        except (OSError, RuntimeError, KeyError) as error:
            raise FileFormatError(f"The data of '{self.path}' cannot be read: {error}. The file is damaged.") from None
        array = np.asarray(array)
        check(array, self.path, self._sums)
        return array

    def tensor(self) -> torch.Tensor:
        """The array as a tensor."""
        array = self.array()
        if self._bits is not None:
            return torch.from_numpy(np.ascontiguousarray(array).view(f"i{array.itemsize}")).view(self._bits)
        return torch.from_numpy(np.require(array, array.dtype.newbyteorder("="), ["C", "W"]))

    def unasked(self) -> Any:
        """The array for code that brings its own idea of shapes: only if the file is as large as it says."""
        size, stored = self._dataset.nbytes, self._dataset.id.get_storage_size()
        if size > MAX_UNASKED and stored < size:
            raise UnsafeFileError(
                f"'{self.path}' says that it has {size} bytes, but the file holds {stored} for it. It is not read."
            )
        return self.tensor() if self._bits is not None else self.array()


class Store(Mapping[str, Any]):
    """What `load_own_variables` of a layer reads from."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> Any:
        return self._entries[key].unasked()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class WeightFile:
    """An open HDF5 file of weights.

    Args:
        source: path, or an open file.
        name: what the file is called in messages.
        sums: checksums by path, where they are known from elsewhere.

    Raises:
        FileFormatError: it is damaged, or no HDF5 file.
        UnsafeFileError: it points out of itself.
    """

    def __init__(self, source: Path | BinaryIO, name: str, sums: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.entries: dict[str, dict[str, Entry]] = {}
        self.names: dict[str, str] = {}
        try:
            self._file = h5py.File(source, "r")
        except (OSError, RuntimeError, ValueError) as error:
            raise FileFormatError(
                f"{name} is no HDF5 file, or a damaged one: {error}. Check that it is a weights file, and complete."
            ) from None
        self.attributes: list[str] = []
        try:
            self.attributes = list(self._file.attrs)
            self._scan(sums)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
            self.close()
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(f"{name} is a damaged HDF5 file: {error}.") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scan(self, sums: Mapping[str, str] | None) -> None:
        sums = dict(sums or {}) or self._own_sums()
        seen: set[Any] = set()
        stack: list[tuple[str, h5py.Group]] = [("", self._file)]
        while stack:
            path, group = stack.pop()
            if path.endswith("vars") and (own_name := _text(group.attrs, "name")) is not None:
                self.names[path.removesuffix("vars").rstrip("/")] = own_name
            for key in group:
                inner = join(path, key)
                item = self._item(group, key, inner, seen)
                if isinstance(item, h5py.Group):
                    stack.append((inner, item))
                elif inner != SUMS:
                    self.entries.setdefault(path, {})[key] = Entry(inner, item, sums)
            if len(seen) > MAX_OBJECTS:
                raise FileFormatError(f"{self.name} has more than {MAX_OBJECTS} entries. It is no weights file.")

    def _item(self, group: h5py.Group, key: str, path: str, seen: set[Any]) -> h5py.Group | h5py.Dataset:
        """What a name in a group stands for, if that is something in this file, once."""
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise UnsafeFileError(f"'{path}' in {self.name} is a link to another place, which is not followed.")
        item = group[key]
        if not isinstance(item, (h5py.Group, h5py.Dataset)):
            raise FileFormatError(f"'{path}' in {self.name} is neither a group nor an array.")
        info = h5py.h5o.get_info(item.id)
        if info.addr in seen:
            raise UnsafeFileError(f"'{path}' in {self.name} is a second name for something else in the file.")
        seen.add(info.addr)
        if isinstance(item, h5py.Dataset):
            if item.is_virtual or item.external:
                raise UnsafeFileError(f"'{path}' in {self.name} takes its data from another file, which is not opened.")
            if item.shape is None or item.dtype.kind not in "biufcV" or item.dtype.names or item.dtype.subdtype:
                raise FileFormatError(f"'{path}' in {self.name} holds no plain numbers, but {item.dtype}.")
        return item

    def _own_sums(self) -> dict[str, str]:
        if SUMS not in self._file:
            return {}
        dataset = self._item(self._file, SUMS, SUMS, set())
        if not isinstance(dataset, h5py.Dataset) or dataset.nbytes > MAX_UNASKED or dataset.dtype != np.uint8:
            raise FileFormatError(f"The checksums in {self.name} are damaged.")
        return read_sums(bytes(dataset[()]), self.name)


def read_sums(data: bytes, name: str) -> dict[str, str]:
    """The checksums that `sums_bytes` wrote."""
    try:
        lines = [line.split(" ", 1) for line in data.decode("utf-8").splitlines()]
        return {path: digest for digest, path in lines}
    except ValueError:
        raise FileFormatError(f"The checksums in {name} are damaged.") from None


def sums_bytes(sums: Mapping[str, str]) -> bytes:
    """Checksums as lines, as `sha256sum` writes them."""
    return "\n".join(f"{digest} {path}" for path, digest in sums.items()).encode("utf-8")


def _text(attributes: h5py.AttributeManager, name: str) -> str | None:
    """A short text among the attributes, or ``None``."""
    if name not in attributes or attributes.get_id(name).shape != ():
        return None
    value = attributes[name]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None
