"""Folding: blocks in a row that are built alike become one container that says how many of them there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from ramify.visualize.costs import total
from ramify.visualize.families import FAMILIES
from ramify.visualize.picture import Edge, Item, Level, Picture, Repeat

_SHIFTS = 8  # how many beginnings of the first block are tried, those first where few tensors pass
_PERIODS = 24  # how many block lengths are tried in a level, those first that may save most


def folded(picture: Picture, least: int = 4) -> Picture:
    """Fold the repeated blocks of a picture, those within them too; the picture is changed and returned.

    Blocks are alike where they consist of the same calls, told the same, connected in the same way, and where nothing
    but the next block (and, of the last, what follows) reads what is in them. Shapes may differ, as in a dense block
    whose tensors grow; then `Repeat.alike` is false.

    Args:
        picture: what `picture_of` made.
        least: how many cards a fold has to save.
    """
    number = max((item.index for item in picture.walk()), default=-1) + 1
    levels = [(None, picture.top), *((item, level) for item, level in picture.levels if item is not None)]
    for owner, level in levels:  # grows while it is read
        for alike in (True, False):
            while (run := _best(level, alike, least)) is not None:
                fold = _fold(level, run, owner, number, alike)
                number += 1 + len(fold.level.entries) + len(fold.level.exits) if fold.level else 1
                if fold.level is not None:
                    levels.append((fold, fold.level))
    return picture


class _Run(NamedTuple):
    """Blocks in a row.

    Attributes:
        start: where the first begins, among the cards of the level.
        size: cards in each.
        blocks: how many there are.
        entries: where the tensors of the first come from.
        exits: ports of a block that are read outside it, by place in the block.
    """

    start: int
    size: int
    blocks: int
    entries: list[tuple[Item, int]]
    exits: list[tuple[int, int]]


class _Wiring(NamedTuple):
    """How a block is wired.

    Attributes:
        sources: what is outside it, in the order in which the block reads it.
        inner: its edges, alike for blocks that are wired alike.
    """

    sources: list[tuple[Item, int]]
    inner: list[tuple[int, ...]]


# ---- finding ----


def _cards(level: Level) -> list[Item]:
    return [item for item in level.items if item.role in ("layer", "operation", "group", "fold")]


class _Search:
    def __init__(self, level: Level, alike: bool) -> None:
        self.cards = _cards(level)
        self.place = {item.index: i for i, item in enumerate(self.cards)}
        self.signs = [_sign(item, alike) for item in self.cards]
        self.into: dict[int, list[Edge]] = {item.index: [] for item in level.items}
        self.out: dict[int, list[Edge]] = {item.index: [] for item in level.items}
        for edge in level.edges:
            self.into[edge.target.index].append(edge)
            self.out[edge.source.index].append(edge)
        self.cuts = self._cuts(level)

    def _cuts(self, level: Level) -> list[tuple[int, int]]:
        """How good it is to begin a block at each card: few tensors pass there, and one that branches is read there."""
        last: dict[tuple[int, int], int] = {}
        read: Counter[tuple[int, int]] = Counter()
        for edge in level.edges:
            key = (edge.source.index, edge.port)
            last[key] = max(last.get(key, 0), self.place.get(edge.target.index, len(self.cards)))
            read[key] += 1
        steps = [0] * (len(self.cards) + 2)
        for (source, _), end in last.items():
            steps[self.place.get(source, -1) + 1] += 1
            steps[end + 1] -= 1
        branches = [
            max((read[e.source.index, e.port] for e in self.into[card.index]), default=0) for card in self.cards
        ]
        return [(width, -branch) for width, branch in zip(accumulate(steps), branches, strict=False)]

    def stretches(self) -> list[tuple[int, int, int]]:
        """Where cards are followed, `size` further, by cards of the same sign: start, size, length; longest first."""
        last: dict[int, list[int]] = {}
        distances: Counter[int] = Counter()
        for i, sign in enumerate(self.signs):
            seen = last.setdefault(sign, [])
            distances.update(i - j for j in seen[-3:])
            seen.append(i)
        found = []
        most = sorted(distances, key=lambda d: (-distances[d], d))[:_PERIODS]
        for size in most:
            begun = -1
            for i in range(len(self.signs) - size + 1):
                same = i + size < len(self.signs) and self.signs[i] == self.signs[i + size]
                if same and begun < 0:
                    begun = i
                elif not same and begun >= 0:
                    if i - begun >= size:
                        found.append((begun, size, i - begun + size))
                    begun = -1
        return sorted(found, key=lambda run: (-(run[2] - run[1]), run[1], run[0]))

    def run(self, start: int, size: int, length: int, least: int) -> _Run | None:
        """The blocks in a stretch, cut where few tensors pass from one to the next."""
        best: _Run | None = None
        shifts = range(min(size, length - 2 * size + 1))
        for shift in sorted(shifts, key=lambda shift: (self.cuts[start + shift], shift))[:_SHIFTS]:
            most = (length - shift) // size
            if best is not None and most <= best.blocks + 1:
                continue
            run = self._whole(start + shift, size, most)
            if run is not None and (run.blocks - 1) * size >= least and (best is None or run.blocks > best.blocks + 1):
                best = run
        return best

    def _whole(self, start: int, size: int, most: int) -> _Run | None:
        """The longest row of whole blocks from a start on."""
        first = before = self._wiring(start, size, 0)
        count = 1
        while count < most:
            now = self._wiring(start, size, count)
            if now.inner != first.inner or not self._follows(before.sources, now.sources, count, start, size):
                break
            before = now
            count += 1
        while count > 1 and not self._closed(start, size, count):
            count -= 1
        if count < 2:
            return None
        exits = sorted(
            {
                (self.place[e.source.index] - start - k * size, e.port)
                for k in range(count)
                for e in self._leaving(start, size, k)
            }
        )
        return _Run(start, size, count, first.sources, exits)

    def _wiring(self, start: int, size: int, k: int) -> _Wiring:
        low, high = start + k * size, start + (k + 1) * size
        sources: dict[tuple[int, int], int] = {}
        found: list[tuple[Item, int]] = []
        wires: list[tuple[int, ...]] = []
        for i in range(low, high):
            for edge in self.into[self.cards[i].index]:
                at = self.place.get(edge.source.index, -1)
                if low <= at < high:
                    wires.append((i - low, at - low, edge.port, edge.slot, edge.times))
                    continue
                key = (edge.source.index, edge.port)
                if key not in sources:
                    sources[key] = len(found)
                    found.append((edge.source, edge.port))
                wires.append((i - low, -1 - sources[key], 0, edge.slot, edge.times))
        return _Wiring(found, wires)

    def _follows(self, before: list[tuple[Item, int]], now: list[tuple[Item, int]], k: int, s: int, n: int) -> bool:
        """Whether block `k` reads the one before it as that reads the one before; both are wired alike within."""
        linked = 0
        for (source, port), (earlier, its_port) in zip(now, before, strict=True):
            at = self.place.get(source.index, -1)
            inside = s + (k - 1) * n <= at < s + k * n
            linked += inside
            if inside and k > 1:
                fits = self.place.get(earlier.index, -1) == at - n and port == its_port
            else:
                fits = inside or (source is earlier and port == its_port)
            if not fits:
                return False
        return linked > 0

    def _leaving(self, start: int, size: int, k: int) -> list[Edge]:
        low, high = start + k * size, start + (k + 1) * size
        return [
            edge
            for i in range(low, high)
            for edge in self.out[self.cards[i].index]
            if not low <= self.place.get(edge.target.index, -1) < high
        ]

    def _closed(self, start: int, size: int, count: int) -> bool:
        """Whether only the next block reads what a block but the last makes, and nothing is carried past a block."""
        for k in range(count - 1):
            low = start + (k + 1) * size
            if any(not low <= self.place.get(e.target.index, -1) < low + size for e in self._leaving(start, size, k)):
                return False
        return True


def _best(level: Level, alike: bool, least: int) -> _Run | None:
    search = _Search(level, alike)
    best: _Run | None = None
    saved = 0
    for start, size, length in search.stretches():
        if length - size <= saved:
            break
        run = search.run(start, size, length, max(least, saved + 1))
        if run is not None:
            best, saved = run, (run.blocks - 1) * run.size
    return best


def _sign(item: Item, alike: bool) -> int:
    """Equal for cards that are alike; of containers, what is in them counts."""
    parts: list[object] = []
    stack = [item]
    while stack:
        one = stack.pop()
        told = (one.role, one.kind, one.family.key, one.config, one.activation, one.trainable, one.share is None)
        parts.append(told)
        if one.share is not None:  # calls of a shared layer are no blocks of their own
            parts.append((one.share.letter, one.index))
        if alike:
            parts += [one.params, tuple((t.shape, t.dtype) for t in (*one.inputs, *one.outputs))]
        else:
            parts.append((len(one.inputs), len(one.outputs), tuple(t.dtype for t in one.outputs)))
        if one.repeat is not None:
            parts.append(one.repeat.count)
        if one.level is not None:
            number = {inner.index: i for i, inner in enumerate(one.level.items)}
            parts.append(
                tuple((number[e.source.index], e.port, number[e.target.index], e.slot) for e in one.level.edges)
            )
            stack.extend(one.level.items)
    return hash(tuple(parts))


# ---- folding ----


def _fold(level: Level, run: _Run, owner: Item | None, number: int, alike: bool) -> Item:
    """Put a container in place of the blocks, and the first block into it."""
    cards = _cards(level)
    blocks = [cards[run.start + k * run.size : run.start + (k + 1) * run.size] for k in range(run.blocks)]
    first, every = blocks[0], [item for block in blocks for item in block]
    fold = Item(number, "fold", "Block", _name_of(blocks), FAMILIES["model"], parent=owner)
    fold.repeat = Repeat(run.blocks, alike)
    fold.params = sum(item.params for item in every)
    fold.flops, fold.memory = total(item.flops for item in every), total(item.memory for item in every)
    states = {item.trainable for item in every if item.trainable is not None}
    fold.trainable = any(states) if states else None
    fold.config = f"{run.blocks} × {len(first)} layers"
    before = f"{owner.path}/" if owner is not None else ""
    fold.path = f"{before}{first[0].name}×{run.blocks}"
    inner = fold.level = Level()
    for slot, (source, port) in enumerate(run.entries):
        entry = Item(number + 1 + slot, "entry", "", source.name, FAMILIES["input"], parent=fold)
        entry.outputs, entry.path = [source.outputs[port]], f"{fold.path}/>{slot}"
        inner.entries.append(entry)
        fold.inputs.append(source.outputs[port])
    for i, (at, port) in enumerate(run.exits):
        exit_ = Item(number + 1 + len(inner.entries) + i, "exit", "", first[at].name, FAMILIES["input"], parent=fold)
        exit_.inputs, exit_.path = [first[at].outputs[port]], f"{fold.path}/<{i}"
        inner.exits.append(exit_)
        fold.outputs.append(blocks[-1][at].outputs[port])
    for item in first:
        item.parent = fold
    for block in blocks[1:]:
        for item, twin in zip(first, block, strict=True):
            _pair(item, twin)
    inner.items = [*inner.entries, *first, *inner.exits]
    _rewire(level, fold, run, blocks)
    at = level.items.index(first[0])
    gone = {item.index for item in every}
    level.items = [*level.items[:at], fold, *(item for item in level.items[at:] if item.index not in gone)]
    return fold


def _rewire(level: Level, fold: Item, run: _Run, blocks: list[list[Item]]) -> None:
    inner = fold.level
    assert inner is not None
    block_of = {item.index: k for k, block in enumerate(blocks) for item in block}
    slot = {(source.index, port): i for i, (source, port) in enumerate(run.entries)}
    last = {(blocks[-1][at].index, port): i for i, (at, port) in enumerate(run.exits)}
    outside: dict[tuple[int, int], Edge] = {}
    kept: list[Edge] = []
    for edge in level.edges:
        start, end = block_of.get(edge.source.index), block_of.get(edge.target.index)
        if start is None and end is None:
            kept.append(edge)
        elif start == end == 0:
            inner.edges.append(edge)
        elif start is None and end == 0:
            at = slot[edge.source.index, edge.port]
            inner.edges.append(Edge(inner.entries[at], 0, edge.target, edge.slot, edge.times))
            key = (edge.source.index, edge.port)
            if key not in outside:
                outside[key] = Edge(edge.source, edge.port, fold, at)
                kept.append(outside[key])
        elif start == len(blocks) - 1 and end is None:
            port = last[edge.source.index, edge.port]
            kept.append(Edge(fold, port, edge.target, edge.slot, edge.times))
    for i, (at, port) in enumerate(run.exits):
        inner.edges.append(Edge(blocks[0][at], port, inner.exits[i]))
    level.edges = kept


def _pair(item: Item, twin: Item) -> None:
    """Let an item stand for one of another block too, and what is in it for what is in that."""
    pairs = [(item, twin)]
    for one, other in pairs:  # grows while it is read
        one.twins += [other, *other.twins]
        if one.level is not None and other.level is not None:
            pairs += zip(one.level.items, other.level.items, strict=True)


def _name_of(blocks: Iterable[list[Item]]) -> str:
    """From the first name to the last, of the first card of each block: ``conv2_block2 … conv2_block4``."""
    names = [block[0].name for block in blocks]
    return names[0] if names[0] == names[-1] else f"{names[0]} … {names[-1]}"
