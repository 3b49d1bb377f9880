"""Weights in several files, each of a bounded size, with a JSON index of them, as Keras writes them.

The index is what counts. Every save gives its shards names of their own (``m_save-TOKEN_00001.weights.h5``) and
replaces the index when all of them are on the disk; only then are the shards of other saves removed, those of killed
ones as well. So there is always one complete set of files.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ramify.errors import ArgumentError, FileFormatError, UnsafeFileError
from ramify.lazy import lazy
from ramify.saving import archive, hdf5
from ramify.saving.checksums import checksum
from ramify.saving.files import replacing, sync, tidy, token_of
from ramify.saving.parts import Part, join
from ramify.saving.sink import created

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")

INDEX = ".weights.json"
_MAX_SHARDS = 100_000
_MAX_INDEX = 64 * 2**20
_MAX_NAME = 250


def write(path: Path, parts: list[Part], max_shard_size: float) -> None:
    """Write weights as shards and an index.

    Args:
        path: of the index, ending in ``.weights.json``.
        parts: what has weights.
        max_shard_size: in GiB; a single array that is larger gets a shard of its own.

    Raises:
        ArgumentError: a size that is not positive.
    """
    if not max_shard_size > 0:
        raise ArgumentError(f"`max_shard_size` is a size in GiB, but received {max_shard_size!r}. Pass one above 0.")
    stem = path.name.removesuffix(INDEX)
    before = {name for name in _listed(path) if name.startswith(f"{stem}_")}
    shards = _Shards(path.parent, max_shard_size * 2**30)
    try:
        with replacing(path) as beside:  # first of all, so that other saves know of this one
            shards.stem = f"{stem}_save-{token_of(beside)}"
            total = shards.write(parts)
            _put_skeleton(path.with_name(f"{stem}_00000.weights.h5"), parts)
            index = {"metadata": {"total_size": float(total)}, "weight_map": shards.map}
            beside.write_text(json.dumps(index, indent=4), encoding="utf-8")
    except BaseException:
        _remove(path, set(shards.names) - _listed(path))
        raise
    _remove(path, (before | _left(path, stem)) - set(shards.names) - {f"{stem}_00000.weights.h5"})


def _left(path: Path, stem: str) -> set[str]:
    """The shards of all saves to a path but those that others are still at."""
    busy = tidy(path)
    pattern = re.compile(rf"{re.escape(stem)}_save-([0-9a-f]{{12}})_[0-9]{{5,}}\.weights\.h5")
    found = ((one.name, pattern.fullmatch(one.name)) for one in path.parent.iterdir())
    return {name for name, match in found if match and match[1] not in busy}


def _remove(path: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            path.with_name(name).unlink(missing_ok=True)


def _put_skeleton(path: Path, parts: list[Part]) -> None:
    """Keras opens a file of this name, whatever the index says. It has the groups alone, most often the same ones."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for part in parts:
            hdf5.group_of(file, part)
    if not path.is_file() or path.read_bytes() != memory.getvalue():
        with replacing(path) as beside:
            beside.write_bytes(memory.getvalue())


class _Shards:
    """The shards of one save."""

    def __init__(self, folder: Path, limit: float) -> None:
        self.folder, self.stem, self.limit = folder, "", limit
        self.names: list[str] = []
        self.map: dict[str, list[str]] = {}

    def write(self, parts: list[Part]) -> int:
        """Write all arrays; returns their bytes."""
        total = 0
        waiting: list[tuple[Part, str, np.ndarray[Any, Any], str | None]] = []
        size = 0
        for part in parts:
            for key, array, kind in hdf5.arrays_of(part):
                if waiting and size + array.nbytes > self.limit:
                    self._close(waiting)
                    waiting, size = [], 0
                waiting.append((part, key, array, kind))
                size += array.nbytes
                total += array.nbytes
        if waiting:
            self._close(waiting)
        sync(self.folder)
        return total

    def _close(self, arrays: list[tuple[Part, str, np.ndarray[Any, Any], str | None]]) -> None:
        name = f"{self.stem}_{len(self.names) + 1:05d}.weights.h5"
        self.names.append(name)
        sums: dict[str, str] = {}
        with created(self.folder / name) as file:
            for part, key, array, kind in arrays:
                place = join(part.path, "vars")
                hdf5.put(hdf5.group_of(file, part), key, array, kind)
                sums[f"{place}/{key}"] = checksum(array)
                held = self.map.setdefault(f"/{place}", [])
                if name not in held:
                    held.append(name)
            hdf5.write_sums(file, sums)
        sync(self.folder / name)


def _listed(path: Path) -> set[str]:
    """The shards that an index names; none where there is no index that can be read."""
    try:
        return {name for names in _index(path).values() for name in names}
    except (OSError, FileFormatError):
        return set()


def _index(path: Path) -> dict[str, list[str]]:
    if path.stat().st_size > _MAX_INDEX:
        raise UnsafeFileError(f"{path} is larger than any index of weights. It is not read.")
    found = archive.parsed(path.read_bytes(), str(path)).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise FileFormatError(f"{path} has no `weight_map`, so it is no index of weights, or a damaged one.")
    found = {place: [names] if isinstance(names, str) else names for place, names in found.items()}
    for place, names in found.items():
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise FileFormatError(f"The entry '{place}' of {path} names no files. The index is damaged.")
        for name in names:
            odd = set("/\\:\0") & set(name) or not name.isprintable() or len(name) > _MAX_NAME or name.startswith(".")
            if odd or not name.endswith(".h5"):
                raise UnsafeFileError(f"{path} names the file {name!r:.80}; shards lie beside their index, as `.h5`.")
    return found


class ShardedFile:
    """Open shards, as one file.

    Args:
        path: the index.
        needed: how many groups and arrays the model has, if that is known.

    Raises:
        FileFormatError: a damaged index or shard, or one that is missing.
        UnsafeFileError: the index names something that lies elsewhere.
    """

    def __init__(self, path: Path, needed: int | None = None) -> None:
        self.name = str(path)
        self.entries: dict[str, dict[str, hdf5.Entry]] = {}
        self.names: dict[str, str] = {}
        self._open = contextlib.ExitStack()
        index = _index(path)
        shards = list(dict.fromkeys(name for names in index.values() for name in names))
        if len(shards) > _MAX_SHARDS:
            raise UnsafeFileError(f"{path} names {len(shards)} files. It is no index of weights.")
        try:
            for name in shards:
                self._add(path, name, needed, {place.strip("/") for place, names in index.items() if name in names})
            self._check_complete(index)
        except BaseException:
            self.close()
            raise

    def _add(self, path: Path, name: str, needed: int | None, places: set[str]) -> None:
        place = path.with_name(name)
        if place.is_symlink() or not place.is_file():
            raise FileFormatError(f"{path} needs the file {name} beside it, which is not there or is no regular file.")
        shard = self._open.enter_context(hdf5.WeightFile(place, str(place), needed=needed))
        self.names.update(shard.names)
        for group, entries in shard.entries.items():
            known = self.entries.setdefault(group, {})
            if group not in places or set(known) & set(entries):
                raise FileFormatError(
                    f"{place} holds '{group}', of which {path} does not know. They do not fit together."
                )
            known.update(entries)

    def _check_complete(self, index: dict[str, list[str]]) -> None:
        for place, names in index.items():
            if place.strip("/") not in self.entries:
                raise FileFormatError(f"{self.name} says that '{place}' is in {names}, but it is not.")

    def close(self) -> None:
        """Close the shards."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
