"""One level of a picture: boxes and links in, places and routes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ramify.visualize.layout.order import ordered
from ramify.visualize.layout.place import placed
from ramify.visualize.layout.problem import Box, Layers, Link, Placement, Route, Run, Spacing
from ramify.visualize.layout.ranks import ranked
from ramify.visualize.layout.straight import Straight


def arrange(boxes: Sequence[Box], links: Sequence[Link], spacing: Spacing | None = None) -> Placement:
    """Place boxes in ranks so that links go one way, few of them cross, and none runs through a box.

    Args:
        boxes: the boxes; equal input gives equal output.
        links: links between them, without cycles.
        spacing: distances.
    """
    spacing = spacing or Spacing()
    layers = ordered(ranked(boxes, links))
    straight = Straight(layers, spacing)
    across = placed(layers, straight, spacing)
    starts, heights = _rows(layers, straight, across, spacing)
    along = [starts[layers.rank[v]] + (heights[layers.rank[v]] - b.along - b.after) / 2 for v, b in enumerate(boxes)]
    routes = _routes(links, layers, straight, across, along, starts, heights)
    edges = [a + box.across / 2 for a, box in zip(across, boxes, strict=False)] + across[len(boxes) :]
    height = starts[-1] + heights[-1] if starts else 0.0
    spots = {v: (rank, i) for rank, row in enumerate(layers.order) for i, v in enumerate(row)}
    return Placement(
        across[: len(boxes)],
        along,
        routes,
        max(edges, default=0.0),
        height,
        list(zip(starts, heights, strict=True)),
        [spots[v] for v in range(len(boxes))],
    )


def _rows(layers: Layers, straight: Straight, across: list[float], spacing: Spacing) -> tuple[list[float], list[float]]:
    """Where each rank begins and how high it is; ranks stand further apart where links go far across."""
    boxes = layers.boxes
    deep = [box.along + box.after for box in boxes]
    heights = [max((deep[v] for v in row if v < len(boxes)), default=0.0) for row in layers.order]
    farthest = [0.0] * len(heights)
    for n, (u, _, v, _) in enumerate(layers.down):
        way = abs(across[u] + straight.starts[n] - across[v] - straight.ends[n])
        farthest[layers.rank[u]] = max(farthest[layers.rank[u]], way)
    starts, at = [], 0.0
    for height, way in zip(heights, farthest, strict=True):
        starts.append(at)
        at += height + min(spacing.ranks + spacing.steep * way, spacing.most)
    return starts, heights


def _routes(
    links: Sequence[Link],
    layers: Layers,
    straight: Straight,
    across: list[float],
    along: list[float],
    starts: list[float],
    heights: list[float],
) -> list[Route]:
    numbers = {link: n for n, link in enumerate(layers.down)}
    boxes = layers.boxes
    drawn: set[tuple[int, int, int, int]] = set()
    routes = []
    for link, chain in zip(links, layers.chains, strict=True):
        steps = [
            (u, link.port if u == link.source else 0, v, link.slot if v == link.target else 0)
            for u, v in pairwise(chain)
        ]
        begin = along[link.source] + boxes[link.source].along + boxes[link.source].after
        rank = layers.rank[link.source]
        x = across[link.source] + straight.starts[numbers[steps[0]]]
        runs = [Run(x, begin, starts[rank] + heights[rank])]
        runs += [
            Run(across[v], starts[layers.rank[v]], starts[layers.rank[v]] + heights[layers.rank[v]])
            for v in chain[1:-1]
        ]
        x = across[link.target] + straight.ends[numbers[steps[-1]]]
        runs.append(Run(x, starts[layers.rank[link.target]], along[link.target]))
        branch = next((i for i, step in enumerate(steps) if step not in drawn), len(steps) - 1)
        drawn.update(steps)
        routes.append(Route(runs, branch))
    return routes
