"""The differences of two models."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ramify
from ramify import layers
from ramify.visualize import diff
from ramify.visualize.align import Trait, aligned, score


def model(new, name=None):
    x = start = ramify.Input((16,), name="pixels")
    x = skip = layers.Dense(32, activation="relu", name="dense")(x)
    if new:
        x = layers.Dropout(0.3, name="drop")(x)
    x = layers.Dense(32, activation="gelu" if new else "relu", name="dense_1")(x)
    if not new:
        x = layers.BatchNormalization(name="norm")(x)
    x = layers.Add(name="add")([x, skip])
    i = ramify.Input((32,))
    y = layers.Dense(8, name="inside")(i)
    encoder = ramify.Model(i, layers.ReLU(name="more")(y) if new else y, name="encoder")
    return ramify.Model(start, layers.Dense(10, name="digit")(encoder(x)), name=name or ("new" if new else "old"))


def test_what_was_added_removed_and_changed():
    found = diff(model(False), model(True))
    assert [(change.state, change.path) for change in found.changes] == [
        ("added", "drop"), ("changed", "dense_1"), ("removed", "norm"), ("changed", "add"), ("added", "encoder/more"),
    ]  # fmt: skip
    assert found.of("changed")[0].details == ("activation: relu -> gelu", "reads: dense -> drop")
    assert found.of("changed")[1].details == ("reads: norm, dense -> dense_1, dense",)
    assert str(found).splitlines()[0] == '"old" -> "new": 2 added, 1 removed, 2 changed, 5 the same'


def test_the_other_way_round():
    forth, back = diff(model(False), model(True)), diff(model(True), model(False))
    assert {c.path for c in forth.of("added")} == {c.path for c in back.of("removed")}
    assert {c.path for c in forth.of("changed")} == {c.path for c in back.of("changed")}


def test_equal_models_have_none():
    found = diff(model(True), model(True))
    assert not found
    assert found.changes == []
    assert found.same == 9


def test_new_automatic_names_are_no_change():
    def net(extra):
        x = start = ramify.Input((4,), name="x")
        if extra:
            x = layers.Dense(7)(x)
        return ramify.Model(start, layers.Dense(2)(layers.Dense(3)(x)), name="net")

    found = diff(net(False), net(True))
    assert [(c.state, c.kind) for c in found.changes] == [("added", "Dense"), ("changed", "Dense")]
    assert found.changes[1].details[0].startswith("reads: x ->")


def test_frozen_shapes_and_operations():
    def net(units, factor, trainable):
        x = ramify.Input((4,), name="x")
        hidden = layers.Dense(units, name="hidden", trainable=trainable)(x)
        return ramify.Model(x, layers.Dense(2, name="out")(hidden * factor), name="net")

    details = {c.path: c.details for c in diff(net(3, 2, True), net(5, 3, False)).changes}
    assert details["hidden"] == (
        "units: 3 -> 5",
        "output: (None, 3) float32 -> (None, 5) float32",
        "trainable: True -> False",
    )
    assert details["mul"] == ("kind: × 2 -> × 3", "output: (None, 3) float32 -> (None, 5) float32")
    assert "out" not in details


def test_values_of_weights_where_they_are_wanted():
    one = model(True)
    two = ramify.models.clone_model(one)
    two.set_weights(one.get_weights())
    assert not diff(one, two, weights=True)
    with torch.no_grad():
        two.get_layer("digit").bias += 0.5
    assert not diff(one, two)
    found = diff(one, two, weights=True)
    assert [(c.path, c.details) for c in found.changes] == [("digit", ("bias: values differ by up to 0.5",))]


def test_the_picture_shows_both(tmp_path):
    found = diff(model(False), model(True))
    path = found.save(tmp_path / "diff.svg")
    root = ET.fromstring(path.read_text())
    words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"drop", "norm", "more"} <= set(words)
    assert [words.count(sign) for sign in ("+", "−", "~")] == [2, 1, 2]
    assert diff(model(False), model(True)).svg == found.svg
    page = found.save(tmp_path / "diff.html").read_text()
    assert page.count('"diff":"added"') == 2
    assert found.save(tmp_path / "diff.pdf").read_bytes().startswith(b"%PDF")
    assert "<pre>" in found._repr_html_()


def test_a_whole_container_that_went():
    x = ramify.Input((32,), name="x")
    without = ramify.Model(x, layers.Dense(10, name="digit")(x), name="without")
    i = ramify.Input((32,))
    inner = ramify.Model(i, layers.Dense(32, name="inside")(i), name="encoder")
    y = ramify.Input((32,), name="x")
    found = diff(ramify.Model(y, layers.Dense(10, name="digit")(inner(y)), name="with"), without)
    assert [(c.state, c.path) for c in found.changes] == [("removed", "encoder"), ("changed", "digit")]
    assert "inside" in found.svg


@pytest.mark.parametrize("size", [3, 40])
def test_long_models_are_compared_by_their_runs(size, monkeypatch):
    monkeypatch.setattr("ramify.visualize.align._CELLS", 9)
    old = [Trait("Dense", f"d{k}", str(k * k % 11)) for k in range(size)]
    new = [*old[: size // 2], Trait("Dropout", "x", ""), *old[size // 2 + 1 :]]
    pairs = aligned(old, new)
    assert [(i, j) for i, j in pairs if i != size // 2] == [(k, k) for k in range(size) if k != size // 2]


traits = st.lists(st.builds(Trait, st.sampled_from("AB"), st.sampled_from("ab"), st.sampled_from("01")), max_size=7)


@given(traits, traits)
def test_alignments_rise_and_are_worth_as_much_as_any(a, b):
    pairs = aligned(a, b)
    assert all(i < p and j < q for (i, j), (p, q) in pairwise(pairs))
    assert all(score(a[i], b[j]) for i, j in pairs)

    def best(i, j):
        if i == len(a) or j == len(b):
            return 0
        return max(best(i + 1, j), best(i, j + 1), score(a[i], b[j]) + best(i + 1, j + 1))

    assert sum(score(a[i], b[j]) for i, j in pairs) == best(0, 0)
