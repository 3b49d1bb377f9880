"""Folding repeated blocks: which blocks fold, what they count, and where the edges around them go."""

from __future__ import annotations

import pytest

import ramify
from ramify import layers
from ramify.visualize import plot_model
from ramify.visualize.build import picture_of
from ramify.visualize.fold import folded
from tests.visualize.architectures import ARCHITECTURES, chain


def folds_of(picture):
    return [item for item in picture.walk() if item.role == "fold"]


def word(item):
    return {"entry": ">", "exit": "<", "fold": "fold"}.get(item.role, item.name or item.role)


def edges_of(level):
    return {(word(e.source), e.port, word(e.target), e.slot) for e in level.edges}


def block(x, name):
    y = layers.Dense(8, activation="relu", name=f"{name}_up")(x)
    y = layers.Dense(4, name=f"{name}_down")(y)
    return layers.Add(name=f"{name}_add")([x, y])


def test_blocks_in_a_row_become_one_that_counts_them():
    x = start = ramify.Input((4,), name="x")
    for i in range(5):
        x = block(x, f"b{i}")
    model = ramify.Model(start, layers.Dense(1, name="head")(x))
    before = picture_of(model)
    picture = folded(picture_of(model))
    (fold,) = folds_of(picture)
    assert fold.repeat.count == 5
    assert fold.repeat.alike
    assert edges_of(picture.top) == {("x", 0, "fold", 0), ("fold", 0, "head", 0), ("head", 0, "output", 0)}
    assert edges_of(fold.level) == {
        (">", 0, "b0_up", 0),
        ("b0_up", 0, "b0_down", 0),
        (">", 0, "b0_add", 0),
        ("b0_down", 0, "b0_add", 0),
        ("b0_add", 0, "<", 0),
    }
    up = next(item for item in fold.level.items if item.name == "b0_up")
    assert [twin.name for twin in up.twins] == ["b1_up", "b2_up", "b3_up", "b4_up"]
    inside = [item for item in fold.level.items if item.role == "layer"]
    assert fold.params == sum(one.params for item in inside for one in (item, *item.twins)) == 5 * (40 + 36)
    assert fold.flops == 5 * 2 * (4 * 8 + 8 * 4)
    assert fold.memory == sum(item.memory for item in before.cards if item.name.startswith("b"))
    assert (picture.params, picture.flops) == (before.params, before.flops)


def test_connections_that_skip_over_a_fold_stay_outside_it():
    x = start = ramify.Input((4,), name="x")
    first = x = layers.Dense(4, name="first")(x)
    for i in range(4):
        x = block(x, f"b{i}")
    x = layers.Concatenate(name="join")([first, x, start])
    picture = folded(picture_of(ramify.Model(start, x)))
    assert edges_of(picture.top) == {
        ("x", 0, "first", 0),
        ("first", 0, "fold", 0),
        ("first", 0, "join", 0),
        ("fold", 0, "join", 0),
        ("x", 0, "join", 0),
        ("join", 0, "output", 0),
    }


def test_what_every_block_reads_comes_in_at_an_entry_of_its_own():
    a, memory = ramify.Input((4,), name="a"), ramify.Input((4,), name="memory")
    x = a
    for i in range(4):
        y = layers.Multiply(name=f"m{i}")([x, memory])
        x = layers.Add(name=f"add{i}")([x, layers.Dense(4, name=f"d{i}")(y)])
    picture = folded(picture_of(ramify.Model([a, memory], x)))
    (fold,) = folds_of(picture)
    assert fold.repeat.count == 4
    assert edges_of(picture.top) == {("a", 0, "fold", 0), ("memory", 0, "fold", 1), ("fold", 0, "output", 0)}
    entries = {e.target.name: e.source for e in fold.level.edges if e.source.role == "entry"}
    assert entries["m0"].name == "memory"


def test_two_tensors_pass_from_block_to_block():
    a, b = ramify.Input((4,), name="a"), ramify.Input((4,), name="b")
    x, y = a, b
    for i in range(4):
        x, y = layers.Add(name=f"add{i}")([x, y]), layers.Dense(4, name=f"d{i}")(x)
    picture = folded(picture_of(ramify.Model([a, b], [x, y])))
    (fold,) = folds_of(picture)
    assert fold.repeat.count == 4
    assert len(fold.level.entries) == len(fold.level.exits) == 2
    assert {(e.source.name, e.slot) for e in picture.top.edges if e.target is fold} == {("a", 0), ("b", 1)}
    assert {e.port for e in picture.top.edges if e.source is fold} == {0, 1}


def test_what_others_read_from_the_middle_is_not_folded_away():
    x = start = ramify.Input((4,), name="x")
    taps = []
    for i in range(4):
        x = block(x, f"b{i}")
        taps.append(x)
    picture = folded(picture_of(ramify.Model(start, layers.Concatenate(name="taps")(taps))))
    assert folds_of(picture) == []
    assert len(picture.cards) == 4 * 3 + 3


def test_shared_layers_are_no_blocks_of_their_own():
    shared = layers.Dense(4, name="shared")
    x = start = ramify.Input((4,), name="x")
    for _ in range(8):
        x = shared(x)
    assert folds_of(folded(picture_of(ramify.Model(start, x)))) == []


def test_layers_that_were_told_other_things_do_not_fold():
    x = start = ramify.Input((4,), name="x")
    for i in range(8):
        x = layers.Dense(4, activation="relu" if i % 3 else "tanh", name=f"d{i}")(x)
    assert all(fold.repeat.count == 2 for fold in folds_of(folded(picture_of(ramify.Model(start, x)))))


def test_shapes_that_grow_fold_and_say_so():
    picture = folded(picture_of(ARCHITECTURES["densenet121"]()))
    assert [(fold.repeat.count, fold.repeat.alike) for fold in folds_of(picture)] == [
        (6, False),
        (12, False),
        (24, False),
        (16, False),
    ]
    assert len(picture.cards) < 60


def test_known_architectures_fold_at_their_blocks():
    counts = [
        (f.repeat.count, f.level.items[1].name) for f in folds_of(folded(picture_of(ARCHITECTURES["resnet50"]())))
    ]
    assert counts == [
        (2, "conv2_block2_1_conv"),
        (3, "conv3_block2_1_conv"),
        (5, "conv4_block2_1_conv"),
        (2, "conv5_block2_1_conv"),
    ]
    (fold,) = folds_of(folded(picture_of(ARCHITECTURES["transformer"]())))
    assert (fold.repeat.count, len(fold.level.entries), len(fold.level.exits)) == (12, 1, 1)


def test_models_in_a_row_fold_with_what_is_in_them():
    def inner(i):
        x = ramify.Input((4,))
        return ramify.Model(x, block(x, "inside"), name=f"inner{i}")

    x = start = ramify.Input((4,), name="x")
    for i in range(6):
        x = inner(i)(x)
    picture = folded(picture_of(ramify.Model(start, x), expand_nested=True))
    (fold,) = folds_of(picture)
    group = fold.level.items[1]
    assert (fold.repeat.count, group.role) == (6, "group")
    up = next(item for item in group.level.items if item.name == "inside_up")
    assert len(up.twins) == 5
    assert fold.params == up.params + sum(t.params for t in up.twins) + 6 * 36


def test_folds_within_folds():
    x = start = ramify.Input((4,), name="x")
    for i in range(3):
        for j in range(4):
            x = block(x, f"b{i}{j}")
        x = layers.Activation("tanh", name=f"t{i}")(x)
    picture = folded(picture_of(ramify.Model(start, x)))
    outer, within = folds_of(picture)
    assert (outer.repeat.count, within.repeat.count) == (3, 4)
    up = next(item for item in within.level.items if item.name == "b00_up")
    assert len(up.twins) == 11
    assert outer.params == 12 * (40 + 36)


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_deep_model_becomes_a_handful_of_cards(count):
    model = chain(count)
    picture = folded(picture_of(model))
    (fold,) = folds_of(picture)
    assert (fold.repeat.count, len(picture.cards)) == (count // 2, 4)
    assert fold.params == model.count_params()


def test_plot_model_folds_large_pictures_unless_told_otherwise():
    model = ARCHITECTURES["transformer"]()
    assert folds_of(plot_model(model, to_file=None).picture)
    assert not folds_of(plot_model(model, to_file=None, fold=False).picture)
    small = ramify.Sequential([ramify.Input((4,)), *[layers.Dense(4) for _ in range(9)]])
    assert not folds_of(plot_model(small, to_file=None).picture)
    drawing = plot_model(small, to_file=None, fold=True)
    assert "× 9" in drawing.svg


@pytest.mark.parametrize("least", [4, 40])
def test_only_folds_that_save_enough(least):
    x = start = ramify.Input((4,), name="x")
    for i in range(5):
        x = block(x, f"b{i}")
    assert len(folds_of(folded(picture_of(ramify.Model(start, x)), least))) == (least == 4)
