"""A picture with places, as JSON-able data: what an interactive drawing is made from.

Every level is laid out by itself, with the containers in it *closed*, as cards. Who opens one makes its card as large
as the level inside needs, and moves the rest of the level aside; order and alignment stay as they are::

    {
      "picture":  picture.plain(),                          # see ramify.visualize.picture
      "families": {key: {"word", "color", "sign"}},
      "header":   34,                                       # height of an open container's title
      "levels":   [{
        "owner":  id of the container | null for the outermost,
        "size":   [width, height],                          # of what is in it, without title and margins
        "rows":   [[y, height], ...],                       # the ranks, from the top; cards stand in their middle
        "places": {id: [x, y, width, height, rank, order]}, # x, y: the left upper corner; a port is a point, height 0
        "ways":   [{"edge": index into picture["edges"], "points": [x0, y0, x1, y1, ...], "branch": n}, ...],
        "labels": [[id, port, x, y, text], ...],            # words at outputs; x, y: their middle
      }],
    }

A way's points are the ends of straight stretches: a line joins points 0 and 1, a curve 1 and 2, a line 2 and 3, and so
on; curves leave and arrive along the flow, and their control points lie halfway between their ends along it. Every
straight stretch lies within one row (the first begins at a card, the last ends at one), every curve in the gap below a
row; so a change of rows and of columns (any monotone map of x) keeps a drawing free of overlaps. A way may be drawn
from point ``branch`` on: what is before it, an earlier way of the same tensor has drawn.
"""

from __future__ import annotations

from typing import Any

from ramify.visualize.cards import Look, card_size, closed_size, label_of, label_size
from ramify.visualize.families import FAMILIES
from ramify.visualize.layout.nested import HEADER, Measures, closed_levels
from ramify.visualize.picture import Picture


def scene_of(picture: Picture, look: Look | None = None) -> dict[str, Any]:
    """Lay out every level of a picture by itself, containers closed.

    Args:
        picture: what to place; edges lead down.
        look: what cards show.

    Returns:
        What this module's docstring describes. Coordinates are CSS pixels, rounded to a tenth.

    Example:

    >>> import ramify
    >>> from ramify.visualize.build import picture_of
    >>> x = ramify.Input(shape=(4,), name="x")
    >>> scene = scene_of(picture_of(ramify.Model(x, ramify.layers.Dense(2)(x), name="tiny")))
    >>> [level["owner"] for level in scene["levels"]], [way["edge"] for way in scene["levels"][0]["ways"]]
    ([None], [0, 1])
    """
    look = look or Look(shapes=True, names=True, activations=True, trainable=True)
    measures = Measures(
        lambda item: card_size(item, look),
        lambda item, port: label_size(item, port, look),
        lambda item: closed_size(item, look) if item.level is not None else card_size(item, look),
    )
    number = {id(edge): i for i, edge in enumerate(edge for _, level in picture.levels for edge in level.edges)}
    levels = []
    for owner, level, closed in closed_levels(picture, measures):
        geometry = closed.geometry
        places = {
            item.index: [*_rounded(geometry.rects[item.index]), *closed.spots[item.index]] for item in level.items
        }
        ways = [
            {
                "edge": number[id(way.edge)],
                "points": _rounded(value for point in way.points for value in point),
                "branch": way.branch,
            }
            for way in geometry.ways
        ]
        items = {item.index: item for item in level.items}
        labels = [
            [index, port, *_rounded((x, y)), label_of(items[index].outputs[port], look)]
            for (index, port), (x, y) in geometry.labels.items()
        ]
        levels.append(
            {
                "owner": None if owner is None else owner.index,
                "size": _rounded((geometry.width, geometry.height)),
                "rows": [_rounded(row) for row in closed.rows],
                "places": places,
                "ways": ways,
                "labels": labels,
            }
        )
    families = {key: {"word": one.word, "color": one.color, "sign": one.sign} for key, one in FAMILIES.items()}
    return {"picture": picture.plain(), "families": families, "header": HEADER, "levels": levels}


def _rounded(values: Any) -> list[float]:
    rounded = (round(value, 1) for value in values)
    return [int(value) if value == int(value) else value for value in rounded]
