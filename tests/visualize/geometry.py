"""Measuring drawings: overlapping cards, edges through cards, crossings."""

from __future__ import annotations

from itertools import combinations, pairwise

from ramify.visualize.cards import Look, card_size, label_size
from ramify.visualize.layout.nested import Geometry, Measures, lay_out
from ramify.visualize.picture import Picture

LOOK = Look(shapes=True, names=True)


def geometry_of(
    picture: Picture,
    look: Look = LOOK,
    rankdir: str = "TB",
    wrap: bool = False,
    screen: tuple[float, float] | None = None,
) -> Geometry:
    measures = Measures(lambda item: card_size(item, look), lambda item, port: label_size(item, port, look))
    return lay_out(picture, measures, rankdir, wrap=wrap, screen=screen)


def line_of(points, upright=True, first=0, steps=12):
    """A way from a point on as a chain of points: straight stretches, and curves between them."""
    line = [points[first]]
    for i, (a, b) in enumerate(pairwise(points)):
        if i < first:
            continue
        if i % 2 == 0 or a[not upright] == b[not upright]:
            if len(line) > 1 and line[-2][not upright] == line[-1][not upright] == b[not upright]:
                line.pop()
            line.append(b)
            continue
        if upright:
            middle = (a[1] + b[1]) / 2
            curve = (a, (a[0], middle), (b[0], middle), b)
        else:
            middle = (a[0] + b[0]) / 2
            curve = (a, (middle, a[1]), (middle, b[1]), b)
        for step in range(1, steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            line.append(tuple(sum(w * p[axis] for w, p in zip(weights, curve, strict=True)) for axis in (0, 1)))
    return line


def overlaps(picture: Picture, geometry: Geometry) -> int:
    """Pairs of cards that overlap, and cards that stick out of their container."""
    found = 0
    for owner, level in picture.levels:
        rects = [geometry.rects[item.index] for item in level.items if item.role not in ("entry", "exit")]
        rects.sort(key=lambda r: r.y)
        for i, a in enumerate(rects):
            for b in rects[i + 1 :]:
                if b.y >= a.y + a.height - 0.01:
                    break
                found += a.x < b.x + b.width - 0.01 and b.x < a.x + a.width - 0.01
        if owner is not None:
            frame = geometry.rects[owner.index]
            found += sum(
                r.x < frame.x - 0.01
                or r.y < frame.y - 0.01
                or r.x + r.width > frame.x + frame.width + 0.01
                or r.y + r.height > frame.y + frame.height + 0.01
                for r in rects
            )
    return found


def edges_through(picture: Picture, geometry: Geometry, upright: bool = True) -> int:
    """Ways that run through a card or container of their level."""
    level_of = {id(edge): level for _, level in picture.levels for edge in level.edges}
    found = 0
    for way in geometry.ways:
        line = line_of(way.points, upright)
        low, high = min(y for _, y in line), max(y for _, y in line)
        left, right = min(x for x, _ in line), max(x for x, _ in line)
        rects = [
            geometry.rects[item.index] for item in level_of[id(way.edge)].items if item.role not in ("entry", "exit")
        ]
        near = [r for r in rects if r.y < high and r.y + r.height > low and r.x < right and r.x + r.width > left]
        fine = [
            (a[0] + (b[0] - a[0]) * i / 8, a[1] + (b[1] - a[1]) * i / 8) for a, b in pairwise(line) for i in range(9)
        ]
        found += any(
            r.x + 0.1 < x < r.x + r.width - 0.1 and r.y + 0.1 < y < r.y + r.height - 0.1 for r in near for x, y in fine
        )
    return found


def crossed(lines) -> int:
    """Pairs of lines that cross, each as often as it does; ``(source, target, points)`` that share no end."""
    boxes = [
        (min(x for x, _ in p), min(y for _, y in p), max(x for x, _ in p), max(y for _, y in p)) for _, _, p in lines
    ]
    found = 0
    for i, j in combinations(range(len(lines)), 2):
        (s, t, a), (u, v, b), p, q = lines[i], lines[j], boxes[i], boxes[j]
        if s == u or t == v or p[0] > q[2] or q[0] > p[2] or p[1] > q[3] or q[1] > p[3]:
            continue
        found += sum(_cross(*one, *other) for one in pairwise(a) for other in pairwise(b))
    return found


def _cross(a, b, c, d) -> bool:
    if min(a[0], b[0]) > max(c[0], d[0]) or min(c[0], d[0]) > max(a[0], b[0]):
        return False
    if min(a[1], b[1]) > max(c[1], d[1]) or min(c[1], d[1]) > max(a[1], b[1]):
        return False

    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def crossings_of(picture: Picture, geometry: Geometry) -> int:
    """Crossings in the outermost level of a picture; a trunk that several edges share is one line."""
    top = {id(edge) for edge in picture.top.edges}
    lines = []
    for way in geometry.ways:
        if id(way.edge) in top:
            line = line_of(way.points, first=way.branch + 1 if way.branch else 0)
            lines.append((way.edge.source.index, way.edge.target.index, line))
    return crossed(lines)


def crossings_of_dot(picture: Picture, graphviz, look: Look = LOOK) -> int:
    """Crossings in the outermost level as Graphviz draws it."""
    graph = graphviz.AGraph(directed=True, strict=False)
    for item in picture.top.items:
        width, height = card_size(item, look)
        graph.add_node(item.index, shape="box", fixedsize=True, width=width / 72, height=height / 72, label="")
    for edge in picture.top.edges:
        graph.add_edge(edge.source.index, edge.target.index, arrowhead="none")
    graph.layout(prog="dot")
    lines = []
    for edge in graph.edges():
        points = [tuple(map(float, one.split(","))) for one in edge.attr["pos"].split() if one[0] not in "es"]
        line = [points[0]]
        for i in range(0, len(points) - 3, 3):
            line += line_curve(points[i : i + 4])
        lines.append((edge[0], edge[1], line))
    return crossed(lines)


def line_curve(curve, steps=12):
    out = []
    for step in range(1, steps + 1):
        t = step / steps
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        out.append(tuple(sum(w * p[axis] for w, p in zip(weights, curve, strict=True)) for axis in (0, 1)))
    return out
