"""What is in a picture: cards, ports, edges, shared layers, families and words."""

from __future__ import annotations

import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import NotBuiltError
from ramify.visualize.build import picture_of
from ramify.visualize.draw import draw
from ramify.visualize.families import family_of
from ramify.visualize.svg import svg
from ramify.visualize.words import config_line
from tests.visualize.models import dense, mlp_with_skip, nested, operations, several_results, siamese


def edges_of(level):
    return {(e.source.name or e.source.role, e.port, e.target.name or e.target.role, e.slot) for e in level.edges}


def test_one_card_per_call_and_shared_layers_are_linked_and_counted_once():
    picture = picture_of(siamese())
    calls = [card for card in picture.cards if card.name == "encoder"]
    assert [(card.share.letter, card.share.number, card.share.total) for card in calls] == [("A", 1, 2), ("A", 2, 2)]
    assert [card.params for card in calls] == [172, 0]
    assert sum(card.params for card in picture.cards) == picture.params == 177


def test_a_shared_model_in_containers_counts_once_too():
    picture = picture_of(siamese(), expand_nested=True)
    groups = [item for item in picture.walk() if item.role == "group"]
    assert [group.share.number for group in groups] == [1, 2]
    assert [[item.params for item in group.level.items if item.role == "layer"] for group in groups] == [
        [136, 36],
        [0, 0],
    ]
    assert not any(card.share for card in picture.cards)


def test_ports_of_containers_at_depth_three():
    item = picture_of(nested(3), expand_nested=True).top
    for depth in (2, 1, 0):
        group = next(one for one in item.items if one.role == "group")
        name = f"depth_{depth}"
        assert group.name == name
        edges = edges_of(item)
        sources = {slot: source for source, _, target, slot in edges if target == name}
        assert sources[0].startswith("dense")
        assert sources[1].startswith("multiply")
        assert {port for source, port, _, _ in edges if source == name} == {0, 1}
        item = group.level
        assert [e.source.role for e in item.edges if e.target.role == "exit"] == ["layer", "layer"]


def test_results_of_one_call_leave_at_their_ports():
    picture = picture_of(several_results())
    assert {(source, port, target) for source, port, target, _ in edges_of(picture.top)} == {
        ("x", 0, "lstm"),
        ("lstm", 0, "out"),
        ("lstm", 1, "concatenate"),
        ("lstm", 2, "concatenate"),
        ("concatenate", 0, "states"),
    }


def test_a_tensor_read_twice_is_one_edge():
    x = ramify.Input((4,))
    edge = picture_of(ramify.Model(x, layers.Add()([x, x]))).top.edges[0]
    assert edge.times == 2


def test_operations_say_what_they_do():
    kinds = [card.kind for card in picture_of(operations()).cards if card.role == "operation"]
    assert kinds == ["transpose(1, 2)", "@", "× 0.5", "softmax(-1)", "@", "1 −", "[:, 0]", "mean(-1)"]


def test_masks_are_not_drawn():
    x = ramify.Input((5,), dtype="int32", name="x")
    model = ramify.Model(x, layers.LSTM(3)(layers.Embedding(10, 4, mask_zero=True)(x)))
    assert [card.kind for card in picture_of(model).cards] == ["Input", "Embedding", "LSTM", "Output"]


def test_a_model_cut_from_the_middle_of_a_graph():
    whole = mlp_with_skip()
    middle = next(layer for layer in whole.layers if layer.name.startswith("add"))
    part = ramify.Model(middle.output, whole.output)
    assert [card.kind for card in picture_of(part).cards] == ["Input", "Dense", "Output"]


class Plain(ramify.Model):
    def __init__(self):
        super().__init__(name="plain")
        self.one, self.two = dense(), dense()

    def call(self, x):
        return self.two(self.one(x))


def test_a_subclassed_model_shows_its_layers():
    picture = picture_of(Plain())
    assert [card.kind for card in picture.cards] == ["Dense", "Dense"]
    assert "Python code" in svg(draw(picture))
    with pytest.raises(NotBuiltError, match="nothing to draw"):
        picture_of(ramify.Sequential())


def test_families_of_layers_modules_and_classes_of_ones_own():
    class Own(layers.Dense):
        pass

    class Free(layers.Layer):
        pass

    class Module(torch.nn.Module):
        pass

    made = {
        "dense": [layers.Dense(2), Own(2), torch.nn.Linear(2, 2), layers.TorchModuleWrapper(torch.nn.Linear(2, 2))],
        "conv": [layers.Conv2D(2, 3), torch.nn.Conv1d(2, 2, 1)],
        "merge": [layers.Concatenate()],
        "embedding": [layers.Embedding(3, 2)],
        "regular": [layers.Dropout(0.5)],
        "custom": [Free(), Module()],
        "model": [ramify.Sequential()],
    }
    assert {key: {family_of(layer).key for layer in found} for key, found in made.items()} == {k: {k} for k in made}


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"), "3×3, 64, /2, same"),
        (layers.Conv2DTranspose(8, (2, 4), strides=2), "2×4, 8, ×2"),
        (layers.Conv1D(8, 3, dilation_rate=4, padding="causal"), "3, 8, dilation 4, causal"),
        (layers.Dense(10, activation="relu"), "10"),
        (layers.Activation("relu"), "relu"),
        (layers.Dropout(0.25), "0.25"),
        (layers.Embedding(1000, 64), "1000 × 64"),
        (layers.LSTM(32, return_sequences=True), "32, sequences"),
        (layers.Concatenate(axis=1), "axis 1"),
        (layers.Concatenate(), ""),
    ],
)
def test_a_layer_in_a_few_words(layer, line):
    assert config_line(layer) == line
