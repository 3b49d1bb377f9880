"""What a layout is asked and what it answers, in a frame of its own: ranks go down, order goes across.

The frame is turned to the screen's directions afterwards (see `nested`), so nothing here knows of left or top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Box:
    """An item to be placed.

    Attributes:
        across: its extent along a rank.
        along: its extent from rank to rank.
        after: room kept free behind it, for the words at its outputs; edges begin behind that.
        ins: where edges arrive, from the middle, one place per slot; edges to other boxes share the middle out.
        outs: where edges leave, from the middle, one place per port; likewise.
        apart: distance of edges that leave at different ports, where `outs` is not given.
        first: whether it stands before all others.
        last: whether it stands behind all others.
    """

    across: float
    along: float
    after: float = 0.0
    ins: Sequence[float] | None = None
    outs: Sequence[float] | None = None
    apart: float = 16.0
    first: bool = False
    last: bool = False


@dataclass(slots=True, frozen=True)
class Link:
    """An edge between boxes, by their numbers."""

    source: int
    port: int
    target: int
    slot: int = 0


@dataclass(slots=True, frozen=True)
class Spacing:
    """Distances.

    Attributes:
        boxes: between two boxes of a rank.
        beside: between a box and an edge that passes it.
        edges: between two edges that pass a rank side by side.
        ranks: between two ranks.
        steep: how much further ranks move apart for an edge that crosses, per unit of its way across.
        most: the most that ranks move apart.
        arrows: between two arrows at one box.
    """

    boxes: float = 28.0
    beside: float = 20.0
    edges: float = 18.0
    ranks: float = 30.0
    steep: float = 0.10
    most: float = 84.0
    arrows: float = 18.0


@dataclass(slots=True, frozen=True)
class Run:
    """A straight stretch of an edge from rank to rank: at `across`, from `start` to `end`."""

    across: float
    start: float
    end: float


@dataclass(slots=True)
class Route:
    """The way of an edge: straight runs, with a curve from each to the next.

    Attributes:
        runs: the whole way, from the source to the target.
        branch: the first run that no earlier edge of the same tensor has drawn already.
    """

    runs: list[Run]
    branch: int = 0


@dataclass(slots=True)
class Piece:
    """A part of an edge's way, in one column.

    Attributes:
        link: number of the link.
        runs: the straight runs of the part.
        branch: as that of a route.
        arrives: whether the part ends at the target, rather than at a connector.
    """

    link: int
    runs: list[Run]
    branch: int = 0
    arrives: bool = True


@dataclass(slots=True, frozen=True)
class Connector:
    """Where an edge leaves a column, or comes into the next.

    Attributes:
        across: its middle.
        along: likewise.
        number: equal for the ends of one tensor.
        out: whether the edge leaves here.
    """

    across: float
    along: float
    number: int
    out: bool


@dataclass(slots=True)
class Placement:
    """An answer.

    Attributes:
        across: the middle of each box.
        along: the beginning of each box.
        routes: the way of each link.
        width: extent across; everything lies between 0 and it.
        height: extent along.
        rows: where each rank begins, and its extent along.
        spots: rank of each box, and its place among the boxes and edges of the rank.
        pieces: the parts of the routes, where the placement was cut into columns; else empty.
        connectors: where the parts end.
    """

    across: list[float]
    along: list[float]
    routes: list[Route]
    width: float
    height: float
    rows: list[tuple[float, float]] = field(default_factory=list)
    spots: list[tuple[int, int]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    connectors: list[Connector] = field(default_factory=list)


@dataclass(slots=True)
class Layers:
    """Boxes and the bends of long edges (*vertices*: boxes first), rank by rank.

    Attributes:
        boxes: the boxes.
        rank: rank of each vertex.
        order: the vertices of each rank, in order.
        down: links to the next rank: ``(upper vertex, port, lower vertex, slot)``; a bend has port and slot 0.
        chains: per link of the problem, the vertices that it passes, both ends included.
        owner: for each vertex the box whose tensor passes through it; the box itself for a box.
    """

    boxes: Sequence[Box]
    rank: list[int]
    order: list[list[int]]
    down: list[tuple[int, int, int, int]]
    chains: list[list[int]]
    owner: list[int]
    _around: tuple[list[list[int]], list[list[int]]] | None = field(default=None, init=False)

    @property
    def around(self) -> tuple[list[list[int]], list[list[int]]]:
        """Numbers of the links into and out of each vertex."""
        if self._around is None:
            above: list[list[int]] = [[] for _ in self.rank]
            below: list[list[int]] = [[] for _ in self.rank]
            for number, (upper, _, lower, _) in enumerate(self.down):
                below[upper].append(number)
                above[lower].append(number)
            self._around = (above, below)
        return self._around
