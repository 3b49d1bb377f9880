"""The explorer's page: what it is told of a model, that it stands alone, and how large it is."""

from __future__ import annotations

import json
import re

import pytest

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.visualize.build import picture_of
from ramify.visualize.explorer.data import arguments, as_json, explorer_data
from ramify.visualize.explorer.page import _script, _style, explorer_page, framed
from ramify.visualize.plot import shown_picture
from tests.visualize.architectures import ARCHITECTURES


def siamese():
    left, right, i = (ramify.Input((16,), name=name) for name in ("left", "right", None))
    shared = ramify.Model(i, layers.Dense(4, activation="relu")(i), name="encoder")
    return ramify.Model([left, right], layers.Dense(1, name="score")(abs(shared(left) - shared(right))), name="twins")


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="model">(.*?)</script>', page, re.DOTALL)[1])


def test_everything_of_the_picture_is_in_it():
    picture = picture_of(siamese(), expand_nested=True)
    data = explorer_data(picture)
    assert len(data["items"]) == len(list(picture.walk()))
    assert sum(len(level["e"]) for level in data["levels"]) == sum(len(level.edges) for _, level in picture.levels)
    encoders = [item for item in data["items"] if item.get("n") == "encoder"]
    assert [item["sh"] for item in encoders] == [["A", 1, 2], ["A", 2, 2]]
    assert all(data["levels"][item["l"]]["o"] == data["items"].index(item) for item in encoders)


def test_every_level_is_in_order():
    for level in explorer_data(picture_of(ARCHITECTURES["unet"](), expand_nested=True))["levels"]:
        assert level["y"] == sorted(level["y"])
        for s, _, _, t, _, _, _, *bends in level["e"]:
            rows = [level["r"][s], *bends[::2], level["r"][t]]
            assert rows == list(range(rows[0], rows[-1] + 1))  # one bend in each row that is passed


def test_pages_are_the_same_byte_for_byte():
    assert siamese().explore().html == siamese().explore().html


@pytest.mark.parametrize("name", ["resnet50", "siamese"])
def test_a_page_stands_alone(name):
    page = ARCHITECTURES[name]().explore().html
    outside = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(src|href)=\"|https?:|@import|url\(", outside)
    assert "default-src 'none'" in page
    assert "unsafe" not in page


def test_sizes():
    assert len(ARCHITECTURES["resnet50"]().explore().html.encode()) <= 150_000
    assert len((_script() + _style()).encode()) <= 52_000


def test_names_cannot_break_out():
    x = ramify.Input((4,), name="x")
    evil = "</script><script>alert(1)</script>&\u2028"
    picture = picture_of(ramify.Model(x, layers.Dense(2)(x), name="<b>bold"))
    picture.cards[1].name = evil
    page = explorer_page(picture)
    assert "alert(1)</script>" not in page
    assert "<b>bold" not in page
    assert evil in [item.get("n") for item in data_of(page)["items"]]
    assert json.loads(as_json({"a": evil})) == {"a": evil}
    assert framed(page).count("<iframe") == 1
    assert framed(page).count("<") == 2


def test_arguments_are_those_that_were_given():
    assert arguments(layers.Dense(4)) == {"units": "4"}
    given = arguments(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False))
    assert given == {
        "filters": "8",
        "kernel_size": "(3, 3)",
        "strides": "(2, 2)",
        "padding": "same",
        "use_bias": "False",
    }

    class Odd(layers.Layer):
        def get_config(self):
            raise RuntimeError("no")

    assert arguments(Odd()) == {}


def test_files(tmp_path):
    model = siamese()
    found = model.explore(tmp_path / "twins.html")
    assert found.path.read_text(encoding="utf-8") == found.html
    assert repr(found) == f"<Exploration of 'twins', saved as {str(found.path)!r}>"
    with pytest.raises(ArgumentError, match=r"Let its name end in \.html"):
        model.explore(tmp_path / "twins.pdf")
    assert list(tmp_path.iterdir()) == [found.path]
    with pytest.raises(ArgumentError, match="give `path`"):
        model.explore(open_browser=True)


def test_a_browser_is_asked_to_show_the_file(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("webbrowser.open", asked.append)
    path = siamese().explore(tmp_path / "twins.html", open_browser=True).path
    assert asked == [path.resolve().as_uri()]


def test_notebooks_get_a_drawing_and_the_explorer():
    html = siamese()._repr_html_()
    assert html.index("<svg") < html.index("<iframe")
    assert 'sandbox="allow-scripts' in html
    assert "srcdoc=" in html


def test_plot_model_writes_the_explorer(tmp_path):
    model = siamese()
    path = tmp_path / "twins.html"
    ramify.utils.plot_model(model, path)
    assert path.read_text(encoding="utf-8") == model.explore().html


def test_a_call_that_failed_is_told():
    x = ramify.Input((4, 4), name="x")
    try:
        layers.Conv2D(2, 3, name="wrong")(layers.Dense(3, name="fine")(x))
    except ramify.errors.RamifyError as error:
        page = explorer_page(shown_picture(error))
    items = data_of(page)["items"]
    assert [item["n"] for item in items if item["role"] == "failed"] == ["wrong"]
    assert any(item.get("note") for item in items)


def test_numbers_of_ones_own():
    data = data_of(siamese().explore(numbers={"Dead units": {"score": 3, "encoder/dense": 2.5}}).html)
    assert {"key": "dead_units", "label": "Dead units", "unit": "count"} in data["metrics"]
    told = {item["n"]: item["v"]["dead_units"] for item in data["items"] if "dead_units" in item.get("v", {})}
    assert told == {"dense": 2.5, "score": 3.0}
    with pytest.raises(ArgumentError, match="'nope', which no layer of 'twins' is called"):
        siamese().explore(numbers={"x": {"nope": 1}})
