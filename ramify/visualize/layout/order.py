"""Order within the ranks: medians of neighbours, swept down and up, then exchanges of neighbours, to cross less."""

from __future__ import annotations

from bisect import bisect_right, insort

from ramify.visualize.layout.problem import Layers

_SWEEPS = 16
_PATIENCE = 4
_WIDE = 48  # ranks wider than this are not improved by exchanges, which take quadratic time


def ordered(layers: Layers) -> Layers:
    """Put the vertices of every rank in an order in which few edges cross."""
    _Order(layers).improve()
    return layers


class _Order:
    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        self.above, self.below = layers.around
        self.place = [0.0] * len(layers.rank)
        # Places of the ends of links within their box, between 0 and 1: they matter where ports are given.
        self.upper_end = [_within(layers, u, p, out=True) for u, p, _, _ in layers.down]
        self.lower_end = [_within(layers, v, s, out=False) for _, _, v, s in layers.down]
        self.gaps: list[list[int]] = [[] for _ in layers.order]
        for number, (u, _, _, _) in enumerate(layers.down):
            self.gaps[layers.rank[u]].append(number)

    def improve(self) -> None:
        self._depth_first()
        self._number()
        best, fewest, waited = self._copy(), self.crossings(), 0
        for sweep in range(_SWEEPS):
            if not fewest or waited >= _PATIENCE:
                break
            self._sweep(downward=sweep % 2 == 0)
            self._exchange()
            now = self.crossings()
            waited = 0 if now < fewest else waited + 1
            if now < fewest:
                best, fewest = self._copy(), now
        self.layers.order[:] = best
        self._number()

    def _copy(self) -> list[list[int]]:
        return [list(row) for row in self.layers.order]

    def _number(self) -> None:
        for row in self.layers.order:
            for i, v in enumerate(row):
                self.place[v] = i

    def _depth_first(self) -> None:
        """The first order: as a walk down from the inputs meets the vertices, branches in the order of their calls."""
        layers = self.layers
        down = layers.down
        children = [sorted((down[n][2] for n in links), key=self._boxes_first) for links in self.below]
        seen: set[int] = set()
        rows: list[list[int]] = [[] for _ in layers.order]
        for start in [v for row in layers.order for v in row if not self.above[v]]:
            stack = [start]
            while stack:
                v = stack.pop()
                if v not in seen:
                    seen.add(v)
                    rows[layers.rank[v]].append(v)
                    stack.extend(reversed(children[v]))
        layers.order[:] = rows

    def _boxes_first(self, v: int) -> tuple[bool, int]:
        return v >= len(self.layers.boxes), v

    def _ends(self, v: int, upward: bool) -> list[float]:
        down, place = self.layers.down, self.place
        if upward:
            return sorted(place[down[n][0]] + self.upper_end[n] for n in self.above[v])
        return sorted(place[down[n][2]] + self.lower_end[n] for n in self.below[v])

    def _sweep(self, downward: bool) -> None:
        rows = self.layers.order
        for row in rows[1:] if downward else reversed(rows[:-1]):
            middles = {v: _median(self._ends(v, downward)) for v in row}
            free = iter(sorted((v for v in row if middles[v] is not None), key=lambda v: middles[v] or 0.0))
            row[:] = [v if middles[v] is None else next(free) for v in row]
            for i, v in enumerate(row):
                self.place[v] = i

    def _exchange(self) -> None:
        for _ in range(6):
            better = False
            for row in self.layers.order:
                if 1 < len(row) <= _WIDE:
                    better |= self._exchange_in(row)
            if not better:
                return

    def _exchange_in(self, row: list[int]) -> bool:
        better = False
        ends = {v: (self._ends(v, upward=True), self._ends(v, upward=False)) for v in row}
        for i in range(len(row) - 1):
            a, b = ends[row[i]], ends[row[i + 1]]
            now = sum(_crossed(left, right) for left, right in zip(a, b, strict=True))
            if now and sum(_crossed(left, right) for left, right in zip(b, a, strict=True)) < now:
                row[i], row[i + 1] = row[i + 1], row[i]
                self.place[row[i]], self.place[row[i + 1]] = i, i + 1
                better = True
        return better

    def crossings(self) -> int:
        down, place = self.layers.down, self.place
        total = 0
        for gap in self.gaps:
            if len(gap) < 2:
                continue
            pairs = sorted((place[down[n][0]] + self.upper_end[n], place[down[n][2]] + self.lower_end[n]) for n in gap)
            seen: list[float] = []
            for _, low in pairs:
                total += len(seen) - bisect_right(seen, low)
                insort(seen, low)
        return total


def crossings(layers: Layers) -> int:
    """How often edges cross in the order that the ranks have now."""
    order = _Order(layers)
    order._number()  # noqa: SLF001 - the class is this file's own
    return order.crossings()


def _within(layers: Layers, v: int, port: int, out: bool) -> float:
    if v >= len(layers.boxes):
        return 0.5
    box = layers.boxes[v]
    places = box.outs if out else box.ins
    return 0.5 if places is None or not box.across else 0.5 + 0.98 * places[port] / box.across


def _median(ends: list[float]) -> float | None:
    if not ends:
        return None
    middle = len(ends) // 2
    return ends[middle] if len(ends) % 2 else (ends[middle - 1] + ends[middle]) / 2


def _crossed(left: list[float], right: list[float]) -> int:
    """Crossings between the links of two neighbours, `left` standing left."""
    return sum(len(left) - bisect_right(left, end) for end in right)
