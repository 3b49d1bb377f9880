"""A part of a picture: between some layers, around one, or what is in one model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ramify.errors import ArgumentError
from ramify.visualize.costs import total
from ramify.visualize.families import FAMILIES
from ramify.visualize.picture import Edge, Item, Level, Picture

_AROUND = 2  # calls before and after a layer in focus
Names = str | Sequence[str] | None


def part_of(picture: Picture, from_: Names = None, to: Names = None, focus: str | None = None) -> Picture:
    """Keep a part of a picture, which is changed and returned; tensors that come from elsewhere get a dashed card.

    Args:
        picture: what `picture_of` made.
        from_: name of a layer (or names): keep it and what depends on it.
        to: name of a layer (or names): keep it and what it depends on.
        focus: name or path of a layer or a model: keep what is in the model; of a layer, keep it and its neighbours.

    Raises:
        ArgumentError: a name that is not in the picture, or nothing between `from_` and `to`.
    """
    if focus is not None:
        found = _named(picture.walk(), focus, "focus", picture)[0]
        _focus(picture, found)
    level = picture.top
    keep = {item.index for item in level.items}
    if from_ is not None:
        keep &= _reached(level, _starts(level, from_, "from_", picture), lambda edge: (edge.source, edge.target))
    if to is not None:
        keep &= _reached(level, _starts(level, to, "to", picture), lambda edge: (edge.target, edge.source))
    if not keep:
        raise ArgumentError(f"No way leads from {from_!r} to {to!r} in '{picture.name}', so there is nothing to draw.")
    if from_ is not None or to is not None:
        _cut(picture, level, keep)
    if focus is not None or from_ is not None or to is not None:
        calls = [item for item in picture.top.items if item.role in ("layer", "operation", "group")]
        picture.params = sum(item.params for item in calls)
        picture.flops, picture.memory = total(item.flops for item in calls), total(item.memory for item in calls)
        picture.note = "a part"
    return picture


def close(picture: Picture, depth: int) -> None:
    """Make cards of the models that lie deeper in others than `depth`."""
    levels = [(picture.top, 0)]
    for level, within in levels:  # grows while it is read
        for item in level.items:
            if item.level is not None and within < depth:
                levels.append((item.level, within + 1))
            elif item.level is not None:
                item.level, item.role = None, "layer"


def _starts(level: Level, names: Names, word: str, picture: Picture) -> list[Item]:
    wanted = [names] if isinstance(names, str) else list(names or ())
    return [item for name in wanted for item in _named(level.items, name, word, picture)]


def _named(items: Iterable[Item], name: str, word: str, picture: Picture) -> list[Item]:
    items = [item for item in items if item.role not in ("entry", "exit")]
    found = [item for item in items if item.path == name] or [item for item in items if item.name == name]
    if not found:
        known = list(dict.fromkeys(item.name or item.kind for item in items))
        raise ArgumentError(
            f"{word}={name!r} names nothing in the picture of '{picture.name}'. There are "
            f"{', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
        )
    return found


def _reached(level: Level, starts: Sequence[Item], ends: Callable[[Edge], tuple[Item, Item]]) -> set[int]:
    """The items at the end of ways that begin at some."""
    following: dict[int, list[Item]] = {}
    for edge in level.edges:
        here, there = ends(edge)
        following.setdefault(here.index, []).append(there)
    seen = {item.index for item in starts}
    stack = list(starts)
    while stack:
        for item in following.get(stack.pop().index, ()):
            if item.index not in seen:
                seen.add(item.index)
                stack.append(item)
    return seen


def _focus(picture: Picture, found: Item) -> None:
    if found.level is not None:
        picture.top, picture.name, picture.kind = found.level, found.name or found.kind, found.kind
        _unparent(picture.top)
        return
    level = found.parent.level if found.parent is not None and found.parent.level is not None else picture.top
    keep = {found.index}
    for here, there in (("source", "target"), ("target", "source")):
        edge_of = {found.index}
        for _ in range(_AROUND):
            edge_of = {getattr(e, there).index for e in level.edges if getattr(e, here).index in edge_of}
            keep |= edge_of
    picture.top = level
    _unparent(level)
    _cut(picture, level, keep)


def _unparent(level: Level) -> None:
    """Make a container's inside the outermost level: its ports become cards."""
    for item in level.items:
        item.parent = None
        if item.role in ("entry", "exit"):
            item.role, item.kind = ("input", "Input") if item.role == "entry" else ("output", "Output")
    level.entries, level.exits = [], []


def _cut(picture: Picture, level: Level, keep: set[int]) -> None:
    """Remove all other items of a level; tensors that come from them or go to them end in dashed cards."""
    number = max(item.index for item in picture.walk()) + 1
    cards: dict[tuple[int, int], Item] = {}
    edges = [edge for edge in level.edges if edge.source.index in keep and edge.target.index in keep]
    inside = {(edge.source.index, edge.port) for edge in edges}
    first: list[Item] = []
    last: list[Item] = []
    for edge in level.edges:
        key = (edge.source.index, edge.port)
        into, out = edge.target.index in keep, edge.source.index in keep
        if into == out or (out and key in inside):
            continue
        if key not in cards:
            kind = "…" if out else f"{edge.source.name or edge.source.kind} …"
            card = cards[key] = Item(number, "cut", kind, "", FAMILIES["op"], path=f"…{number}")
            number += 1
            tensors = edge.source.outputs[edge.port : edge.port + 1]
            card.outputs, card.inputs = ([], tensors) if out else (tensors, [])
            (last if out else first).append(card)
            if out:
                edges.append(Edge(edge.source, edge.port, card))
        if into:
            edges.append(Edge(cards[key], 0, edge.target, edge.slot, edge.times, edge.hidden))
    level.items = [*first, *(item for item in level.items if item.index in keep), *last]
    level.edges = edges
