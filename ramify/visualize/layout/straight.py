"""Which links run straight: the main way through the graph first, then the trunks of long edges, then what is free."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable

from ramify.visualize.layout.problem import Layers, Spacing


class Straight:
    """Links chosen to be straight, and where links meet their boxes.

    Attributes:
        up: per vertex the number of its straight link from the rank above, or -1.
        down: likewise to the rank below.
        starts: per link, where it leaves its upper vertex, from the vertex's middle.
        ends: per link, where it arrives at its lower vertex.
        aims: per link, how far its lower end should stand beside its upper end.
    """

    def __init__(self, layers: Layers, spacing: Spacing) -> None:
        self.layers, self.spacing = layers, spacing
        self.above, self.below = layers.around
        self.count = len(layers.boxes)
        self.place = {v: i for row in layers.order for i, v in enumerate(row)}
        self.up = [-1] * len(layers.rank)
        self.down = [-1] * len(layers.rank)
        self._kept: list[list[tuple[int, int]]] = [[] for _ in layers.order]
        main_up, main_down = self._mains()
        self._choose(main_up, main_down)
        # Where two ways are equally long, their common end stands between them.
        self.aims = [0.0] * len(layers.down)
        self._half = [box.across / 2 for box in layers.boxes] + [0.0] * (len(layers.rank) - self.count)
        for v in range(self.count):
            if main_up[v] < 0:
                self._aim(self.above[v], upward=True)
            if main_down[v] < 0:
                self._aim(self.below[v], upward=False)
        self.starts = [0.0] * len(layers.down)
        self.ends = [0.0] * len(layers.down)
        for v in range(self.count):
            self._fan_in(v, main_up[v])
            self._fan_out(v, main_down[v])

    # ---- which ----

    def _mains(self) -> tuple[list[int], list[int]]:
        """Per vertex, its link on the longest way from above and that on the longest way below; -1 for a tie of two."""
        links, length_up, length_down = self.layers.down, self._lengths(True), self._lengths(False)
        main_up, main_down = [], []
        for v in range(len(self.layers.rank)):
            ups = {n: (length_up[links[n][0]], links[n][0] < self.count) for n in self.above[v]}
            downs = {n: (length_down[links[n][2]], links[n][2] < self.count) for n in self.below[v]}
            main_up.append(self._middle_of_best(ups, lambda n: self.place[links[n][0]]))
            main_down.append(self._middle_of_best(downs, lambda n: self.place[links[n][2]]))
        return main_up, main_down

    @staticmethod
    def _middle_of_best(found: dict[int, tuple[int, bool]], place: Callable[[int], int]) -> int:
        if not found:
            return -1
        best = max(found.values())
        among = sorted((n for n, value in found.items() if value == best), key=place)
        return among[len(among) // 2] if len(among) % 2 else -1

    def _lengths(self, upward: bool) -> list[int]:
        """Boxes on the longest way from each vertex to an end."""
        links = self.layers.down
        length = [0] * len(self.layers.rank)
        for row in self.layers.order if upward else reversed(self.layers.order):
            for v in row:
                near = (links[n][0] for n in self.above[v]) if upward else (links[n][2] for n in self.below[v])
                length[v] = max((length[u] for u in near), default=0) + (v < self.count)
        return length

    def _choose(self, main_up: list[int], main_down: list[int]) -> None:
        links = self.layers.down
        numbers = range(len(links))
        bends = [n for n in numbers if links[n][0] >= self.count and links[n][2] >= self.count]
        for n in numbers:
            if main_down[links[n][0]] == n == main_up[links[n][2]]:
                self._keep(n)
        for n in bends:
            self._keep(n)
        for n in numbers:
            upper, _, lower, _ = links[n]
            tied = (main_down[upper] < 0 and len(self.below[upper]) > 1) or (
                main_up[lower] < 0 and len(self.above[lower]) > 1
            )
            if not tied:
                self._keep(n)

    def _keep(self, n: int) -> None:
        """Make a link straight if both its ends are free and it crosses no straight one."""
        upper, _, lower, _ = self.layers.down[n]
        if self.down[upper] >= 0 or self.up[lower] >= 0:
            return
        kept = self._kept[self.layers.rank[upper]]
        pair = (self.place[upper], self.place[lower])
        at = bisect_left(kept, pair)
        if (at and kept[at - 1][1] > pair[1]) or (at < len(kept) and kept[at][1] < pair[1]):
            return
        insort(kept, pair)
        self.down[upper] = self.up[lower] = n

    def _aim(self, numbers: list[int], upward: bool) -> None:
        """Let the vertices at the other ends of links stand side by side around the common end."""
        end = 0 if upward else 2
        vertices = sorted({self.layers.down[n][end] for n in numbers}, key=self.place.__getitem__)
        at, middles = 0.0, {}
        for v in vertices:
            middles[v] = at + self._half[v]
            at += 2 * self._half[v] + self.spacing.boxes
        for n in numbers:
            aside = middles[self.layers.down[n][end]] - (middles[vertices[0]] + middles[vertices[-1]]) / 2
            self.aims[n] = -aside if upward else aside

    # ---- where ----

    def _fan_in(self, v: int, main: int) -> None:
        """Arrows arrive side by side in the order of where they come from, the straight one in the middle."""
        box, links = self.layers.boxes[v], self.layers.down
        if box.ins is not None:
            for n in self.above[v]:
                self.ends[n] = box.ins[links[n][3]]
            return
        arriving = sorted(self.above[v], key=lambda n: (self.place[links[n][0]], links[n][1]))
        middle = self.up[v] if self.up[v] >= 0 else main
        for n, place in zip(arriving, _spread(arriving, middle, self.spacing.arrows, box.across), strict=True):
            self.ends[n] = place

    def _fan_out(self, v: int, main: int) -> None:
        """Tensors leave side by side in the order of their ports, the straight one in the middle."""
        box, links = self.layers.boxes[v], self.layers.down
        ports = sorted({links[n][1] for n in self.below[v]})
        if box.outs is not None:
            places = dict(enumerate(box.outs))
        else:
            middle = self.down[v] if self.down[v] >= 0 else main
            port = links[middle][1] if middle >= 0 else -1
            places = dict(zip(ports, _spread(ports, port, box.apart, box.across), strict=True))
        for n in self.below[v]:
            self.starts[n] = places[links[n][1]]


def _spread(items: list[int], middle: int, apart: float, room: float) -> list[float]:
    """Places side by side around 0, where `middle` stands if it is among the items."""
    if not items:
        return []
    center = float(items.index(middle)) if middle in items else (len(items) - 1) / 2
    reach = max(center, len(items) - 1 - center)
    step = min(apart, (room / 2 - 8) / reach) if reach else 0.0
    return [(i - center) * step for i in range(len(items))]
