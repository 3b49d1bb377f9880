"""Ranks: which row a box stands in. The longest way from the inputs decides; what has slack moves to what reads it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ramify.visualize.layout.problem import Box, Layers, Link


def ranked(boxes: Sequence[Box], links: Sequence[Link]) -> Layers:
    """Give every box a rank, and every edge over several ranks a bend in each rank that it passes.

    Edges of one tensor share their bends: they run as one trunk and fan out where they leave it.
    """
    rank = _ranks(boxes, links)
    height = max(rank, default=-1) + 1
    order: list[list[int]] = [[] for _ in range(height)]
    owner = list(range(len(boxes)))
    trunks: dict[tuple[int, int], list[int]] = {}
    for link in links:
        trunk = trunks.setdefault((link.source, link.port), [link.source])
        while len(trunk) < rank[link.target] - rank[link.source]:
            trunk.append(len(rank))
            rank.append(rank[link.source] + len(trunk) - 1)
            owner.append(link.source)
    down: dict[tuple[int, int, int, int], None] = {}
    chains = []
    for link in links:
        chain = trunks[link.source, link.port][: rank[link.target] - rank[link.source]]
        for upper, lower in pairwise(chain):
            down.setdefault((upper, link.port if upper == link.source else 0, lower, 0))
        down.setdefault((chain[-1], link.port if len(chain) == 1 else 0, link.target, link.slot))
        chains.append([*chain, link.target])
    for vertex, its_rank in enumerate(rank):
        order[its_rank].append(vertex)
    return Layers(boxes, rank, order, list(down), chains, owner)


def _ranks(boxes: Sequence[Box], links: Sequence[Link]) -> list[int]:
    above: list[set[int]] = [set() for _ in boxes]
    below: list[set[int]] = [set() for _ in boxes]
    for link in links:
        above[link.target].add(link.source)
        below[link.source].add(link.target)
    order = _topological(above, below)
    start = int(any(box.first for box in boxes))
    rank = [0] * len(boxes)
    for v in order:
        rank[v] = max((rank[u] + 1 for u in above[v]), default=0)
        rank[v] = 0 if boxes[v].first else max(rank[v], start)
    floats = [False] * len(boxes)
    for v in order:
        floats[v] = not boxes[v].first and all(floats[u] and len(below[u]) == 1 for u in above[v])
    for v in reversed(order):
        if below[v] and not boxes[v].first and (floats[v] or len(below[v]) > len(above[v])):
            rank[v] = min(rank[w] for w in below[v]) - 1
    last = [v for v, box in enumerate(boxes) if box.last]
    bottom = max([rank[v] for v in last] + [rank[v] + 1 for v, box in enumerate(boxes) if not box.last], default=0)
    for v in last:
        rank[v] = bottom
    return rank


def _topological(above: list[set[int]], below: list[set[int]]) -> list[int]:
    """Each box after those above it; the earliest in the given order first, so that equal input gives equal output."""
    missing = [len(sources) for sources in above]
    ready = [v for v, count in enumerate(missing) if not count]
    order: list[int] = []
    for v in ready:  # grows while it is read
        order.append(v)
        for w in sorted(below[v]):
            missing[w] -= 1
            if not missing[w]:
                ready.append(w)
    return order
