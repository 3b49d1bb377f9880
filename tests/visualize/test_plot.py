"""Pictures: that they are drawn right, and what files they become."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
import zlib

import pytest

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.visualize import Drawing, PNGError, Viewer, plot_model
from ramify.visualize.build import picture_of
from ramify.visualize.cards import Look, card_size, label_size
from ramify.visualize.display import PALETTES
from ramify.visualize.families import FAMILIES
from ramify.visualize.layout.nested import Measures, lay_out
from ramify.visualize.pdf import pdf
from tests.visualize.models import MODELS, mlp_with_skip, nested, siamese

SVG = "{http://www.w3.org/2000/svg}"


# ---- the drawing ----


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("name", MODELS)
def test_cards_do_not_overlap_and_lie_in_their_containers(name, rankdir):
    picture = picture_of(MODELS[name](), expand_nested=True)
    look = Look(shapes=True, names=True)
    measures = Measures(lambda item: card_size(item, look), lambda item, port: label_size(item, port, look))
    geometry = lay_out(picture, measures, rankdir)
    levels = [(None, picture.top)] + [(item, item.level) for item in picture.walk() if item.level]
    for owner, level in levels:
        rects = [geometry.rects[item.index] for item in level.items if item.role not in ("entry", "exit")]
        x, y, w, h = geometry.rects[owner.index] if owner else (0, 0, geometry.width, geometry.height)
        for i, a in enumerate(rects):
            assert x - 0.01 <= a.x
            assert y - 0.01 <= a.y
            assert a.x + a.width <= x + w + 0.01
            assert a.y + a.height <= y + h + 0.01
            for b in rects[i + 1 :]:
                apart = a.x >= b.x + b.width or b.x >= a.x + a.width or a.y >= b.y + b.height or b.y >= a.y + a.height
                assert apart


def meet(a, b):
    return a[0] < b[2] - 0.01 and b[0] < a[2] - 0.01 and a[1] < b[3] - 0.01 and b[1] < a[3] - 0.01


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("name", MODELS)
def test_words_at_outputs_meet_neither_cards_nor_each_other(name, rankdir):
    picture = picture_of(MODELS[name](), expand_nested=True)
    look = Look(shapes=True, dtype=True)
    measures = Measures(lambda item: card_size(item, look), lambda item, port: label_size(item, port, look))
    geometry = lay_out(picture, measures, rankdir)
    items = {item.index: item for item in picture.walk()}
    assert geometry.labels
    words = []
    for (index, port), (x, y) in geometry.labels.items():
        width, _ = label_size(items[index], port, look)
        words.append((x - width / 2, y - 6, x + width / 2, y + 6))
    cards = [(r.x, r.y, r.x + r.width, r.y + r.height) for r in (geometry.rects[c.index] for c in picture.cards)]
    assert not [1 for word in words for card in cards if meet(word, card)]
    assert not [1 for i, word in enumerate(words) for other in words[i + 1 :] if meet(word, other)]


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_edges_touch_the_cards_and_ports_they_join(rankdir):
    picture = picture_of(nested(2), expand_nested=True)
    geometry = lay_out(picture, Measures(lambda item: card_size(item, Look()), lambda item, port: (0.0, 0.0)), rankdir)
    for way in geometry.ways:
        for point, item in ((way.points[0], way.edge.source), (way.points[-1], way.edge.target)):
            rect = geometry.rects[item.index]
            near_x = rect.x - 0.01 <= point[0] <= rect.x + rect.width + 0.01
            near_y = rect.y - 0.01 <= point[1] <= rect.y + rect.height + 0.01
            edge = min(
                abs(point[0] - rect.x),
                abs(point[0] - rect.x - rect.width),
                abs(point[1] - rect.y),
                abs(point[1] - rect.y - rect.height),
            )
            assert near_x
            assert near_y
            assert edge < 0.01


@pytest.mark.parametrize("name", MODELS)
def test_equal_models_are_drawn_equal_to_the_byte(name):
    drawings = [Drawing(picture_of(MODELS[name](), expand_nested=True), Look(shapes=True)) for _ in range(2)]
    assert drawings[0].svg == drawings[1].svg
    assert pdf(drawings[0].display_list) == pdf(drawings[1].display_list)


def words_of(model, **kwargs):
    root = ET.fromstring(plot_model(model, to_file=None, **kwargs).svg)
    return [node.text for node in root.iter(f"{SVG}text")]


def test_every_parameter_shows():
    model = mlp_with_skip()
    model.layers[1].trainable = False
    assert "B × 16" not in words_of(model)
    assert "B × 16" in words_of(model, show_shapes=True)
    assert "float32" in words_of(model, show_dtype=True)
    assert "digit" not in words_of(model)
    assert "digit" in words_of(model, show_layer_names=True)
    assert "16, relu" in words_of(model, show_layer_activations=True)
    assert {"frozen", "trainable"} <= set(words_of(model, show_trainable=True))
    assert words_of(siamese()).count("Dense") == 1
    assert words_of(siamese(), expand_nested=True).count("Dense") == 5
    tall = plot_model(model, to_file=None).display_list
    wide = plot_model(model, to_file=None, rankdir="LR").display_list
    assert tall.height > tall.width
    assert wide.width > wide.height


def test_parameters_that_do_not_exist():
    with pytest.raises(ArgumentError, match="takes no argument 'layer_range'"):
        plot_model(mlp_with_skip(), to_file=None, layer_range=["a", "b"])
    with pytest.raises(ArgumentError, match="Use one of TB, BT, LR, RL"):
        plot_model(mlp_with_skip(), to_file=None, rankdir="XX")
    with pytest.raises(ArgumentError, match=r"Pictures are saved as \.svg, \.pdf, \.png"):
        plot_model(mlp_with_skip(), to_file="model.gif")


# ---- the files ----


def test_svg_can_be_read_by_those_who_cannot_see_it(tmp_path):
    path = tmp_path / "m.svg"
    plot_model(siamese(), to_file=path)
    root = ET.parse(path).getroot()
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]
    assert title.text == "Functional 'siamese'"
    assert "encoder (call 2) (Functional) from right." in desc.text


def test_svg_loads_nothing_from_anywhere():
    text = plot_model(siamese(), to_file=None).svg
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    assert "prefers-color-scheme:dark" in text


def test_no_program_is_started_and_nothing_is_fetched(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("not allowed here")

    monkeypatch.setattr("subprocess.Popen", refuse)
    monkeypatch.setattr("os.system", refuse)
    monkeypatch.setattr("socket.socket", refuse)
    for name, make in MODELS.items():
        for ending in ("svg", "pdf"):
            plot_model(make(), tmp_path / f"{name}.{ending}", expand_nested=True)
    assert len(list(tmp_path.iterdir())) == 2 * len(MODELS)


def test_names_that_would_break_the_file():
    x = ramify.Input((4,), name='a<b>&"c"')
    model = ramify.Model(x, layers.Dense(2, name="\x00\x1b数字\\(")(x), name="<svg>")
    drawing = plot_model(model, to_file=None, show_layer_names=True)
    assert 'a<b>&"c"' in [node.text for node in ET.fromstring(drawing.svg).iter(f"{SVG}text")]
    assert pdf(drawing.display_list).startswith(b"%PDF")


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", PALETTES)
def test_text_can_be_told_from_what_is_behind_it(theme):
    palette = PALETTES[theme]
    behind = ("canvas", "card", "frozen", "group", "head", "pill")
    assert all(contrast(palette[word].fill, palette[what].fill) >= 4.5 for word in "tg" for what in behind)
    assert all(contrast(palette["z"].fill, palette[what].fill) >= 4.5 for what in ("card", "frozen", "head"))
    assert contrast(palette["k"].fill, palette["badge"].fill) >= 4.5
    assert all(contrast(palette["edge"].stroke, palette[what].fill) >= 3 for what in ("canvas", "group"))
    assert all(contrast(palette["sign"].stroke, family.color) >= 4.5 for family in FAMILIES.values())


def test_pdf_is_well_formed(tmp_path):
    path = tmp_path / "m.pdf"
    plot_model(siamese(), to_file=str(path), show_shapes=True, expand_nested=True)
    data = path.read_bytes()
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    assert data[start:].startswith(b"xref\n")
    for i, offset in enumerate(re.findall(rb"^(\d{10}) 00000 n", data, re.MULTILINE), 1):
        assert data[int(offset) :].startswith(b"%d 0 obj" % i)
    content = zlib.decompress(re.search(rb"stream\n(.*)\nendstream", data, re.DOTALL)[1])
    assert b"(encoder) Tj" in content
    assert b"(B \xd7 16) Tj" in content


def test_png(tmp_path):
    pytest.importorskip("resvg_py")
    path = tmp_path / "m.png"
    drawing = plot_model(mlp_with_skip(), to_file=path, dpi=96)
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    size = (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    assert size == (drawing.display_list.width, drawing.display_list.height)


def test_without_resvg_the_picture_is_saved_as_svg_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.warns(UserWarning, match=r"pip install 'ramify\[png\]'.*saved as '.*model\.svg'"):
        drawing = plot_model(mlp_with_skip(), to_file=tmp_path / "model.png")
    assert drawing.path == tmp_path / "model.svg"
    assert drawing.path.read_text(encoding="utf-8").startswith("<svg")
    with pytest.raises(PNGError, match=r"or save the picture as \.svg or \.pdf"):
        drawing.save(tmp_path / "model.png")


def test_a_notebook_shows_the_drawing():
    drawing = plot_model(mlp_with_skip(), to_file=None)
    assert drawing._repr_svg_() in drawing._repr_html_()
    assert repr(drawing) == "<Drawing of 'mlp': 6 cards>"


def test_a_notebook_shows_a_model_and_keeps_quiet_where_there_is_nothing_to_show():
    assert "<svg" in Viewer._repr_html_(siamese())
    assert "B × 16" in Viewer._repr_html_(mlp_with_skip())
    assert Viewer._repr_html_(ramify.Sequential()) is None


def test_png_has_words_on_a_machine_without_fonts(tmp_path, monkeypatch):
    resvg = pytest.importorskip("resvg_py")
    real = resvg.svg_to_bytes
    monkeypatch.setattr(resvg, "svg_to_bytes", lambda **options: real(**options, skip_system_fonts=True))
    sizes = []
    for name in ("a", "a" * 20):
        x = ramify.Input((4,), name="x")
        drawing = plot_model(ramify.Model(x, x * 2, name=name), tmp_path / "m.png", dpi=96)
        sizes.append(len(drawing.path.read_bytes()))
    assert sizes[1] > sizes[0]


def test_dark_pictures():
    drawing = plot_model(mlp_with_skip(), to_file=None, dark=True)
    assert PALETTES["dark"]["canvas"].fill in drawing.svg
    assert "prefers-color-scheme" not in drawing.svg
