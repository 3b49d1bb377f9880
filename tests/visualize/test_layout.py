"""The layout: nothing overlaps, no edge runs through a card, the main way is straight, and it is quick."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from ramify.visualize.layout.flat import arrange
from ramify.visualize.layout.order import crossings, ordered
from ramify.visualize.layout.problem import Box, Link, Placement, Run
from ramify.visualize.layout.ranks import ranked


def points_of(runs: list[Run]) -> list[tuple[float, float]]:
    """Points close together along an edge."""
    found = []
    for run in runs:
        found += [(run.across, run.start + (run.end - run.start) * i / 8) for i in range(9)]
    for a, b in pairwise(runs):
        middle = (a.end + b.start) / 2
        for i in range(17):
            t = i / 16
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x = sum(w * p for w, p in zip(weights, (a.across, a.across, b.across, b.across), strict=True))
            y = sum(w * p for w, p in zip(weights, (a.end, middle, middle, b.start), strict=True))
            found.append((x, y))
    return found


def faults(boxes: list[Box], links: list[Link], place: Placement) -> tuple[int, int]:
    """Overlapping pairs of boxes, and edges that run through a box."""
    rects = [
        (x - b.across / 2, y, x + b.across / 2, y + b.along)
        for b, x, y in zip(boxes, place.across, place.along, strict=True)
    ]
    order = sorted(range(len(rects)), key=lambda i: rects[i][1])
    overlaps = 0
    for at, i in enumerate(order):
        for j in order[at + 1 :]:
            if rects[j][1] >= rects[i][3]:
                break
            overlaps += rects[i][0] < rects[j][2] and rects[j][0] < rects[i][2]
    through = 0
    for route in place.routes:
        points = points_of(route.runs)
        low, high = min(y for _, y in points), max(y for _, y in points)
        near = [r for r in rects if r[1] < high and r[3] > low]
        through += any(r[0] + 0.01 < x < r[2] - 0.01 and r[1] + 0.01 < y < r[3] - 0.01 for r in near for x, y in points)
    return overlaps, through


def random_graph(seed: int, size: int) -> tuple[list[Box], list[Link]]:
    rng = random.Random(seed)
    boxes, links = [], []
    for v in range(size):
        ports = rng.choice([1, 1, 1, 3])
        outs = None if rng.random() < 0.8 else [-20.0, 0.0, 30.0][:ports]
        boxes.append(Box(rng.uniform(40, 220), rng.uniform(20, 90), rng.choice([0, 18]), None, outs))
        count = rng.choice([1, 1, 1, 2, 2, 4]) if v else 0
        sources = {max(0, v - 1 - int(rng.expovariate(0.4))) for _ in range(count)}
        links += [Link(u, rng.randrange(len(boxes[u].outs or [0])), v) for u in sorted(sources)]
    return boxes, links


def plain(size: int) -> list[Box]:
    return [Box(120.0, 40.0) for _ in range(size)]


def resnet(blocks: int) -> tuple[list[Box], list[Link]]:
    links, at, size = [], 0, 1
    for _ in range(blocks):
        ends = [size + i for i in range(8)]
        links += [Link(a, 0, b) for a, b in pairwise([at, *ends])]
        links.append(Link(at, 0, ends[-1]))
        at, size = ends[-1], size + 8
    return plain(size), links


def inception(blocks: int) -> tuple[list[Box], list[Link]]:
    links, at, size = [], 0, 1
    for _ in range(blocks):
        merge = size + 7
        for way in ([size], [size + 1, size + 2], [size + 3, size + 4], [size + 5, size + 6]):
            links += [Link(a, 0, b) for a, b in pairwise([at, *way, merge])]
        at, size = merge, size + 8
    return plain(size), links


def unet(depth: int) -> tuple[list[Box], list[Link]]:
    size = 2 * depth + 1
    links = [Link(i, 0, i + 1) for i in range(size - 1)]
    return plain(size), links + [Link(i, 0, size - 1 - i) for i in range(depth)]


def dense_blocks(size: int) -> tuple[list[Box], list[Link]]:
    return plain(size), [Link(i, 0, j) for j in range(size) for i in range(j)]


def transformer(blocks: int) -> tuple[list[Box], list[Link]]:
    links, at, size = [], 0, 1
    for _ in range(blocks):
        norm, q, k, v, attend, add, norm2, up, down, add2 = range(size, size + 10)
        links += [Link(a, 0, norm) for a in [at]] + [Link(norm, 0, w) for w in (q, k, v)]
        links += [Link(w, 0, attend) for w in (q, k, v)] + [Link(attend, 0, add), Link(at, 0, add)]
        links += [Link(a, 0, b) for a, b in pairwise([add, norm2, up, down, add2])] + [Link(add, 0, add2)]
        at, size = add2, size + 10
    return plain(size), links


NAMED = {
    "resnet": resnet(16),
    "inception": inception(9),
    "unet": unet(5),
    "densenet": dense_blocks(12),
    "transformer": transformer(12),
}


@pytest.mark.parametrize("name", NAMED)
def test_nothing_overlaps_in_the_known_shapes(name):
    boxes, links = NAMED[name]
    assert faults(boxes, links, arrange(boxes, links)) == (0, 0)


@pytest.mark.parametrize("name", ["resnet", "inception", "unet", "transformer"])
def test_edges_of_the_known_shapes_do_not_cross(name):
    assert crossings(ordered(ranked(*NAMED[name]))) == 0


@pytest.mark.parametrize("seed", [*range(60), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(60, 200))])
def test_nothing_overlaps_in_random_graphs(seed):
    boxes, links = random_graph(seed, 10 + seed)
    place = arrange(boxes, links)
    assert faults(boxes, links, place) == (0, 0)
    assert all(box.across / 2 - 0.01 <= x for box, x in zip(boxes, place.across, strict=True))
    assert all(x + box.across / 2 <= place.width + 0.01 for box, x in zip(boxes, place.across, strict=True))
    assert all(route.runs[-1].end > route.runs[0].start for route in place.routes)


def test_the_counter_of_faults_finds_faults():
    boxes, links = plain(3), [Link(0, 0, 2)]
    stacked = Placement([60, 60, 60], [0, 20, 100], [arrange(*unet(1)).routes[0]], 120, 140)
    stacked.routes[0].runs[:] = [Run(60, 40, 100)]
    assert faults(boxes, links, stacked) == (1, 1)


@pytest.mark.parametrize("name", ["resnet", "unet"])
def test_the_main_way_is_straight(name):
    boxes, links = NAMED[name]
    assert len({round(x, 6) for x in arrange(boxes, links).across}) == 1


def test_two_equal_branches_stand_on_both_sides():
    place = arrange(plain(4), [Link(0, 0, 1), Link(0, 0, 2), Link(1, 0, 3), Link(2, 0, 3)])
    left, right = place.across[1], place.across[2]
    assert left < right
    assert [place.across[0], place.across[3]] == pytest.approx([(left + right) / 2] * 2, abs=0.5)


def test_edges_of_one_tensor_share_a_trunk():
    place = arrange(plain(5), [Link(0, 0, i) for i in (1, 2, 3, 4)] + [Link(i, 0, i + 1) for i in (1, 2, 3)])
    to_3, to_4 = place.routes[2], place.routes[3]
    assert to_3.runs[1] == to_4.runs[1]
    assert to_4.branch == 2


def test_ports_that_are_given_are_kept():
    boxes = [Box(200, 40, outs=[-50.0, 50.0]), Box(60, 40), Box(60, 40)]
    place = arrange(boxes, [Link(0, 1, 1), Link(0, 0, 2)])
    starts = [route.runs[0].across - place.across[0] for route in place.routes]
    assert starts == pytest.approx([50, -50])
    assert place.across[1] > place.across[2]


def test_equal_input_gives_equal_output():
    boxes, links = random_graph(7, 80)
    first, second = arrange(boxes, links), arrange(boxes, links)
    assert first.across == second.across
    assert [route.runs for route in first.routes] == [route.runs for route in second.routes]


def test_a_chain_of_ten_thousand_needs_no_recursion():
    boxes = plain(10_000)
    place = arrange(boxes, [Link(i, 0, i + 1) for i in range(9_999)])
    assert place.along[-1] > place.along[0]


def test_nothing_to_place():
    assert arrange([], []) == Placement([], [], [], 0.0, 0.0)
    assert arrange([Box(10, 20)], []).height == 20
