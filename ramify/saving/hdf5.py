"""Weights in HDF5, in the layout of Keras 3: ``layers/dense/vars/0``, the layer's name as an attribute beside them.

Reading trusts nothing: only groups and datasets that lie in the file itself, of plain numbers, are looked at, and no
data is read before its shape and dtype were compared with those of the weight it is for.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import torch

from ramify.errors import FileFormatError, UnsafeFileError
from ramify.lazy import lazy
from ramify.saving.checksums import check, checksum
from ramify.saving.heaps import SHORT, shared_texts
from ramify.saving.listing import groups_of, opened, text_of, told
from ramify.saving.parts import Part, join

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")

MAX_OBJECTS = 2_000_000  # groups and arrays, where nothing is known of the model
_OBJECTS, _BYTES_OF_OBJECT = 2000, 2**16
MAX_TEXT = 64 * 2**20  # bytes that a list of names may take
MAX_UNASKED = 64 * 2**20  # bytes that a dataset may have on the word of the file alone
MAX_CHUNK = 2**22  # bytes that a piece of a packed dataset may have beyond the dataset
SUMS = "ramify_sha256"
_BITS = {torch.bfloat16: torch.int16, torch.float8_e4m3fn: torch.int8, torch.float8_e5m2: torch.int8}
_NO_NUMPY = {str(dtype).removeprefix("torch."): dtype for dtype in _BITS}


# ---- writing ----


def array_of(value: Any) -> tuple[np.ndarray[Any, Any], str | None]:
    """A weight as an array, and the name of its dtype where NumPy has none."""
    if isinstance(value, torch.Tensor):
        plain = value.detach().as_subclass(torch.Tensor).cpu().contiguous()
        if plain.dtype in _BITS:
            bits = plain.view(_BITS[plain.dtype]).numpy()
            return bits.view(f"V{bits.itemsize}"), str(plain.dtype).removeprefix("torch.")
        return plain.numpy(), None
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a weight file holds numbers, but received an array of dtype {array.dtype}")
    return array, None


def arrays_of(part: Part) -> Iterator[tuple[str, np.ndarray[Any, Any], str | None]]:
    """The weights of a part: key, array, and the name of its dtype where NumPy has none."""
    store: dict[str, Any] = {}
    part.owner.save_own_variables(store)
    for key, value in store.items():
        yield key, *array_of(value)


def group_of(file: h5py.File, part: Part) -> h5py.Group:
    """The group for a part's weights, made where it is not there."""
    group = file.require_group(join(part.path, "vars"))
    group.attrs["name"] = part.name
    return group


def put(group: h5py.Group, key: str, array: np.ndarray[Any, Any], kind: str | None) -> None:
    """Write one array."""
    dataset = group.create_dataset(key, data=array)
    if kind is not None:
        dataset.attrs["dtype"] = kind


def write(file: h5py.File, parts: list[Part]) -> dict[str, str]:
    """Write the weights of all parts; returns path -> checksum."""
    sums: dict[str, str] = {}
    for part in parts:
        group = group_of(file, part)
        for key, array, kind in arrays_of(part):
            put(group, key, array, kind)
            sums[f"{join(part.path, 'vars')}/{key}"] = checksum(array)
            del array  # a copy where the weight lies otherwise in memory: the next need not wait for its room
    return sums


def write_sums(file: h5py.File, sums: Mapping[str, str]) -> None:
    """Write checksums beside the weights."""
    file.create_dataset(SUMS, data=np.frombuffer(sums_bytes(sums), dtype=np.uint8))


# ---- reading ----


def dtype_of(dtype: np.dtype[Any], kind: str | None) -> torch.dtype:
    """The dtype of a weight by that of its array, or by its name where NumPy has none."""
    return torch.from_numpy(np.empty(0, dtype.newbyteorder("="))).dtype if kind is None else _NO_NUMPY[kind]


class Entry:
    """One array in the file, not looked at before something of it is asked for.

    Attributes:
        path: where it is in the file.
        shape: its shape.
        dtype: its `torch.dtype`.
        kind: the name of a dtype that NumPy has not, else ``None``.
    """

    def __init__(self, path: str, file: WeightFile) -> None:
        self.path = path
        self._file = file

    @functools.cached_property
    def _dataset(self) -> h5py.Dataset:
        return self._file.dataset(self.path)

    @functools.cached_property
    def shape(self) -> tuple[int, ...]:  # noqa: D102 - above
        return tuple(self._dataset.shape)

    @functools.cached_property
    def kind(self) -> str | None:  # noqa: D102 - above
        if self._dataset.dtype.kind != "V":
            return None
        kind = text_of(self._dataset.id, "dtype")
        if kind not in _NO_NUMPY:
            raise FileFormatError(f"'{self.path}' in the file has the unknown dtype {kind!r}.")
        return kind

    @functools.cached_property
    def dtype(self) -> torch.dtype:  # noqa: D102 - above
        return dtype_of(self._dataset.dtype, self.kind)

    def array(self) -> np.ndarray[Any, Any]:
        """The array as it is stored, its checksum compared."""
        try:
            array: np.ndarray[Any, Any] = self._dataset[()]
        except (OSError, RuntimeError, KeyError) as error:
            raise FileFormatError(f"The data of '{self.path}' cannot be read: {error}. The file is damaged.") from None
        array = np.asarray(array)
        check(array, self.path, self._file.sums)
        return array

    def tensor(self) -> torch.Tensor:
        """The array as a tensor."""
        array = self.array()
        if self.kind is not None:
            return torch.from_numpy(np.ascontiguousarray(array).view(f"i{array.itemsize}")).view(self.dtype)
        return torch.from_numpy(np.require(array, array.dtype.newbyteorder("="), ["C", "W"]))

    @property
    def excess(self) -> int:
        """The bytes that the array has beyond those that the file holds for it."""
        return max(0, int(self._dataset.nbytes) - int(self._dataset.id.get_storage_size()))

    def value(self) -> Any:
        """The array; a tensor where NumPy has not the dtype."""
        return self.array() if self.kind is None else self.tensor()


class Store(Mapping[str, Any]):
    """What `load_own_variables` of a layer reads from: code with its own idea of shapes, so that bytes are counted."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._room = MAX_UNASKED

    def __getitem__(self, key: str) -> Any:
        entry = self._entries[key]
        self._room -= entry.excess
        if self._room < 0:
            raise UnsafeFileError(
                f"'{entry.path}' says that it has {entry.excess} bytes more than the file holds for it. It is not read."
            )
        return entry.value()

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
        needed: how many groups and arrays the model has. The file may have eight times as many, and more when it is
            large; any number that weights have, when not given.

    Raises:
        FileFormatError: it is damaged, or no HDF5 file.
        UnsafeFileError: it points out of itself, or has more in it than it may.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        name: str,
        sums: Mapping[str, str] | None = None,
        needed: int | None = None,
    ) -> None:
        self.name = name
        self.sums = dict(sums or {})
        self._source = source
        self.entries: dict[str, dict[str, Entry]] = {}
        self.names: dict[str, str] = {}
        self.groups: set[str] = set()
        self._file, whole = opened(source, name)
        try:
            with told(name):
                self._list(MAX_OBJECTS if needed is None else _OBJECTS + 8 * needed + self._size() // _BYTES_OF_OBJECT)
                own = self._own_sums(needed=not (whole or self.sums))
                self.sums = self.sums or own
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _size(self) -> int:
        """The bytes of the file."""
        if isinstance(self._source, Path):
            return self._source.stat().st_size
        return self._source.seek(0, io.SEEK_END)

    def _list(self, most: int) -> None:
        for path, name, arrays in groups_of(self._file, self.name, most):
            self.groups.add(path)
            if name is not None:
                self.names[path.removesuffix("vars").rstrip("/")] = name
            if arrays:
                self.entries[path] = {key: Entry(join(path, key), self) for key in arrays}

    def dataset(self, path: str) -> h5py.Dataset:
        """An array that the file lists, not read yet.

        Raises:
            FileFormatError: it holds no plain numbers, or is damaged.
            UnsafeFileError: its data is elsewhere, or takes far more room than itself.
        """
        with told(self.name):
            item = self._file[path]
            if item.is_virtual or item.external:
                raise UnsafeFileError(f"'{path}' in {self.name} takes its data from another file, which is not opened.")
            if math.prod(item.chunks or ()) * item.dtype.itemsize > item.nbytes + MAX_CHUNK:
                raise UnsafeFileError(f"'{path}' in {self.name} is packed in pieces far larger than itself.")
            if item.shape is None or item.dtype.kind not in "biufcV" or item.dtype.names or item.dtype.subdtype:
                raise FileFormatError(f"'{path}' in {self.name} holds no plain numbers, but {item.dtype}.")
            return item

    def has(self, path: str) -> bool:
        """Whether there is a group at a path."""
        return path in self.groups

    def texts(self, path: str, name: str) -> list[str] | None:
        """A list of texts among the attributes of a group, in one attribute or several; ``None`` where there is none.

        Raises:
            FileFormatError: there is something else.
            UnsafeFileError: the texts would take far more room than the file.
        """
        attributes = (self._file[path] if path else self._file).attrs
        known = set(attributes)
        if name in known:
            return self._listed(attributes, name)
        parts = itertools.takewhile(known.__contains__, (f"{name}{i}" for i in itertools.count()))
        found = [self._listed(attributes, part) for part in parts]
        return list(itertools.chain.from_iterable(found)) if found else None

    @functools.cached_property
    def _shared_texts(self) -> int:
        """Found once: all of the file is looked through for it."""
        return shared_texts(self._source)

    def _listed(self, attributes: h5py.AttributeManager, name: str) -> list[str]:
        attribute = attributes.get_id(name)
        if attribute.shape == (0,):
            return []
        kind = h5py.check_string_dtype(attribute.dtype)
        if kind is None or len(attribute.shape) != 1:
            raise FileFormatError(f"The attribute '{name}' in {self.name} is no list of names. The file is damaged.")
        room = attribute.shape[0] * (kind.length or SHORT) + (0 if kind.length else self._shared_texts)
        if room > MAX_TEXT:
            raise UnsafeFileError(f"The names in the attribute '{name}' of {self.name} take too much room.")
        return [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in attributes[name]]

    def _own_sums(self, *, needed: bool) -> dict[str, str]:
        """The checksums in the file, which are no weights."""
        root = self.entries.get("", {})
        if root.pop(SUMS, None) is None:
            return {}
        if not root:
            del self.entries[""]
        if not needed:
            return {}
        dataset = self.dataset(SUMS)
        if dataset.nbytes > min(MAX_UNASKED, dataset.id.get_storage_size()) or dataset.dtype != np.uint8:
            raise FileFormatError(f"The checksums in {self.name} are damaged.")
        return read_sums(bytes(dataset[()]), self.name)


def read_sums(data: bytes, name: str) -> dict[str, str]:
    """The checksums that `sums_bytes` wrote."""
    try:
        lines = (line.split(" ", 1) for line in io.StringIO(data.decode("utf-8")))
        return {path.rstrip("\n"): digest for digest, path in lines}
    except ValueError:
        raise FileFormatError(f"The checksums in {name} are damaged.") from None


def sums_bytes(sums: Mapping[str, str]) -> bytes:
    """Checksums as lines, as `sha256sum` writes them."""
    return "\n".join(f"{digest} {path}" for path, digest in sums.items()).encode("utf-8")
