"""Parts of pictures, pictures of what failed, and Graphviz's language."""

from __future__ import annotations

import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import ArgumentError, InputError, ShapeError
from ramify.visualize import DotError, model_to_dot, plot_model
from ramify.visualize.build import picture_of
from tests.visualize.architectures import gan, siamese


def ladder():
    x = start = ramify.Input((4,), name="x")
    a = layers.Dense(4, name="a")(x)
    b = layers.Dense(4, name="b")(a)
    c = layers.Dense(4, name="c")(a)
    return ramify.Model(start, [layers.Add(name="d")([b, c]), layers.Dense(1, name="e")(x)], name="ladder")


def shown(model, **kwargs):
    picture = plot_model(model, to_file=None, **kwargs).picture
    return picture, {item.name or item.kind for item in picture.top.items}


def test_what_depends_on_a_layer_and_what_it_depends_on():
    picture, names = shown(ladder(), from_="b")
    assert names == {"b", "d", "a …", "c …"}.union(item.name for item in picture.top.items if item.role == "output")
    assert {(e.source.kind, e.target.name) for e in picture.top.edges if e.source.role == "cut"} == {
        ("a …", "b"),
        ("c …", "d"),
    }
    _, names = shown(ladder(), to="b")
    assert names == {"x", "a", "b", "…"}
    _, names = shown(ladder(), from_="a", to=["d"])
    assert {"a", "b", "c", "d"} <= names
    assert "e" not in names
    assert picture.params == 20


def test_the_insides_of_a_model_and_the_neighbours_of_a_layer():
    picture, _ = shown(siamese(), focus="encoder")
    assert picture.top.items[0].role == "input"
    assert picture.name == "encoder"
    assert picture.top.items[-1].role == "output"
    picture, names = shown(siamese(), focus="same")
    assert "same" in names
    assert "left" not in names
    _, names = shown(siamese(), focus="embedding")
    assert "embedding" in names


def test_how_deep_models_are_opened():
    def nest(depth):
        x = ramify.Input((4,))
        return ramify.Model(x, nest(depth - 1)(x) if depth else layers.Dense(4)(x), name=f"m{depth}")

    for depth in range(4):
        picture, _ = shown(nest(3), depth=depth)
        assert sum(item.role == "group" for item in picture.walk()) == depth
    picture, _ = shown(nest(3), focus="m1", depth=0)
    assert [item.name for item in picture.walk() if item.role == "layer"] == ["m0"]


def test_names_that_are_not_there():
    with pytest.raises(ArgumentError, match=r"from_='nope' names nothing in the picture of 'ladder'. There are x, a"):
        shown(ladder(), from_="nope")
    with pytest.raises(ArgumentError, match="No way leads from 'd' to 'a'"):
        shown(ladder(), from_="d", to="a")
    with pytest.raises(ArgumentError, match="focus='nope'"):
        shown(ladder(), focus="nope")


# ---- what failed ----


def failed(build):
    with pytest.raises((ShapeError, InputError)) as caught:
        build()
    return plot_model(caught.value, to_file=None, show_shapes=True)


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (lambda a, b: layers.Add(name="join")([a, b]), "Add"),
        (lambda a, b: layers.LSTM(3)(a), "LSTM"),
        (lambda a, b: a @ b, "@"),
        (lambda a, b: layers.Reshape((7, 3))(a), "Reshape"),
        (lambda a, b: layers.Dense(3)([a, b]), "Dense"),
    ],
)
def test_a_model_is_drawn_up_to_the_call_that_failed(build, kind):
    x = ramify.Input((4,), name="x")
    a, b = layers.Dense(5, name="left")(x), layers.Dense(6, name="right")(x)
    drawing = failed(lambda: build(a, b))
    (card,) = (item for item in drawing.picture.walk() if item.role == "failed")
    assert card.kind == kind
    assert card.error
    assert "left" in {edge.source.name for edge in drawing.picture.top.edges if edge.target is card}
    assert 'class="failed"' in drawing.svg
    assert "Graph up to a failed call" in drawing.svg


def test_an_error_from_elsewhere_has_no_picture():
    with pytest.raises(ArgumentError, match="does not come from a call on symbolic tensors"):
        plot_model(ValueError("nope"), to_file=None)


def test_the_cause_of_an_error_is_looked_through():
    x = ramify.Input((4,), name="x")
    with pytest.raises(ShapeError) as caught:
        torch.matmul(x, layers.Dense(3)(x))
    outer = RuntimeError("in my own function")
    outer.__cause__ = caught.value
    assert picture_of(outer).top.items[-1].role == "failed"


# ---- Graphviz's language ----


def test_graphviz_gets_every_card_and_edge():
    pydot = pytest.importorskip("pydot")
    dot = model_to_dot(gan(), show_shapes=True, expand_nested=True)
    assert isinstance(dot, pydot.Dot)
    text = dot.to_string()
    picture = picture_of(gan(), expand_nested=True)
    assert text.count("->") == sum(len(level.edges) for _, level in picture.levels)
    assert len(dot.get_subgraphs()) == 3
    assert "B × 28 × 28 × 1" in text
    assert isinstance(model_to_dot(gan(), subgraph=True), pydot.Cluster)


def test_graphviz_without_pydot(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydot", None)
    with pytest.raises(DotError, match=r"pip install pydot.*or draw with `plot_model`"):
        model_to_dot(ladder())
