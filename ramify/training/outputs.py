"""Which loss, metric, target or weight belongs to which output of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify.errors import ArgumentError
from ramify.graph.structure import Path, map_leaves, pick

MISSING = object()
"""Stands for an output that something does not mention."""


class Outputs:
    """The outputs of a model, flat and in a fixed order: as they stand, those in a dict by their keys' order.

    Args:
        structure: nested predictions; only their nesting counts.
        names: one name per output in the order of the structure, for models that know them.

    Attributes:
        paths: where each output is.
        names: one name per output; ``None`` where there is none (items of a list that a subclassed model returns).

    >>> outputs = Outputs({"b": 0, "a": 0})
    >>> outputs.names
    ['a', 'b']
    >>> outputs.assign({"b": "mse"}, "loss", missing=None)
    [None, 'mse']
    """

    def __init__(self, structure: Any, names: Sequence[str] | None = None) -> None:
        self.structure = map_leaves(lambda _: None, structure)  # the predictions themselves are not kept
        self.single = not isinstance(structure, (list, tuple, dict))
        as_given = list(_walk(structure, as_given=True))
        self.paths: list[Path] = list(_walk(structure))
        given = dict(zip(as_given, names, strict=True)) if names and len(names) == len(as_given) else {}
        self.names: list[str | None] = [
            path[-1] if path and isinstance(path[-1], str) else given.get(path) for path in self.paths
        ]

    def __len__(self) -> int:
        return len(self.paths)

    def pick(self, predictions: Any) -> list[Any]:
        """The predictions, flat and in order."""
        return [predictions] if self.single else [pick(predictions, path) for path in self.paths]

    def assign(self, given: Any, what: str, missing: Any = MISSING) -> list[Any]:
        """What belongs to each output, in order.

        Args:
            given: one thing for all outputs; a list in the order of the outputs, a dict by their names, or nested as
                they are.
            what: how messages call it.
            missing: what an output gets that a dict does not mention; an error where it is `MISSING`.

        Raises:
            ArgumentError: unknown names, or another number of entries than of outputs.
        """
        found: dict[Path, Any] = {}
        if isinstance(given, dict) and not (
            isinstance(self.structure, dict) and all(k in self.structure for k in given)
        ):
            self._by_name(given, what, found)
        elif len(self.paths) == 1 and not isinstance(given, dict):
            return [given]
        else:
            self._assign(given, self.structure, (), what, found)
        left = [path for path in self.paths if path not in found]
        if left and missing is MISSING:
            raise ArgumentError(
                f"{what} has no entry for the output {self.describe(left[0])}. The outputs are {self.listed()}: add it."
            )
        return [found.get(path, missing) for path in self.paths]

    def _by_name(self, given: dict[Any, Any], what: str, found: dict[Path, Any]) -> None:
        places = {name: path for name, path in zip(self.names, self.paths, strict=True) if name is not None}
        for key, value in given.items():
            if key not in places:
                raise ArgumentError(
                    f"{what} has the key {key!r}, but the model's outputs are {self.listed()}. "
                    + ("Use these names." if places else "Pass a list in their order.")
                )
            found[places[key]] = value

    def _assign(self, given: Any, node: Any, path: Path, what: str, found: dict[Path, Any]) -> None:
        if not isinstance(node, (list, tuple, dict)):
            found[path] = given
            return
        keys = sorted(node, key=str) if isinstance(node, dict) else list(range(len(node)))
        if isinstance(given, dict) and isinstance(node, dict) and all(key in node for key in given):
            for key, value in given.items():
                self._assign(value, node[key], (*path, key), what, found)
        elif not isinstance(given, (list, tuple, dict)):
            for key in keys:
                self._assign(given, node[key], (*path, key), what, found)
        elif isinstance(given, (list, tuple)) and len(given) == len(keys):
            for key, value in zip(keys, given, strict=True):
                self._assign(value, node[key], (*path, key), what, found)
        elif isinstance(given, (list, tuple)) and not path and len(given) == len(self.paths):
            found.update(zip(self.paths, given, strict=True))
        else:
            size = f"the keys {', '.join(map(repr, given))}" if isinstance(given, dict) else f"{len(given)} entries"
            raise ArgumentError(
                f"{what} is a {type(given).__name__} with {size}, but the model has {len(self)} outputs "
                f"({self.listed()}). Pass one entry per output in this order, or a dict by name."
            )

    def describe(self, path: Path) -> str:
        """An output by its name, or its place."""
        name = self.names[self.paths.index(path)]
        return repr(name) if name is not None else f"number {self.paths.index(path)}"

    def listed(self) -> str:
        """The outputs by name, or their number, for messages."""
        named = [name for name in self.names if name is not None]
        return ", ".join(map(repr, named)) if named else f"{len(self.paths)} without names"


def _walk(value: Any, path: Path = (), as_given: bool = False) -> list[Path]:
    if isinstance(value, dict):
        keys = list(value) if as_given else sorted(value, key=str)
        return [inner for key in keys for inner in _walk(value[key], (*path, key), as_given)]
    if isinstance(value, (list, tuple)):
        return [inner for i, item in enumerate(value) for inner in _walk(item, (*path, i), as_given)]
    return [path]


class Assigned:
    """Targets or weights of a batch, flat in the order of the outputs. How they are nested is worked out once.

    Args:
        outputs: the outputs.
        what: how messages call the values.
        shared: whether one array may stand for all outputs.
    """

    def __init__(self, outputs: Outputs, what: str, shared: bool = False) -> None:
        self.outputs = outputs
        self.what = what
        self.shared = shared
        self._recipes: dict[Any, list[Path | None]] = {}

    def __call__(self, value: Any) -> list[Any]:
        """One value per output."""
        if not isinstance(value, (list, tuple, dict)):
            if value is None or self.shared or len(self.outputs) == 1:
                return [value] * len(self.outputs)
            raise ArgumentError(
                f"{self.what} is one array, but the model has {len(self.outputs)} outputs ({self.outputs.listed()}). "
                "Pass a list in this order, or a dict by name."
            )
        shape = _shape(value)
        recipe = self._recipes.get(shape)
        if recipe is None:
            recipe = self._recipes[shape] = self._recipe(value)
        return [None if path is None else pick(value, path) for path in recipe]

    def _recipe(self, value: Any) -> list[Path | None]:
        recipe: list[Path | None] = []
        found = self.outputs.assign(_places(value, ()), self.what, None)
        for given, path in zip(found, self.outputs.paths, strict=True):
            place = given
            while isinstance(place, list) and len(place) == 1:  # a list of one array for the only output
                place = place[0]
            if isinstance(place, (list, dict)):
                raise ArgumentError(
                    f"{self.what} holds {len(place)} arrays for the output {self.outputs.describe(path)}, which takes "
                    f"one. The outputs are {self.outputs.listed()}."
                )
            recipe.append(None if place is None else place.path)
        return recipe


class _Place:
    def __init__(self, path: Path) -> None:
        self.path = path


def _places(value: Any, path: Path) -> Any:
    """The same structure with, instead of values, where they are."""
    if isinstance(value, dict):
        return {key: _places(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_places(item, (*path, i)) for i, item in enumerate(value)]
    return None if value is None else _Place(path)


def _shape(value: Any) -> Any:
    """Something hashable that is equal for values nested alike."""
    if isinstance(value, dict):
        return (dict, *((key, _shape(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return (list, *map(_shape, value))
    return value is None
