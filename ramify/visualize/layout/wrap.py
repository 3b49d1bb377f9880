"""Wrapping: a drawing that is much longer than wide is cut into columns, as a newspaper is.

Tensors that pass a cut end in a numbered connector and go on from one of the same number at the head of the next
column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ramify.visualize.layout.problem import Box, Connector, Link, Piece, Placement, Run

LONG = 1_800.0  # what is shorter stays whole
_RATIO = 3.0  # and what is less long, compared to its width
_WANTED = 1.35  # length of a page, compared to its width
_BETWEEN = 64.0  # two columns
_STUB = 16.0  # of a line, between a row and a connector
_SIZE = 18.0  # of a connector
_SLACK = 0.22  # how far a cut may be from where columns would be equal, in columns


def wrapped(
    placement: Placement, boxes: Sequence[Box], links: Sequence[Link], columns: int | None = None, head: float = 0.0
) -> Placement:
    """Cut a placement into columns; return it as it is where there is to be one.

    Args:
        placement: what to cut.
        boxes: what was placed.
        links: likewise.
        columns: how many; when not given, as many as make a page of what is long.
        head: room above connectors.
    """
    cuts = _cuts(placement, links, _columns_of(placement) if columns is None else columns)
    return _Wrapping(placement, boxes, links, cuts, head).result() if cuts else placement


def _columns_of(placement: Placement) -> int:
    """How many columns make a page."""
    height, width = placement.height, placement.width
    if height < LONG or height < _RATIO * width:
        return 1
    columns = max(2, math.ceil(math.sqrt(height / (_WANTED * (width + _BETWEEN)))))
    return min(columns, math.ceil(height / (LONG / 2)))


def _cuts(placement: Placement, links: Sequence[Link], columns: int) -> list[int]:
    """The ranks after which to cut: near equal lengths, where few tensors pass."""
    if columns < 2:
        return []
    passing = [set() for _ in placement.rows]  # type: list[set[tuple[int, int]]]
    for link in links:
        for rank in range(placement.spots[link.source][0], placement.spots[link.target][0]):
            passing[rank].add((link.source, link.port))
    ends = [start + height for start, height in placement.rows]
    cuts: list[int] = []
    begin = 0.0
    for left in range(columns, 1, -1):
        goal = begin + (ends[-1] - begin) / left
        slack = _SLACK * (ends[-1] - begin) / left
        ranks = range(cuts[-1] + 1 if cuts else 0, len(ends) - 1)
        near = [r for r in ranks if abs(ends[r] - goal) <= slack] or [
            min(ranks, key=lambda r: abs(ends[r] - goal), default=-1)
        ]
        best = min(near, key=lambda r: (len(passing[r]) if r >= 0 else 0, abs(ends[r] - goal)))
        if best < 0:
            break
        cuts.append(best)
        begin = ends[best]
    return cuts


class _Wrapping:
    def __init__(
        self, placement: Placement, boxes: Sequence[Box], links: Sequence[Link], cuts: list[int], head: float
    ) -> None:
        self.old, self.boxes, self.links, self.cuts, self.head = placement, boxes, links, cuts, head
        self.column = [sum(cut < rank for cut in cuts) for rank in range(len(placement.rows))]
        self.ends = [start + height for start, height in placement.rows]
        self.numbers: dict[tuple[int, int], int] = {}
        self.pieces: list[Piece] = []
        self.connectors: dict[tuple[int, int, float, bool], Connector] = {}
        self.shifts = self._shifts()

    def _shifts(self) -> list[tuple[float, float]]:
        """How far each column moves across and along."""
        lows, highs = [math.inf] * (len(self.cuts) + 1), [-math.inf] * (len(self.cuts) + 1)

        def reach(column: int, low: float, high: float) -> None:
            lows[column], highs[column] = min(lows[column], low), max(highs[column], high)

        for v, box in enumerate(self.boxes):
            middle = self.old.across[v]
            reach(self.column[self.old.spots[v][0]], middle - box.across / 2, middle + box.across / 2)
        for link, route in zip(self.links, self.old.routes, strict=True):
            first = self.old.spots[link.source][0]
            for i, run in enumerate(route.runs):
                column = self.column[first + i]
                reach(column, run.across, run.across)
                if i + 1 < len(route.runs) and self.column[first + i + 1] != column:
                    for beside in (column, column + 1):
                        reach(beside, run.across - _SIZE / 2, run.across + _SIZE / 2)
        at, shifts = 0.0, []
        for k, (low, high) in enumerate(zip(lows, highs, strict=True)):
            along = 0.0 if not k else self.head + _SIZE + _STUB - self.ends[self.cuts[k - 1]]
            shifts.append((at - low, along))
            at += high - low + _BETWEEN
        self.width = at - _BETWEEN
        tails = [self.ends[cut] + _STUB + _SIZE for cut in self.cuts]
        self.height = max(tail + along for tail, (_, along) in zip([*tails, self.old.height], shifts, strict=True))
        return shifts

    def result(self) -> Placement:
        old = self.old
        across, along = [], []
        for v, box in enumerate(self.boxes):
            dx, dy = self.shifts[self.column[old.spots[v][0]]]
            across.append(old.across[v] + dx)
            along.append(self.height - box.along if box.last else old.along[v] + dy)
        for number, (link, route) in enumerate(zip(self.links, old.routes, strict=True)):
            self._cut(number, link, route.runs, route.branch)
        connectors = self._numbered()
        return Placement(
            across, along, old.routes, self.width, self.height, old.rows, old.spots, self.pieces, connectors
        )

    def _numbered(self) -> list[Connector]:
        """The connectors, numbered from the first column on and from left to right."""
        order = sorted(self.connectors.items(), key=lambda pair: (pair[0][1], pair[1].across))
        numbers: dict[int, int] = {}
        for (word, _, _, out), _ in order:
            if out:
                numbers.setdefault(word, len(numbers) + 1)
        return [Connector(c.across, c.along, numbers[word], out) for (word, _, _, out), c in order]

    def _cut(self, number: int, link: Link, runs: list[Run], branch: int) -> None:
        """The pieces of a route, one for each column that it passes."""
        first = self.old.spots[link.source][0]
        begin = 0
        while begin < len(runs):
            column = self.column[first + begin]
            dx, dy = self.shifts[column]
            end = begin
            while end + 1 < len(runs) and self.column[first + end + 1] == column:
                end += 1
            moved = [Run(run.across + dx, run.start + dy, run.end + dy) for run in runs[begin : end + 1]]
            goes_on = end + 1 < len(runs)
            known = False
            if goes_on:
                top = moved[-1].end + _STUB
                moved[-1] = Run(moved[-1].across, moved[-1].start, top)
                known = self._connector(link, column, moved[-1].across, top + _SIZE / 2, out=True)
            elif self.boxes[link.target].last:
                moved[-1] = Run(moved[-1].across, moved[-1].start, self.height)
            inner = max(branch - begin, 0)
            if begin:
                x = runs[begin - 1].across + dx
                self._connector(link, column, x, self.head + _SIZE / 2, out=False)
                moved = [Run(x, self.head + _SIZE, self.head + _SIZE + _STUB), *moved]
                inner = max(branch - begin + 1, 0)
            if not known or inner < len(moved) - 1:
                self.pieces.append(Piece(number, moved, inner, not goes_on))
            begin = end + 1

    def _connector(self, link: Link, column: int, across: float, along: float, out: bool) -> bool:
        """A connector at a place; tells whether it stood there already."""
        word = self.numbers.setdefault((link.source, link.port), len(self.numbers) + 1)
        key = (word, column, round(across, 3), out)
        known = key in self.connectors
        self.connectors.setdefault(key, Connector(across, along, word, out))
        return known
