"""`KerasFileEditor`: look into a file of weights, change what is in it, and save it again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.lazy import lazy
from ramify.saving import archive, hdf5, sharded
from ramify.saving.checksums import checksum
from ramify.saving.files import existing, may_write, replacing
from ramify.saving.loading import planned
from ramify.saving.metadata import saved_sums
from ramify.saving.parts import join
from ramify.saving.sink import created

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")
_console, _markup, _tree = lazy("rich.console"), lazy("rich.markup"), lazy("rich.tree")

Arrays = dict[str, np.ndarray[Any, Any]]


class KerasFileEditor:
    """The weights of a file, to be looked at, changed and saved again; useful when an architecture has changed.

    Objects are the layers and the optimizer. They are called by their path, as in ``"layers/dense_1"``, or by a name
    that only one of them has, as in ``"dense_1"``. Nothing is written before `save`.

    Args:
        filepath: a ``.keras``, ``.weights.h5`` or ``.weights.json`` file.

    Attributes:
        weights_dict: path of an object -> its arrays by name.
        config: the model's config, of a ``.keras`` file.
        metadata: what else a ``.keras`` file says.

    Raises:
        FileFormatError: no such file, or a damaged one.
        ArgumentError: another kind of file.

    Example:

    >>> import ramify, tempfile, pathlib
    >>> model = ramify.Sequential([ramify.Input((4,)), ramify.layers.Dense(2, name="head")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save_weights(pathlib.Path(folder) / "m.weights.h5")
    ...     editor = KerasFileEditor(pathlib.Path(folder) / "m.weights.h5")
    >>> editor.delete_weight("dense", "1")
    >>> {path: list(arrays) for path, arrays in editor.weights_dict.items()}
    {'layers/dense': ['0']}
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        path = existing(filepath, "weights file")
        self.filepath = os.fspath(filepath)
        self.config: dict[str, Any] | None = None
        self.metadata: dict[str, Any] | None = None
        self.weights_dict: dict[str, Arrays] = {}
        self._names: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        if path.suffix == ".keras":
            with archive.Archive(path) as file:
                self.config, self.metadata = file.json(archive.CONFIG), file.json(archive.METADATA)
                limit = path.stat().st_size * 8 + 2**26
                with file.weights(limit) as source:
                    self._read(hdf5.WeightFile(source, str(path), saved_sums(self.metadata)))
        elif path.name.endswith(sharded.INDEX):
            self._read(sharded.ShardedFile(path))
        elif path.name.endswith(".h5"):
            self._read(hdf5.WeightFile(path, str(path)))
        else:
            raise ArgumentError(
                f"The editor opens `.keras`, `.weights.h5` and `{sharded.INDEX}` files, not {path.name!r}."
            )

    def _read(self, file: Any) -> None:
        with file:
            self._names = dict(file.names)
            store = hdf5.Store({entry.path: entry for held in file.entries.values() for entry in held.values()})
            for group, entries in sorted(file.entries.items()):
                path = group.removesuffix("vars").rstrip("/")
                arrays = self.weights_dict.setdefault(path, {})
                for key, entry in entries.items():
                    arrays[key], kind = hdf5.array_of(store[entry.path])
                    if kind is not None:
                        self._kinds[join(path, key)] = kind

    # ---- looking ----

    def summary(self) -> None:
        """Print what the file has, as a tree."""
        root = _tree.Tree(f"Weights of '{_markup.escape(self.filepath)}'")
        branches: dict[str, Any] = {"": root}
        for path, arrays in self.weights_dict.items():
            here, branch = "", root
            for word in path.split("/") if path else ():
                here = join(here, word)
                if here not in branches:
                    name = self._names.get(here)
                    shown = _markup.escape(word if name in (None, word) else f"{word} '{name}'")
                    branches[here] = branch.add(shown)
                branch = branches[here]
            for key, array in arrays.items():
                kind = self._kinds.get(join(path, key), array.dtype)
                branch.add(_markup.escape(f"{key}: shape={tuple(array.shape)}, dtype={kind}"))
        _console.Console().print(root)

    def compare(self, reference_model: Layer) -> dict[str, Any]:
        """Hold the file against a model, and print what does not fit.

        Args:
            reference_model: the model.

        Returns:
            ``"status"`` (``"success"`` or ``"error"``), ``"error_count"`` and ``"match_count"``, counted in weights or
            in layers that are missing; and ``"errors"``, each in words.
        """
        plan = planned(reference_model, self._contents())
        for problem in plan.problems:
            print(problem)  # noqa: T201 - this is what the method is for
        count = len(plan.problems)
        print(f"{count} difference(s)." if count else "The file fits the model.")  # noqa: T201 - the same
        return {
            "status": "error" if count else "success",
            "error_count": count,
            "match_count": len(plan.pairs),
            "errors": plan.problems,
        }

    def _contents(self) -> _Contents:
        entries: dict[str, dict[str, Any]] = {}
        for path, arrays in self.weights_dict.items():
            for key, array in arrays.items():
                dtype = hdf5.dtype_of(array.dtype, self._kinds.get(join(path, key)))
                entries.setdefault(join(path, "vars"), {})[key] = _Described(join(path, key), array.shape, dtype)
        return _Contents(self.filepath, self._names, entries)

    # ---- changing ----

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name, at the same place; what is inside goes with it.

        Args:
            object_name: its name or path.
            new_name: the last word of its new path.
        """
        path = self._path(object_name)
        new = join(path.rpartition("/")[0], _word(new_name))
        if self._inside(new):
            raise ArgumentError(f"There is a '{new}' in the file already. Choose another name.")
        moved = {old: new + old[len(path) :] for old in self._inside(path)}
        self.weights_dict = {moved.get(old, old): arrays for old, arrays in self.weights_dict.items()}
        self._names = {new + old[len(path) :] if _is_inside(old, path) else old: n for old, n in self._names.items()}
        self._kinds = {new + old[len(path) :] if _is_inside(old, path) else old: k for old, k in self._kinds.items()}
        self._names.pop(new, None)  # it was the name of the layer that was saved

    def delete_object(self, object_name: str) -> None:
        """Take an object out, with all that is inside.

        Args:
            object_name: its name or path.
        """
        path = self._path(object_name)
        for old in self._inside(path):
            del self.weights_dict[old]
        self._names = {old: name for old, name in self._names.items() if not _is_inside(old, path)}

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Put an object in.

        Args:
            object_path: its whole path, such as ``"layers/dense_2"``.
            weights: name -> array, such as ``{"0": kernel, "1": bias}``.
        """
        path = "/".join(map(_word, object_path.split("/")))
        if path in self.weights_dict:
            raise ArgumentError(f"There is a '{path}' in the file already. Use `add_weights`, or delete it first.")
        self.weights_dict[path] = _arrays(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Take one array of an object out.

        Args:
            object_name: the object's name or path.
            weight_name: the array's name, such as ``"0"``.
        """
        arrays = self.weights_dict.get(self._path(object_name), {})
        if weight_name not in arrays:
            raise ArgumentError(f"'{object_name}' has no '{weight_name}', but {sorted(arrays) or 'nothing'}.")
        del arrays[weight_name]

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Put arrays into an object, in place of those of the same names.

        Args:
            object_name: the object's name or path.
            weights: name -> array.
        """
        self.weights_dict.setdefault(self._path(object_name), {}).update(_arrays(weights))

    # ---- saving ----

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Save the weights as they are now.

        Args:
            filepath: where to, ending in ``.weights.h5``.
        """
        if not os.fspath(filepath).endswith(".weights.h5"):
            raise ArgumentError(f"Weights are saved in files that end in `.weights.h5`, not as {filepath!r}.")
        with replacing(may_write(filepath, overwrite=True)) as beside, created(beside) as file:
            self._write(file)

    def resave_weights(self, filepath: str | os.PathLike[str]) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _write(self, file: h5py.File) -> None:
        sums: dict[str, str] = {}
        for path in {**dict.fromkeys(self._names), **self.weights_dict}:
            group = file.require_group(join(path, "vars"))
            if path in self._names:
                group.attrs["name"] = self._names[path]
            for key, array in self.weights_dict.get(path, {}).items():
                hdf5.put(group, key, array, self._kinds.get(join(path, key)))
                sums[f"{join(path, 'vars')}/{key}"] = checksum(array)
        hdf5.write_sums(file, sums)

    # ---- paths ----

    def _inside(self, path: str) -> list[str]:
        return [old for old in self.weights_dict if _is_inside(old, path)]

    def _path(self, name: str) -> str:
        """The one object of a name or path."""
        known = dict.fromkeys(
            "/".join(p.split("/")[: i + 1]) for p in self.weights_dict for i in range(p.count("/") + 1)
        )
        if name.strip("/") in known:
            return name.strip("/")
        found = [path for path in known if path.rpartition("/")[2] == name or self._names.get(path) == name]
        if len(found) != 1:
            which = f"several: {', '.join(found)}. Give the whole path" if found else f"it has {', '.join(known)}"
            raise ArgumentError(f"There is no single object '{name}' in {self.filepath}; {which}.")
        return found[0]


def _is_inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}/")


def _word(name: str) -> str:
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise ArgumentError(f"{name!r} is no name for an object. Use letters, digits and underscores.")
    return name


def _arrays(weights: Mapping[str, Any]) -> Arrays:
    return {_word(str(key)): hdf5.array_of(value)[0] for key, value in weights.items()}


@dataclass(frozen=True)
class _Described:
    """What is compared of an array."""

    path: str
    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class _Contents:
    """The editor's arrays as a file to compare with."""

    name: str
    names: dict[str, str]
    entries: dict[str, dict[str, Any]]
