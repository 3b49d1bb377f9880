"""`diff`: what was added to a model, removed from it and changed in it, as text and as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ramify.visualize.align import Trait, aligned
from ramify.visualize.build import picture_of
from ramify.visualize.cards import Look
from ramify.visualize.display import Box, DisplayList, Group, Text
from ramify.visualize.draw import draw
from ramify.visualize.explorer import explorer_page
from ramify.visualize.explorer.data import arguments
from ramify.visualize.facts import weights_of
from ramify.visualize.picture import Edge, Item, Level, Picture, Tensor
from ramify.visualize.plot import Drawing
from ramify.visualize.svg import svg
from ramify.visualize.words import shape_text

SIGNS = {"added": "+", "removed": "−", "changed": "~"}
_LOOK = Look(shapes=True, names=True, activations=True)
_PORTS = ("entry", "exit")
_FRAMED = ("card", "frozen", "group", "inner", "pill")


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        state: ``added``, ``removed`` or ``changed``.
        path: the call, by the names of what it is in and its own.
        kind: class of the layer, or the words of the operation.
        details: for a change, what was and what is: ``units: 64 -> 128``.
    """

    state: str
    path: str
    kind: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{SIGNS[self.state].replace('−', '-')} {self.path} ({self.kind})"
        return "\n".join([head, *(f"    {line}" for line in self.details)])


class Difference(Drawing):
    """The differences of two models: true if there are any, a text, and a picture of both in one.

    Attributes:
        changes: each difference, in the order of the calls.
        same: how many calls are the same.
    """

    def __init__(self, names: tuple[str, str], picture: Picture, marks: dict[int, str], changes: list[Change]) -> None:
        super().__init__(picture, _LOOK)
        self.names, self.changes, self._marks = names, changes, marks
        cards = [item for item in picture.walk() if not item.is_container and item.role not in _PORTS]
        self.same = sum(item.index not in marks for item in cards)

    def __bool__(self) -> bool:
        return bool(self.changes)

    def of(self, state: str) -> list[Change]:
        """The differences that are ``added``, ``removed`` or ``changed``."""
        return [change for change in self.changes if change.state == state]

    def __str__(self) -> str:
        counts = ", ".join(f"{len(self.of(state))} {state}" for state in SIGNS)
        first = f'"{self.names[0]}" -> "{self.names[1]}": {counts}, {self.same} the same'
        return "\n".join([first, *map(str, self.changes)])

    __repr__ = __str__

    @property
    def display_list(self) -> DisplayList:  # made anew, as marks are laid over it
        """The shapes of the picture."""
        drawing = draw(self.picture, _LOOK, self._rankdir)
        drawing.groups += list(_marked(drawing, self._marks))
        drawing.title = f"What changed from '{self.names[0]}' to '{self.names[1]}'"
        drawing.description = str(self)
        return drawing

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return svg(self.display_list)

    def explore(self, path: str | Path | None = None) -> Any:
        """The differences in the explorer; the page as text when no HTML file is named."""
        page = explorer_page(self.picture, marks=self._marks)
        if path is None:
            return page
        Path(path).write_text(page, encoding="utf-8")
        return Path(path)

    def save(self, path: str | Path, dpi: float = 200) -> Path:
        """Write the picture as ``.svg``, ``.pdf`` or ``.png``, or the explorer as ``.html``."""
        path = Path(path)
        if path.suffix.lower() == ".html":
            self.path = self.explore(path)
            return path
        return super().save(path, dpi)

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<pre>{escape(str(self))}</pre>"


def diff(a: Any, b: Any, weights: bool = False) -> Difference:
    """Compare two models call by call.

    Calls are matched in order, by class, configuration and name, so that a layer that was put in between does not make
    everything behind it look new. What was matched is compared: configuration, output shapes and dtypes, whether it is
    trained, and what it reads.

    Args:
        a: the model that was.
        b: the model that is.
        weights: whether to compare the values of the weights, too.

    Returns:
        A `Difference`, which is true if there is one.

    Raises:
        NotBuiltError: a model that has no layers to show yet.

    Example:

    >>> import ramify
    >>> def model(units):
    ...     x = ramify.Input(shape=(4,), name="x")
    ...     return ramify.Model(x, ramify.layers.Dense(units, name="out")(x), name=f"units_{units}")
    >>> diff(model(2), model(3))
    "units_2" -> "units_3": 0 added, 0 removed, 2 changed, 1 the same
    ~ out (Dense)
        units: 2 -> 3
        output: (None, 2) float32 -> (None, 3) float32
    ~ output (Output)
        shape: (None, 2) float32 -> (None, 3) float32
    """
    old, new = picture_of(a, expand_nested=True, costs=False), picture_of(b, expand_nested=True, costs=False)
    comparison = _Comparison(old, new)
    found = comparison.found(weights)
    comparison.join()
    order = {id(item): i for i, item in enumerate(new.walk())}
    found.sort(key=lambda entry: order[id(entry[0])])
    marks = {item.index: change.state for item, change in found}
    return Difference((a.name, b.name), new, marks, [change for _, change in found])


class _Comparison:
    """The pictures of two models, and which item of one answers to which of the other."""

    def __init__(self, old: Picture, new: Picture) -> None:
        self.new = new
        self.into: dict[int, list[Edge]] = {}
        for edge in (edge for picture in (old, new) for _, level in picture.levels for edge in level.edges):
            if not edge.hidden:
                self.into.setdefault(id(edge.target), []).append(edge)
        self.pairs: list[tuple[Item, Item]] = []
        self.merged: list[tuple[Level, Level, list[Item]]] = []
        self.removed: list[Item] = []
        self.added: list[Item] = []
        self.now: dict[int, Item] = {}  # an item of the old picture, by its id -> that of the new one
        waiting = [(old.top, new.top)]
        for one, two in waiting:  # grows while it is read
            waiting += self._match(one, two)

    def _match(self, a: Level, b: Level) -> list[tuple[Level, Level]]:
        """Match two levels; returns the levels of containers that were matched."""
        ports = [*zip(a.entries, b.entries, strict=False), *zip(a.exits, b.exits, strict=False)]
        old, new = (_cards(level) for level in (a, b))
        pairs = aligned([_trait(item) for item in old], [_trait(item) for item in new])
        self.now |= {id(one): two for one, two in [*ports, *((old[i], new[j]) for i, j in pairs)]}
        merged: list[Item] = []
        inner = []
        begin_a = begin_b = 0
        for i, j in [*pairs, (len(old), len(new))]:
            self.removed += old[begin_a:i]
            self.added += new[begin_b:j]
            merged += [*old[begin_a:i], *new[begin_b : j + 1]]
            begin_a, begin_b = i + 1, j + 1
            if i < len(old):
                one, two = old[i], new[j]
                self.pairs.append((one, two))
                if one.level is not None and two.level is not None:
                    inner.append((one.level, two.level))
        self.merged.append((a, b, merged))
        return inner

    def found(self, weights: bool) -> list[tuple[Item, Change]]:
        """The differences, and the item of each."""
        changes = [(item, Change("removed", item.path, item.kind)) for item in self.removed]
        changes += [(item, Change("added", item.path, item.kind)) for item in self.added]
        for one, two in self.pairs:
            details = tuple(self._details(one, two, weights))
            if details:
                changes.append((two, Change("changed", two.path, two.kind, details)))
        return changes

    def _details(self, one: Item, two: Item, weights: bool) -> Iterator[str]:
        if one.kind != two.kind:
            yield f"kind: {one.kind} -> {two.kind}"
        old, new = arguments(one.target), arguments(two.target)
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                yield f"{name}: {old.get(name, 'default')} -> {new.get(name, 'default')}"
        was, now = (_shapes(item.inputs if item.role == "output" else item.outputs) for item in (one, two))
        if was != now:
            yield f"{'shape' if one.role == 'output' else 'output'}: {was} -> {now}"
        if one.trainable != two.trainable and None not in (one.trainable, two.trainable):
            yield f"trainable: {one.trainable} -> {two.trainable}"
        before, after = self.into.get(id(one), []), self.into.get(id(two), [])
        ends = [(self.now.get(id(edge.source)), edge.port) for edge in before]
        if ends != [(edge.source, edge.port) for edge in after]:
            yield f"reads: {_names(before)} -> {_names(after)}"
        if weights and one.level is None and one.role == "layer":
            yield from _values(one.target, two.target)

    def join(self) -> None:
        """Put what was removed into the new picture, where it was."""
        gone = {id(item) for item in self.removed}
        number = 1 + max((item.index for item in self.new.walk()), default=0)
        for a, b, merged in self.merged:
            owner = b.items[0].parent if b.items else None
            for item in merged:
                if id(item) in gone:
                    item.parent = owner
                    for one in (item, *_within(item)):
                        one.index, one.share, number = number, None, number + 1
            b.items[:] = [*b.entries, *merged, *b.exits]
            for edge in a.edges:
                source, target = (
                    one if id(one) in gone else self.now.get(id(one)) for one in (edge.source, edge.target)
                )
                if source is not None and target is not None and gone & {id(source), id(target)}:
                    b.edges.append(Edge(source, edge.port, target, edge.slot, edge.times, edge.hidden))


def _cards(level: Level) -> list[Item]:
    return [item for item in level.items if item.role not in _PORTS]


def _within(item: Item) -> list[Item]:
    found: list[Item] = []
    stack = [item]
    while stack:
        level = stack.pop().level
        inside = level.items if level is not None else []
        found += inside
        stack += inside
    return found


def _trait(item: Item) -> Trait:
    if item.role == "operation":
        return Trait("operation", item.name, item.kind)
    told = f"{item.config}{sorted(arguments(item.target).items())}" if item.role == "layer" else item.config
    return Trait(f"{item.role} {item.kind}", item.name, told)


def _names(edges: list[Edge]) -> str:
    return ", ".join(edge.source.name or edge.source.kind for edge in edges) or "nothing"


def _shapes(tensors: list[Tensor]) -> str:
    return ", ".join(f"{shape_text(tensor.shape)} {tensor.dtype}".strip() for tensor in tensors)


def _values(one: Any, two: Any) -> Iterator[str]:
    for old, new in zip(weights_of(one), weights_of(two), strict=False):
        if old.shape != new.shape:
            continue
        most = (old.detach().double() - new.detach().to(old.device).double()).abs().max().item() if old.numel() else 0
        if most:
            yield f"{getattr(new, 'name', 'weight')}: values differ by up to {most:.3g}"


def _marked(drawing: DisplayList, marks: dict[int, str]) -> Iterator[Group]:
    """Frames around the cards that differ, with a sign."""
    for group in list(drawing.groups):
        state = marks.get(int(group.key)) if group.key.isdigit() else None
        box = next((one for one in group.shapes if isinstance(one, Box) and one.style in _FRAMED), None)
        if state is None or box is None:
            continue
        frame = Box(state, box.x - 2, box.y - 2, box.width + 4, box.height + 4, box.radius + 2)
        x, y = box.x + box.width, box.y
        dot, sign = (
            Box(f"{state}-dot", x - 8, y - 8, 16, 16, 8),
            Text("on-dot", x, y + 4.2, SIGNS[state], 13, True, "middle"),
        )
        yield Group([frame, dot, sign], title=state)
