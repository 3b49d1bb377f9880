"""From an open weights file into a model: first everything is compared and read, then everything is copied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from ramify.errors import FileFormatError, RamifyError
from ramify.layers.layer import Layer
from ramify.layers.weights import WeightHolder
from ramify.saving.hdf5 import Entry, Store
from ramify.saving.parts import OPTIMIZER, Part, class_name, join, parts_of
from ramify.saving.report import LoadReport, refuse, warn

Entries = Mapping[str, Entry]


class Source(Protocol):
    """What weights are read from: one file, or several that are one.

    Attributes:
        name: what it is called in messages.
        entries: path of a group -> its arrays.
        names: path of a part -> the name of the layer that was there.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - above

    @property
    def entries(self) -> Mapping[str, Mapping[str, Any]]: ...  # noqa: D102 - above

    @property
    def names(self) -> Mapping[str, str]: ...  # noqa: D102 - above


@dataclass
class Plan:
    """What is to be copied, whose own method reads what, and what does not fit.

    Attributes:
        pairs: weight and where its values are.
        custom: parts that read for themselves, and what from.
        problems: everything that does not fit, in words.
        absent: parts of the model that a file read by names does not have.
        unused: places in the file that belong to nothing.
        read: who gets weights by `pairs`.
    """

    pairs: list[tuple[torch.Tensor, Entry]] = field(default_factory=list)
    custom: list[tuple[Part, Entries]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    read: list[WeightHolder] = field(default_factory=list)

    def compare(self, word: str, own: list[torch.Tensor], entries: Entries, place: str, built: bool = True) -> None:
        """Pair the weights of one part with its arrays in the file."""
        if own and not entries:
            self.problems.append(f"{word}: all {len(own)} weight(s) are missing in the file (at '{place}')")
            return
        if len(own) != len(entries):
            hint = "" if own or built else " (it is not built yet: call the model on data first)"
            self.problems.append(f"{word}: has {len(own)} weight(s), the file {len(entries)} (at '{place}'){hint}")
            return
        for i, weight in enumerate(own):
            entry = entries.get(str(i))
            name = getattr(weight, "path", f"weight {i}")
            if entry is None:
                self.problems.append(f"{word}: '{name}' is missing in the file (at '{place}/{i}')")
            elif entry.shape != tuple(weight.shape):
                self.problems.append(f"{word}: '{name}' has shape {tuple(weight.shape)}, in the file {entry.shape}")
            elif kind_of(entry.dtype) != kind_of(weight.dtype):
                kinds = f"dtype {_short(weight.dtype)}, in the file {_short(entry.dtype)}"
                self.problems.append(f"{word}: '{name}' has {kinds}")
            else:
                self.pairs.append((weight, entry))


def load(
    model: Layer, file: Source, *, skip_mismatch: bool = False, by_name: bool = False, fresh: bool = False
) -> LoadReport:
    """Read all weights of a model, and the state of its optimizer, out of a file.

    Args:
        model: the model, built.
        file: the file.
        skip_mismatch: leave what does not fit as it is, with a warning, instead of raising.
        by_name: read the layers whose names the file has; the others stay as they are.
        fresh: the model is thrown away when loading fails, so it need not be kept as it was.

    Raises:
        FileFormatError: weights are missing, left over, or of another shape or dtype; the message lists them all, and
            the model is unchanged.
    """
    return execute(planned(model, file, by_name=by_name), model, file.name, skip=skip_mismatch, fresh=fresh)


def execute(plan: Plan, model: Layer, name: str, *, skip: bool, fresh: bool = False) -> LoadReport:
    """Copy what a plan says, all of it or nothing."""
    if plan.problems and not skip:
        refuse(plan.problems, name, model)
    # Damaged data is found before the first weight is changed.
    read: Iterable[tuple[torch.Tensor, Any]] = plan.pairs if fresh else [(w, e.tensor()) for w, e in plan.pairs]
    before = [(weight, weight.detach().clone()) for part, _ in plan.custom for weight in _weights(part.owner)]
    loaded = [getattr(weight, "path", entry.path) for weight, entry in plan.pairs]
    try:
        for part, entries in plan.custom:
            try:
                _call_hook(part, entries, name)
                loaded.append(part.path)
            except RamifyError as error:
                if not skip:
                    raise
                plan.problems.append(str(error))
    except BaseException:
        with torch.no_grad():
            for weight, value in before:
                weight.copy_(value)
        raise
    with torch.no_grad():
        for weight, value in read:
            weight.copy_(value.tensor() if fresh else value)
        for owner in plan.read:
            owner.after_loading()
    if plan.problems:
        warn(plan.problems, name, model)
    return LoadReport(name, tuple(loaded), (*plan.problems, *plan.absent), tuple(plan.unused))


def _weights(owner: Any) -> list[torch.Tensor]:
    return owner.saved_weights() if isinstance(owner, WeightHolder) else []


def planned(model: Layer, file: Source, *, by_name: bool = False) -> Plan:
    """Compare a model with a file."""
    parts = list(parts_of(model))
    renamed = _named(parts, file) if by_name else _renamed(parts, file)
    plan = Plan()
    used: set[str] = set()
    for part in parts:
        path = _path_in_file(part.path, renamed)
        if path is None:
            if _weights(part.owner):
                plan.absent.append(f"{class_name(part)}: the file has no layer of its name")
            continue
        place = join(path, "vars")
        used.add(place)
        entries = file.entries.get(place, {})
        if _reads_itself(part.owner):
            if entries:
                plan.custom.append((part, entries))
            elif part.path != OPTIMIZER and _weights(part.owner):
                plan.problems.append(f"{class_name(part)}: missing in the file (at '{place}')")
            continue
        plan.compare(class_name(part), part.owner.saved_weights(), entries, place, built=part.owner.built)
        plan.read.append(part.owner)
    extra = {place: entries for place, entries in file.entries.items() if place not in used}
    plan.unused = [place for place in extra if not place.startswith(f"{OPTIMIZER}/")]
    if not by_name:
        plan.problems += [
            f"'{place}' in the file belongs to nothing in the model ({len(entries)} array(s))"
            for place, entries in extra.items()
            if not _may_be_left(place)
        ]
    return plan


def _reads_itself(owner: Any) -> bool:
    if not isinstance(owner, WeightHolder):
        return True
    return type(owner).load_own_variables is not WeightHolder.load_own_variables


def _may_be_left(place: str) -> bool:
    """State that Keras writes and that has no place here: an optimizer's without one, random seeds."""
    return place.startswith(f"{OPTIMIZER}/") or "seed_generator" in place


def kind_of(dtype: torch.dtype) -> str:
    """``"float"``, ``"complex"``, ``"int"`` or ``"bool"``: a weight takes values of its own kind only."""
    if dtype.is_floating_point:
        return "float"
    return "complex" if dtype.is_complex else "bool" if dtype is torch.bool else "int"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _call_hook(part: Part, entries: Mapping[str, Entry], name: str) -> None:
    try:
        part.owner.load_own_variables(Store(entries))
    except RamifyError:
        raise
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        raise FileFormatError(f"{class_name(part)} could not read its part of {name}: {error!r}.") from error


# ---- layers in lists: by their names, where the file has the same ones ----


def _renamed(parts: list[Part], file: Source) -> dict[str, str | None]:
    """Path of a layer in a list -> the name of its group in the file, for lists whose layers have the same names there.

    The number in ``dense_1`` is the layer's place among its kind. Where names tell the same layers, they decide, so
    that models whose layers are listed in another order fit as well.
    """
    lists: dict[str, list[Part]] = {}
    for part in parts:
        if part.container is not None:
            lists.setdefault(part.container, []).append(part)
    renamed: dict[str, str | None] = {}
    groups: dict[str, dict[str, str]] = {}
    for path, name in file.names.items():
        parent, _, group = path.rpartition("/")
        groups.setdefault(parent, {})[group] = name
    for container, members in lists.items():
        there = groups.get(_path_in_file(container, renamed) or "", {})
        by_name = {name: group for group, name in there.items()}
        ours = [part.name for part in members]
        if len(set(ours)) == len(ours) == len(there) == len(by_name) and set(ours) == set(by_name):
            places = [(part, by_name[part.name]) for part in members]
            if all(_base(part.path.rpartition("/")[2]) == _base(group) for part, group in places):
                renamed.update({part.path: group for part, group in places})
    return renamed


def _base(name: str) -> str:
    head, _, tail = name.rpartition("_")
    return head if head and tail.isdigit() else name


def _named(parts: list[Part], file: Source) -> dict[str, str | None]:
    """Path of a layer in a list -> the name of the group of the layer of its name, or ``None`` where there is none."""
    renamed: dict[str, str | None] = {}
    groups: dict[str, dict[str, str]] = {}
    for path, name in file.names.items():
        parent, _, group = path.rpartition("/")
        groups.setdefault(parent, {})[name] = group
    for part in parts:
        if part.container is not None:
            container = _path_in_file(part.container, renamed)
            renamed[part.path] = None if container is None else groups.get(container, {}).get(part.name)
    return renamed


def _path_in_file(path: str, renamed: Mapping[str, str | None]) -> str | None:
    here, there = "", ""
    for word in path.split("/") if path else ():
        here = join(here, word)
        found = renamed.get(here, word)
        if found is None:
            return None
        there = join(there, found)
    return there
