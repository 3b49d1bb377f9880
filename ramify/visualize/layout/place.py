"""Places: straight links make blocks; blocks are pushed apart as far as they must be, then drawn together."""

from __future__ import annotations

from itertools import pairwise

from ramify.visualize.layout.problem import Layers, Spacing
from ramify.visualize.layout.straight import Straight

_ROUNDS = 24
_STILL = 0.05  # blocks that move less stand still


def placed(layers: Layers, straight: Straight, spacing: Spacing) -> list[float]:
    """The middle of every vertex across, the leftmost edge at 0."""
    blocks = _Blocks(layers, straight, spacing)
    blocks.spread()
    for i in range(_ROUNDS):
        if not blocks.settle(forward=i % 2 == 0):
            break
    return blocks.positions()


class _Blocks:
    def __init__(self, layers: Layers, straight: Straight, spacing: Spacing) -> None:
        self.layers, self.straight = layers, straight
        count = len(layers.boxes)
        self.half = [box.across / 2 for box in layers.boxes] + [0.0] * (len(layers.rank) - count)
        self._join()
        self._constrain(spacing, count)
        self._attract()

    def _join(self) -> None:
        """Vertices along straight links become blocks: one position each, and offsets in it."""
        layers, straight = self.layers, self.straight
        self.block = [-1] * len(layers.rank)
        self.offset = [0.0] * len(layers.rank)
        self.size = 0
        for row in layers.order:
            for v in row:
                n = straight.up[v]
                if n < 0:
                    self.block[v] = self.size
                    self.size += 1
                    continue
                u = layers.down[n][0]
                self.block[v] = self.block[u]
                self.offset[v] = self.offset[u] + straight.starts[n] - straight.ends[n]

    def _constrain(self, spacing: Spacing, count: int) -> None:
        """Neighbours in a rank keep their distance; between two blocks the greatest distance counts."""
        least: dict[tuple[int, int], float] = {}
        for row in self.layers.order:
            for a, b in pairwise(row):
                bends = (a >= count) + (b >= count)
                gap = (spacing.boxes, spacing.beside, spacing.edges)[bends]
                need = self.offset[a] + self.half[a] + gap + self.half[b] - self.offset[b]
                pair = (self.block[a], self.block[b])
                least[pair] = max(least.get(pair, need), need)
        self.left: list[list[tuple[int, float]]] = [[] for _ in range(self.size)]
        self.right: list[list[tuple[int, float]]] = [[] for _ in range(self.size)]
        for (a, b), need in least.items():
            self.right[a].append((b, need))
            self.left[b].append((a, need))
        missing = [len(pairs) for pairs in self.left]
        self.order = [b for b in range(self.size) if not missing[b]]
        for a in self.order:  # grows while it is read
            for b, _ in self.right[a]:
                missing[b] -= 1
                if not missing[b]:
                    self.order.append(b)

    def _attract(self) -> None:
        """Links that are not straight draw the blocks of their ends to each other."""
        self.pull: list[list[tuple[int, float]]] = [[] for _ in range(self.size)]
        straight = self.straight
        for n, (u, _, v, _) in enumerate(self.layers.down):
            a, b = self.block[u], self.block[v]
            if a != b:
                shift = self.offset[u] + straight.starts[n] - self.offset[v] - straight.ends[n] + straight.aims[n]
                self.pull[a].append((b, -shift))
                self.pull[b].append((a, shift))

    def spread(self) -> None:
        """Halfway between everything pushed to the left and everything pushed to the right."""
        low = [0.0] * self.size
        for b in self.order:
            low[b] = max((low[a] + need for a, need in self.left[b]), default=0.0)
        width = max(low, default=0.0)
        high = [width] * self.size
        for a in reversed(self.order):
            high[a] = min((high[b] - need for b, need in self.right[a]), default=width)
        self.x = [(a + b) / 2 for a, b in zip(low, high, strict=True)]

    def settle(self, forward: bool) -> bool:
        """Move every block to the middle of what draws it, as far as its neighbours let it; tells whether any moved."""
        moved = False
        for b in self.order if forward else reversed(self.order):
            if not self.pull[b]:
                wish = self.x[b]
            else:
                drawn = sorted(self.x[other] + shift for other, shift in self.pull[b])
                wish = (drawn[(len(drawn) - 1) // 2] + drawn[len(drawn) // 2]) / 2
            for a, need in self.left[b]:
                wish = max(wish, self.x[a] + need)
            for c, need in self.right[b]:
                wish = min(wish, self.x[c] - need)
            moved |= abs(wish - self.x[b]) > _STILL
            self.x[b] = wish
        return moved

    def positions(self) -> list[float]:
        middles = [self.x[self.block[v]] + self.offset[v] for v in range(len(self.half))]
        least = min((x - half for x, half in zip(middles, self.half, strict=True)), default=0.0)
        return [x - least for x in middles]
