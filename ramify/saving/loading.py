"""From an open weights file into a model: first everything is compared, then everything is copied."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch

from ramify.errors import FileFormatError, RamifyError
from ramify.layers.layer import Layer
from ramify.layers.weights import WeightHolder
from ramify.saving.hdf5 import Entry, Store, WeightFile
from ramify.saving.parts import OPTIMIZER, Part, class_name, join, parts_of

Pair = tuple[torch.Tensor, Entry]


def load(model: Layer, file: WeightFile, *, skip_mismatch: bool = False) -> None:
    """Read all weights of a model, and the state of its optimizer, out of a file.

    Args:
        model: the model, built.
        file: the file.
        skip_mismatch: leave what does not fit as it is, with a warning, instead of raising.

    Raises:
        FileFormatError: weights are missing, left over, or of another shape or dtype; the message lists them all, and
            the model is unchanged.
    """
    pairs, custom, problems = _plan(model, file)
    if problems:
        report(problems, file.name, model, skip=skip_mismatch)
    for _, entry in pairs:
        entry.array()  # damaged data is found before the first weight is changed
    before = [(weight, weight.detach().clone()) for part, _ in custom for weight in _weights(part.owner)]
    try:
        for part, entries in custom:
            _call_hook(part, entries, file.name)
    except BaseException:
        with torch.no_grad():
            for weight, value in before:
                weight.copy_(value)
        raise
    with torch.no_grad():
        for weight, entry in pairs:
            weight.copy_(entry.tensor())


def _weights(owner: Any) -> list[torch.Tensor]:
    return owner.saved_weights() if isinstance(owner, WeightHolder) else []


def _plan(model: Layer, file: WeightFile) -> tuple[list[Pair], list[tuple[Part, Mapping[str, Entry]]], list[str]]:
    """What is to be copied, whose own method reads what, and what does not fit."""
    parts = list(parts_of(model))
    renamed = _renamed(parts, file)
    pairs: list[Pair] = []
    custom: list[tuple[Part, Mapping[str, Entry]]] = []
    problems: list[str] = []
    used: set[str] = set()
    for part in parts:
        place = join(_path_in_file(part.path, renamed), "vars")
        used.add(place)
        entries = file.entries.get(place, {})
        if _reads_itself(part.owner):
            if entries:
                custom.append((part, entries))
            elif part.path != OPTIMIZER and _weights(part.owner):
                problems.append(f"{class_name(part)}: missing in the file (at '{place}')")
            continue
        _compare(part, entries, place, pairs, problems)
    problems += [
        f"'{place}' in the file belongs to nothing in the model ({len(entries)} array(s))"
        for place, entries in file.entries.items()
        if place not in used and not _may_be_left(place)
    ]
    return pairs, custom, problems


def _reads_itself(owner: Any) -> bool:
    if not isinstance(owner, WeightHolder):
        return True
    return type(owner).load_own_variables is not WeightHolder.load_own_variables


def _may_be_left(place: str) -> bool:
    """State that Keras writes and that has no place here: an optimizer's without one, random seeds."""
    return place.startswith(f"{OPTIMIZER}/") or "seed_generator" in place


def _compare(part: Part, entries: Mapping[str, Entry], place: str, pairs: list[Pair], problems: list[str]) -> None:
    own = part.owner.saved_weights()
    word = class_name(part)
    if own and not entries:
        problems.append(f"{word}: all {len(own)} weight(s) are missing in the file (at '{place}')")
        return
    if len(own) != len(entries):
        hint = "" if own or part.owner.built else " (it is not built yet: call the model on data first)"
        problems.append(f"{word}: has {len(own)} weight(s), the file {len(entries)} (at '{place}'){hint}")
        return
    for i, weight in enumerate(own):
        entry = entries.get(str(i))
        name = getattr(weight, "path", f"weight {i}")
        if entry is None:
            problems.append(f"{word}: '{name}' is missing in the file (at '{place}/{i}')")
        elif entry.shape != tuple(weight.shape):
            problems.append(f"{word}: '{name}' has shape {tuple(weight.shape)}, in the file {entry.shape}")
        elif kind_of(entry.dtype) != kind_of(weight.dtype):
            problems.append(f"{word}: '{name}' has dtype {_short(weight.dtype)}, in the file {_short(entry.dtype)}")
        else:
            pairs.append((weight, entry))


def kind_of(dtype: torch.dtype) -> str:
    """``"float"``, ``"complex"``, ``"int"`` or ``"bool"``: a weight takes values of its own kind only."""
    if dtype.is_floating_point:
        return "float"
    return "complex" if dtype.is_complex else "bool" if dtype is torch.bool else "int"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def report(problems: list[str], name: str, model: Layer, *, skip: bool) -> None:
    """Tell everything that does not fit at once.

    Raises:
        FileFormatError: unless `skip`, which makes it a warning.
    """
    listed = "\n  ".join(problems[:30]) + (f"\n  ... and {len(problems) - 30} more" if len(problems) > 30 else "")
    if skip:
        message = f"Not everything of {name} was loaded into {model.describe()}; left as it was:\n  {listed}"
        warnings.warn(message, stacklevel=4)
        return
    raise FileFormatError(
        f"{name} does not fit {model.describe()}; nothing was loaded:\n  {listed}\n"
        "Load into a model of the same architecture, or pass `skip_mismatch=True` to `load_weights`."
    )


def _call_hook(part: Part, entries: Mapping[str, Entry], name: str) -> None:
    try:
        part.owner.load_own_variables(Store(entries))
    except RamifyError:
        raise
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        raise FileFormatError(f"{class_name(part)} could not read its part of {name}: {error!r}.") from error


# ---- layers in lists: by their names, where the file has the same ones ----


def _renamed(parts: list[Part], file: WeightFile) -> dict[str, str]:
    """Path of a layer in a list -> the name of its group in the file, for lists whose layers have the same names there.

    The number in ``dense_1`` is the layer's place among its kind. Where names tell the same layers, they decide, so
    that models whose layers are listed in another order fit as well.
    """
    lists: dict[str, list[Part]] = {}
    for part in parts:
        if part.container is not None:
            lists.setdefault(part.container, []).append(part)
    renamed: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {}
    for path, name in file.names.items():
        parent, _, group = path.rpartition("/")
        groups.setdefault(parent, {})[group] = name
    for container, members in lists.items():
        there = groups.get(_path_in_file(container, renamed), {})
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


def _path_in_file(path: str, renamed: Mapping[str, str]) -> str:
    here, there = "", ""
    for word in path.split("/") if path else ():
        here = join(here, word)
        there = join(there, renamed.get(here, word))
    return there
