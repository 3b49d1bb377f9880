"""A picture on the screen: levels are laid out inside out, then everything is turned to the wanted direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ramify.visualize.layout.flat import arrange
from ramify.visualize.layout.problem import Box, Link, Piece, Placement, Spacing
from ramify.visualize.layout.wrap import wrapped
from ramify.visualize.picture import Edge, Item, Level, Picture

HEADER = 34.0
_SIDE = 18.0
STACK = 9.0  # how far the blocks that a fold stands for look out from under it
_HEAD = 10.0  # between a container's edge and the connectors in it
_WORTH = 400.0  # how long a container is that is worth cutting
_NEARLY = 1.25  # how much larger than a screen fits one of the next size
_COLUMNS = [(top, total - top) for total in range(3, 7) for top in range(total - 1, 0, -1)]  # outside, in containers


class Rect(NamedTuple):
    """A rectangle on the screen."""

    x: float
    y: float
    width: float
    height: float


class Measures(NamedTuple):
    """What a layout must know of looks.

    Attributes:
        card: item -> width and height of its card; of its header, for an open container.
        label: item and port -> width and height of the words at that output; zeros for none.
        closed: item -> width and height of the card of a container that is closed; as `card` when not given.
    """

    card: Callable[[Item], tuple[float, float]]
    label: Callable[[Item, int], tuple[float, float]]
    closed: Callable[[Item], tuple[float, float]] | None = None


Point = tuple[float, float]


@dataclass(slots=True)
class Way:
    """An edge on the screen.

    Attributes:
        edge: the edge.
        points: ends of straight stretches: a line joins the first and second, a curve the second and third, and so on.
        branch: index of the first point that no earlier edge of the same tensor has drawn already.
        arrives: whether it ends at the edge's target, rather than at a connector.
        skips: whether the edge leads past cards on another way between its ends.
    """

    edge: Edge
    points: list[Point]
    branch: int
    arrives: bool = True
    skips: bool = False


class Joint(NamedTuple):
    """A numbered connector.

    Attributes:
        middle: its middle.
        number: equal for those of one tensor.
        out: whether the tensor leaves a column here, rather than coming into one.
    """

    middle: Point
    number: int
    out: bool


@dataclass(slots=True)
class Geometry:
    """Where everything is.

    Attributes:
        rects: item number -> its rectangle; a point for ports of containers.
        ways: the edges.
        labels: item number and port -> the middle of the words at that output.
        joints: connectors of what was cut into columns.
        width: extent of it all, from 0.
        height: likewise.
    """

    width: float
    height: float
    rects: dict[int, Rect] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    labels: dict[tuple[int, int], Point] = field(default_factory=dict)
    joints: list[Joint] = field(default_factory=list)


@dataclass(slots=True)
class _Plan:
    """A level in its own frame: across and along count from the corner of what it holds."""

    level: Level
    placement: Placement
    sizes: list[tuple[float, float]]  # across and along of the cards themselves
    before: float  # room above the content, across, in the frame of its container
    ahead: float  # room above the content, along
    across: float
    along: float


def lay_out(
    picture: Picture,
    measures: Measures,
    rankdir: str = "TB",
    spacing: Spacing | None = None,
    wrap: bool = False,
    screen: tuple[float, float] | None = None,
) -> Geometry:
    """Place a picture.

    Args:
        picture: what to place.
        measures: sizes of cards and words.
        rankdir: ``TB``, ``BT``, ``LR`` or ``RL``: where edges lead to.
        spacing: distances.
        wrap: whether what is much longer than wide is cut into columns.
        screen: width and height. A picture with folded blocks that is larger is cut into columns where it then fits,
            or nearly so.
    """
    levels = picture.levels
    tries: list[tuple[int, int] | None] = [None]
    if wrap and screen is not None and any(owner is not None and owner.role == "fold" for owner, _ in levels):
        tries += _COLUMNS
    found: list[tuple[float, Geometry]] = []  # how much too large for the screen, and what
    for columns in tries:
        planner = _Planner(measures, rankdir, spacing or Spacing(), wrap, columns)
        for owner, level in reversed(levels):
            planner.plan(owner, level)
        geometry = planner.geometry()
        over = max(geometry.width / screen[0], geometry.height / screen[1]) if screen is not None else 0.0
        found.append((over, geometry))
        if over <= 1 or (screen is not None and geometry.width * geometry.height > 2 * screen[0] * screen[1]):
            break  # it fits, or no columns would make it fit
    over, best = min(found, key=lambda pair: pair[0])
    return best if over <= _NEARLY else found[0][1]


class Closed(NamedTuple):
    """A level whose containers are closed.

    Attributes:
        geometry: where everything is, in a frame of its own.
        rows: where each rank begins, and its extent.
        spots: item number -> its rank, and its place in the rank.
    """

    geometry: Geometry
    rows: list[tuple[float, float]]
    spots: dict[int, tuple[int, int]]


def closed_levels(
    picture: Picture, measures: Measures, spacing: Spacing | None = None
) -> Iterator[tuple[Item | None, Level, Closed]]:
    """Place every level of a picture by itself, edges leading down."""
    planner = _Planner(measures._replace(card=measures.closed or measures.card), "TB", spacing or Spacing(), wrap=False)
    for owner, level in picture.levels:
        planner.plans.clear()
        planner.plan(None, level)
        placement = planner.plans[None].placement
        spots = {item.index: spot for item, spot in zip(level.items, placement.spots, strict=True)}
        yield owner, level, Closed(planner.geometry(), placement.rows, spots)


class _Planner:
    def __init__(
        self,
        measures: Measures,
        rankdir: str,
        spacing: Spacing,
        wrap: bool,
        columns: tuple[int, int] | None = None,
    ) -> None:
        self.measures, self.spacing, self.wrap, self.columns = measures, spacing, wrap, columns
        self.upright = rankdir in ("TB", "BT")
        self.turned = rankdir in ("BT", "RL")
        self.plans: dict[int | None, _Plan] = {}

    # ---- inside out ----

    def plan(self, owner: Item | None, level: Level) -> None:
        number = {item.index: i for i, item in enumerate(level.items)}
        used: dict[int, set[int]] = {}
        for edge in level.edges:
            used.setdefault(edge.source.index, set()).add(edge.port)
        boxes, sizes = [], []
        for item in level.items:
            box, size = self._box(item, self._size(item), sorted(used.get(item.index, ())))
            boxes.append(box)
            sizes.append(size)
        links = [Link(number[e.source.index], e.port, number[e.target.index], e.slot) for e in level.edges]
        placement = arrange(boxes, links, self.spacing)
        if self.wrap:
            columns = self.columns and self.columns[owner is not None]
            if owner is not None and placement.height < _WORTH:
                columns = 1
            placement = wrapped(placement, boxes, links, columns, 0.0 if owner is None else _HEAD)
        before = ahead = 0.0
        across, along = placement.width, placement.height
        if owner is not None:
            header = self.measures.card(owner)[0]
            if self.upright:
                across = max(across + 2 * _SIDE, header)
                before = (across - placement.width) / 2
                ahead = 0.0 if self.turned else HEADER
                along += HEADER
            else:
                before = HEADER + _SIDE / 2
                across += before + _SIDE
                along = max(along, header)
        self.plans[None if owner is None else owner.index] = _Plan(
            level, placement, sizes, before, ahead, across, along
        )

    def _size(self, item: Item) -> tuple[float, float]:
        plan = self.plans.get(item.index)
        if plan is not None:
            return plan.across, plan.along
        if item.role == "exit" and item.parent is not None and item.parent.level is not None and self.upright:
            port = next(i for i, one in enumerate(item.parent.level.exits) if one is item)
            return max(8.0, self.measures.label(item.parent, port)[0] - 14.0), 0.0
        if item.role in ("entry", "exit"):
            return 8.0, 0.0
        width, height = self.measures.card(item)
        return (width, height) if self.upright else (height, width)

    def _box(self, item: Item, size: tuple[float, float], used: list[int]) -> tuple[Box, tuple[float, float]]:
        """What the layout is told of an item, and the size of its card, which has room for the words at its outputs."""
        labels = [self.measures.label(item, port) for port in used]
        widest = max((width for width, _ in labels), default=0.0)
        across, along = size
        after = 0.0 if not widest else max(height for _, height in labels) if self.upright else widest + 12
        after += STACK if item.role == "fold" else 0.0
        plan = self.plans.get(item.index)
        if plan is not None:
            ins, outs = self._ports(plan, plan.level.entries), self._ports(plan, plan.level.exits)
            return Box(max(across, widest), along, after, ins, outs), size
        first, last = item.role == "entry", item.role == "exit"
        if not widest or len(used) < 2:
            room = max(across, widest) if self.upright else across
            return Box(room, along, after, first=first, last=last), size
        apart = widest + 14 if self.upright else 18.0
        across = max(across, (len(used) - 1) * apart + (widest if self.upright else 8.0))
        places = {port: (i - (len(used) - 1) / 2) * apart for i, port in enumerate(used)}
        outs = [places.get(port, 0.0) for port in range(used[-1] + 1)]
        return Box(across, along, after, outs=outs, first=first, last=last), (across, along)

    @staticmethod
    def _ports(plan: _Plan, ports: list[Item]) -> list[float]:
        """Places of a container's ports, from its middle."""
        at = {item.index: i for i, item in enumerate(plan.level.items)}
        return [plan.before + plan.placement.across[at[port.index]] - plan.across / 2 for port in ports]

    # ---- outside in ----

    def geometry(self) -> Geometry:
        top = self.plans[None]
        size = (top.across, top.along) if self.upright else (top.along, top.across)
        geometry = Geometry(*size)
        self._extent = top.along
        corners: list[tuple[_Plan, float, float]] = [(top, 0.0, 0.0)]
        for plan, left, begin in corners:  # grows while it is read
            across, along = left + plan.before, begin + plan.ahead
            self._place_items(plan, across, along, geometry, corners)
            self._place_edges(plan, across, along, geometry)
        return geometry

    def _place_items(
        self, plan: _Plan, across: float, along: float, geometry: Geometry, corners: list[tuple[_Plan, float, float]]
    ) -> None:
        for i, item in enumerate(plan.level.items):
            wide, deep = plan.sizes[i]
            a = across + plan.placement.across[i] - wide / 2
            b = along + plan.placement.along[i] + self._stretch(plan, item)
            geometry.rects[item.index] = self._rect(a, b, wide, deep)
            if item.index in self.plans:
                corners.append((self.plans[item.index], a, b))

    def _stretch(self, plan: _Plan, item: Item) -> float:
        """How far a container's way out lies behind its content, where its title makes it longer."""
        return 0.0 if item.role != "exit" or self.upright else plan.along - plan.placement.height

    def _place_edges(self, plan: _Plan, across: float, along: float, geometry: Geometry) -> None:
        place = plan.placement
        read = Counter((edge.source.index, edge.port) for edge in plan.level.edges)
        arrive = Counter(edge.target.index for edge in plan.level.edges)
        pieces = place.pieces or [Piece(i, route.runs, route.branch) for i, route in enumerate(place.routes)]
        for piece in pieces:
            edge = plan.level.edges[piece.link]
            ends = [(across + run.across, along + at) for run in piece.runs for at in (run.start, run.end)]
            if piece.arrives:
                ends[-1] = (ends[-1][0], ends[-1][1] + self._stretch(plan, edge.target))
            skips = (
                len(place.routes[piece.link].runs) > 2
                and read[edge.source.index, edge.port] > 1
                and arrive[edge.target.index] > 1
            )
            points = [self._point(*end) for end in ends]
            geometry.ways.append(Way(edge, points, 2 * piece.branch, piece.arrives, skips))
            width, height = self.measures.label(edge.source, edge.port)
            half = (height if self.upright else width + 12) / 2
            label = (edge.source.index, edge.port)
            if width and label not in geometry.labels:
                geometry.labels[label] = self._point(ends[0][0], ends[0][1] - half)
        known = max((joint.number for joint in geometry.joints), default=0)
        for one in place.connectors:
            middle = self._point(across + one.across, along + one.along)
            geometry.joints.append(Joint(middle, known + one.number, one.out))

    # ---- to the screen ----

    def _point(self, across: float, along: float) -> Point:
        along = self._extent - along if self.turned else along
        return (across, along) if self.upright else (along, across)

    def _rect(self, across: float, along: float, wide: float, deep: float) -> Rect:
        along = self._extent - along - deep if self.turned else along
        return Rect(across, along, wide, deep) if self.upright else Rect(along, across, deep, wide)
