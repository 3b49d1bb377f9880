"""A picture drawn: its layout, its cards and its edges as a display list."""

from __future__ import annotations

import math

from ramify.visualize.cards import Look, card_size, draw_card, label_of, label_size
from ramify.visualize.display import Box, DisplayList, Group, Path, Step, Text
from ramify.visualize.facts import readable_number
from ramify.visualize.layout.nested import Geometry, Joint, Measures, Point, Rect, Way, lay_out
from ramify.visualize.picture import Item, Picture
from ramify.visualize.text import text_width

_MARGIN, _TITLE = 24.0, 46.0
_ROOM = (1280.0 - 2 * _MARGIN - 6, 720.0 - _TITLE - 2 * _MARGIN - 6)  # on a screen of 1280 by 720
_ARROW = 7.0
_DESCRIBED = 60  # cards that the description goes through one by one


def draw(picture: Picture, look: Look | None = None, rankdir: str = "TB", wrap: bool = False) -> DisplayList:
    """Lay a picture out and draw it.

    Args:
        picture: what to draw.
        look: what to show of it.
        rankdir: where edges lead to: ``TB``, ``BT``, ``LR`` or ``RL``.
        wrap: whether what is much longer than wide is cut into columns.
    """
    look = look or Look()
    measures = Measures(lambda item: card_size(item, look), lambda item, port: label_size(item, port, look))
    geometry = lay_out(picture, measures, rankdir, wrap=wrap, screen=_ROOM)
    title = _title(picture)
    left = _MARGIN
    needed = max((text_width(text.text, text.size, text.bold) for text in title), default=0.0)
    left += max(0.0, needed - geometry.width) / 2
    shift = (left, _MARGIN + _TITLE)
    groups = [Group(list(title))]
    groups += [
        draw_card(item, _moved(geometry, item, shift), look) for item in picture.walk() if item.level is not None
    ]
    groups += [draw_card(item, _moved(geometry, item, shift), look) for item in picture.cards]
    upright = rankdir in ("TB", "BT")
    groups += [Group(_edge(way, shift, upright)) for way in geometry.ways if not way.edge.hidden]
    groups += [Group(_port(_moved(geometry, item, shift))) for item in picture.walk() if item.role in ("entry", "exit")]
    groups += [Group(_joint(joint, shift)) for joint in geometry.joints]
    groups.append(Group(_labels(picture, geometry, shift, look)))
    width = max(geometry.width, needed) + 2 * _MARGIN + 6
    height = geometry.height + _TITLE + 2 * _MARGIN + 6
    words = f"{picture.kind} '{picture.name}'"
    return DisplayList(math.ceil(width), math.ceil(height), groups, words, described(picture))


def _title(picture: Picture) -> list[Text]:
    shown = [item for item in picture.walk() if item.role in ("layer", "group")]
    layers = {id(item.target) for one in shown for item in (one, *one.twins)}
    count = f"{len(layers)} layer{'' if len(layers) == 1 else 's'}"
    below = f"{picture.kind}  ·  {count}  ·  {picture.params:,} parameters"
    below += f"  ·  {readable_number(picture.flops)}FLOPs a sample" if picture.flops else ""
    below += f"  ·  {picture.note}" if picture.note else ""
    return [
        Text("t", _MARGIN, _MARGIN + 12, picture.name, 16, bold=True),
        Text("g", _MARGIN, _MARGIN + 29, below, 11),
    ]


def _moved(geometry: Geometry, item: Item, shift: Point) -> Rect:
    rect = geometry.rects[item.index]
    return Rect(rect.x + shift[0], rect.y + shift[1], rect.width, rect.height)


# ---- edges ----


def _edge(way: Way, shift: Point, upright: bool) -> list[Box | Path | Text]:
    points = [(x + shift[0], y + shift[1]) for x, y in way.points]
    tip, before = points[-1], points[-2]
    arrow = way.edge.target.role != "exit" and way.arrives
    forward = math.copysign(1.0, tip[1] - points[0][1] if upright else tip[0] - points[0][0])
    direction = (0.0, forward) if upright else (forward, 0.0)
    shapes: list[Box | Path | Text] = []
    if arrow:
        points[-1] = (tip[0] - direction[0] * (_ARROW - 1), tip[1] - direction[1] * (_ARROW - 1))
        if math.dist(before, tip) < _ARROW:  # the card is the highest of its row: the arrow takes the end of the curve
            points[-2] = points[-1]
    shapes.append(Path("skip" if way.skips else "edge", _line(points, way.branch, upright)))
    if arrow:
        shapes.append(_arrow_head(tip, direction))
    if way.edge.times > 1 and way.arrives:
        shapes.append(Text("g", tip[0] + 7, tip[1] - 4, f"{way.edge.times}×", 10))
    return shapes


def _line(points: list[Point], branch: int, upright: bool) -> list[Step]:
    first = branch + 1 if branch else 0
    last = points[first]
    steps: list[Step] = [("M", last)]
    for i in range(first + 1, len(points)):
        x, y = points[i]
        if i % 2 or (x == last[0] if upright else y == last[1]):
            if (x, y) != last:
                steps.append(("L", (x, y)))
        elif upright:
            middle = (last[1] + y) / 2
            steps.append(("C", (last[0], middle, x, middle, x, y)))
        else:
            middle = (last[0] + x) / 2
            steps.append(("C", (middle, last[1], middle, y, x, y)))
        last = (x, y)
    return _straightened(steps)


def _straightened(steps: list[Step]) -> list[Step]:
    """Lines that go on in the same direction become one."""
    kept: list[Step] = []
    for step in steps:
        if len(kept) > 1 and step[0] == "L" and kept[-1][0] == "L":
            (x0, y0), (x1, y1), (x2, y2) = kept[-2][1][-2:], kept[-1][1], step[1]
            if x0 == x1 == x2 or y0 == y1 == y2:
                kept[-1] = step
                continue
        kept.append(step)
    return kept


def _arrow_head(tip: Point, direction: Point) -> Path:
    (x, y), (dx, dy) = tip, direction
    back = (x - dx * _ARROW, y - dy * _ARROW)
    side = 3.6
    steps: list[Step] = [
        ("M", tip),
        ("L", (back[0] - dy * side, back[1] + dx * side)),
        ("L", (back[0] + dy * side, back[1] - dx * side)),
        ("Z", ()),
    ]
    return Path("arrow", steps)


def _port(rect: Rect) -> list[Box | Path | Text]:
    x, y = rect.x + rect.width / 2, rect.y + rect.height / 2
    return [Box("port", x - 3.2, y - 3.2, 6.4, 6.4, 3.2)]


def _joint(joint: Joint, shift: Point) -> list[Box | Path | Text]:
    x, y = joint.middle[0] + shift[0], joint.middle[1] + shift[1]
    return [
        Box("joint", x - 9, y - 9, 18, 18, 9),
        Text("j", x, y + 3.6, str(joint.number), 10, bold=True, anchor="middle"),
    ]


def _labels(picture: Picture, geometry: Geometry, shift: Point, look: Look) -> list[Box | Path | Text]:
    items = {item.index: item for item in picture.walk()}
    shapes: list[Box | Path | Text] = []
    for (index, port), (x, y) in geometry.labels.items():
        text = label_of(items[index].outputs[port], look)
        shapes.append(Text("g", x + shift[0], y + shift[1] + 4, text, 11, anchor="middle"))
    return shapes


# ---- words ----


def described(picture: Picture) -> str:
    """The picture in sentences: what each card is, and where it takes its tensors from."""
    sources: dict[int, list[str]] = {}
    levels = [picture.top, *(item.level for item in picture.walk() if item.level is not None)]
    for level in levels:
        for edge in level.edges:
            if not edge.hidden:
                sources.setdefault(edge.target.index, []).append(_word(edge.source))
    items = [item for item in picture.walk() if item.role not in ("entry", "exit")]
    sentences = [f"{picture.kind} model '{picture.name}' with {picture.params:,} parameters."]
    for item in items[:_DESCRIBED]:
        read = sources.get(item.index)
        sentences.append(f"{_word(item)} ({item.kind})" + (f" from {', '.join(read)}." if read else "."))
    if len(items) > _DESCRIBED:
        sentences.append(f"And {len(items) - _DESCRIBED} more.")
    return " ".join([*sentences, "B is the batch size."])


def _word(item: Item) -> str:
    if item.role == "entry":
        return f"input {item.name}"
    call = f" (call {item.share.number})" if item.share else ""
    return f"{item.name or item.kind}{call}"
