"""Drawings of well-known architectures: no overlaps, no edge through a card, few crossings, files that need nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import ramify
from ramify import layers
from ramify.visualize import plot_model
from ramify.visualize.build import picture_of
from ramify.visualize.display import Text
from ramify.visualize.fold import folded
from ramify.visualize.layout.flat import arrange
from ramify.visualize.layout.problem import Box, Link
from ramify.visualize.layout.wrap import LONG, wrapped
from ramify.visualize.scene import scene_of
from tests.visualize.architectures import ARCHITECTURES, transformer
from tests.visualize.geometry import (
    crossings_of,
    crossings_of_dot,
    edges_through,
    geometry_of,
    line_of,
    overlaps,
)

# Crossings in Graphviz's drawing of the same cards (dot of pygraphviz 2.0.4), by `crossings_of_dot`.
DOT = {"resnet50": 0, "inception_v3": 0, "unet": 0, "densenet121": 0, "dense_block": 59, "transformer": 0}
DOT |= {"siamese": 0, "gan": 0}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_nothing_overlaps_and_no_edge_runs_through_a_card(name):
    for fold, rankdir, wrap in ((False, "TB", False), (False, "TB", True), (True, "TB", True), (True, "LR", True)):
        picture = picture_of(ARCHITECTURES[name](), expand_nested=True, costs=False)
        if fold:
            folded(picture)
        geometry = geometry_of(picture, rankdir=rankdir, wrap=wrap)
        assert overlaps(picture, geometry) == 0
        assert edges_through(picture, geometry, rankdir == "TB") == 0


@pytest.mark.parametrize("name", DOT)
def test_edges_cross_no_more_than_in_graphviz(name):
    picture = picture_of(ARCHITECTURES[name](), costs=False)
    assert crossings_of(picture, geometry_of(picture)) <= 1.2 * DOT[name]


@pytest.mark.parametrize(
    "name", [name if name in ("dense_block", "gan") else pytest.param(name, marks=pytest.mark.slow) for name in DOT]
)
def test_the_recorded_crossings_are_those_of_graphviz(name):
    graphviz = pytest.importorskip("pygraphviz")
    assert crossings_of_dot(picture_of(ARCHITECTURES[name](), costs=False), graphviz) == DOT[name]


@cache
def deep_transformer():
    return transformer(96, 16, 32, 2, 10)


def test_the_measures_find_faults():
    picture = picture_of(ARCHITECTURES["siamese"](), costs=False)
    geometry = geometry_of(picture)
    first, last = picture.top.items[0].index, picture.top.items[-1].index
    geometry.rects[last] = geometry.rects[first]
    assert overlaps(picture, geometry) == 1
    way = geometry.ways[-1]
    way.points[:] = [(way.points[0][0], 0.0), (way.points[0][0], geometry.height)]
    assert edges_through(picture, geometry) == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"show_shapes": True},
        {"show_layer_names": True, "show_layer_activations": True},
        {"show_shapes": True, "rankdir": "LR"},
    ],
)
def test_ninety_six_blocks_fit_one_screen(options):
    model = deep_transformer()
    drawing = plot_model(model, to_file=None, **options)
    assert drawing.display_list.width <= 1280
    assert drawing.display_list.height <= 720
    assert any(item.repeat and item.repeat.count == 96 for item in drawing.picture.walk())
    assert min(shape.size for shape in texts(drawing.display_list)) >= 9.5  # pixels, where nothing is scaled
    geometry = geometry_of(drawing.picture, rankdir=options.get("rankdir", "TB"), wrap=True, screen=(1200, 600))
    assert overlaps(drawing.picture, geometry) == 0
    assert edges_through(drawing.picture, geometry, options.get("rankdir") is None) == 0
    ends = Counter((joint.number, joint.out) for joint in geometry.joints)
    assert len(ends) == len(geometry.joints) > 0
    assert all((number, not out) in ends for number, out in ends)
    whole = plot_model(model, to_file=None, wrap=False, **options).display_list
    assert max(whole.width, whole.height) > 1000


def test_what_is_not_folded_is_not_cut_for_a_screen():
    drawing = plot_model(transformer(2, 16, 32, 2, 10), to_file=None).display_list
    assert drawing.height > 1000


def texts(display_list):
    return [shape for group in display_list.groups for shape in group.shapes if isinstance(shape, Text)]


# ---- wrapping ----


def random_graph(seed):
    rng = random.Random(seed)
    size = rng.randrange(20, 90)
    boxes = [Box(rng.uniform(40, 200), rng.uniform(20, 90), rng.choice([0.0, 18.0])) for _ in range(size)]
    links = []
    for v in range(1, size):
        sources = {max(0, v - 1 - int(rng.expovariate(0.5))) for _ in range(rng.choice([1, 1, 1, 2, 3]))}
        links += [Link(u, 0, v) for u in sorted(sources)]
    return boxes, links


def check_wrapped(seed):
    boxes, links = random_graph(seed)
    place = wrapped(arrange(boxes, links), boxes, links)
    rects = [(x - b.across / 2, y, x + b.across / 2, y + b.along) for b, x, y in zip(boxes, place.across, place.along)]  # noqa: B905 - equal by construction
    for i, a in enumerate(rects):
        assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in rects[:i])
    for piece in place.pieces:
        points = [(run.across, at) for run in piece.runs for at in (run.start, run.end)]
        for x, y in line_of(points):
            assert not any(a + 0.1 < x < c - 0.1 and b + 0.1 < y < d - 0.1 for a, b, c, d in rects)
        if piece.arrives:
            assert points[-1][1] == pytest.approx(place.along[links[piece.link].target])
    assert {piece.link for piece in place.pieces if piece.arrives} in (set(), set(range(len(links))))
    ends = {(one.number, one.out) for one in place.connectors}
    assert {number for number, out in ends if out} == {number for number, out in ends if not out}
    assert all(0 <= one.across <= place.width and 0 <= one.along <= place.height for one in place.connectors)
    return bool(place.pieces)


def test_random_graphs_in_columns():
    assert sum(check_wrapped(seed) for seed in range(30)) > 15


@pytest.mark.slow
def test_two_hundred_random_graphs_in_columns():
    assert sum(check_wrapped(seed) for seed in range(30, 230)) > 100


def test_what_is_short_stays_whole_and_what_is_long_fits_a_page():
    boxes = [Box(120.0, 40.0) for _ in range(200)]
    links = [Link(i, 0, i + 1) for i in range(199)]
    whole = arrange(boxes, links)
    page = wrapped(whole, boxes, links)
    assert whole.height > 5 * LONG
    assert page.height < 2.2 * page.width
    assert page.height * page.width < 4 * whole.height * whole.width
    few = arrange(boxes[:9], links[:8])
    assert wrapped(few, boxes[:9], links[:8]) is few


# ---- files ----


def test_files_need_no_program_no_network_and_no_package(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("not allowed here")

    monkeypatch.setattr("subprocess.Popen", refuse)
    monkeypatch.setattr("os.system", refuse)
    monkeypatch.setattr("socket.socket", refuse)
    for package in ("resvg_py", "pydot", "pygraphviz", "PIL", "matplotlib"):
        monkeypatch.setitem(sys.modules, package, None)
    for name, make in ARCHITECTURES.items():
        for ending in ("svg", "pdf", "html"):
            plot_model(make(), tmp_path / f"{name}.{ending}", expand_nested=True)
    assert len(list(tmp_path.iterdir())) == 3 * len(ARCHITECTURES)
    assert all(path.stat().st_size > 2000 for path in tmp_path.iterdir())


def test_equal_models_give_equal_bytes_in_other_processes():
    code = (
        "import sys; from tests.visualize.architectures import transformer; "
        "from ramify.visualize import plot_model\n"
        "sys.stdout.buffer.write(plot_model(transformer(3), to_file=None, fold=True).svg.encode())"
    )
    env = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(Path.cwd())}
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env).stdout
    assert made.decode() == plot_model(transformer(3), to_file=None, fold=True).svg


# ---- the scene ----


@pytest.mark.parametrize("name", ["siamese", "transformer"])
def test_a_scene_holds_every_item_and_edge_once(name):
    picture = folded(picture_of(ARCHITECTURES[name](), expand_nested=True))
    scene = json.loads(json.dumps(scene_of(picture), allow_nan=False))
    ids = [item["id"] for item in scene["picture"]["items"]]
    assert sorted(ids) == sorted({int(key) for level in scene["levels"] for key in level["places"]})
    edges = scene["picture"]["edges"]
    assert sorted(way["edge"] for level in scene["levels"] for way in level["ways"]) == list(range(len(edges)))
    for level in scene["levels"]:
        rows = level["rows"]
        for x, y, width, height, rank, _ in level["places"].values():
            assert rows[rank][0] - 0.2 <= y
            assert y + height <= rows[rank][0] + rows[rank][1] + 0.2
            assert x + 0.2 >= 0
            assert x + width <= level["size"][0] + 0.2
        for way in level["ways"]:
            points = list(zip(way["points"][::2], way["points"][1::2], strict=True))
            assert len(points) % 2 == 0
            assert all(a[0] == b[0] for a, b in zip(points[::2], points[1::2], strict=True))
    paths = [item["path"] for item in scene["picture"]["items"]]
    assert len(set(paths)) == len(paths)


def test_a_closed_container_is_a_card():
    x = ramify.Input((4,), name="x")
    inner = ramify.Sequential([ramify.Input((4,)), layers.Dense(3), layers.Dense(2)], name="inner")
    scene = scene_of(picture_of(ramify.Model(x, inner(x)), expand_nested=True))
    outer, inside = scene["levels"]
    assert outer["owner"] is None
    assert outer["places"][inside["owner"]][3] < 80
