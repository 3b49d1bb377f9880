"""What calls are measured to cost: which there are, that they add up, and that the model is left as it was."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.visualize import profile


def model_with_shared_encoder():
    x, i = ramify.Input((8,), name="x"), ramify.Input((8,))
    hidden = layers.Dropout(0.5, name="drop")(layers.Dense(6, activation="relu", name="first")(i))
    encoder = ramify.Model(i, layers.Dense(4, name="second")(hidden), name="encoder")
    both = layers.Concatenate(name="both")([encoder(x), encoder(x * 2)])
    return ramify.Model(x, layers.BatchNormalization(name="norm")(both), name="two")


class Plain(ramify.Model):
    def __init__(self):
        super().__init__(name="plain")
        self.one, self.two = layers.Dense(3, name="one"), layers.Dense(2, name="two")

    def call(self, x):
        return self.two(torch.relu(self.one(x)))


X = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")


def test_every_call_is_measured_in_order():
    found = profile(model_with_shared_encoder(), X, runs=1)
    inside = ["encoder.first", "encoder.drop", "encoder.second"]
    names = [f"{cost.group}.{cost.name}" if cost.group else cost.name for cost in found.costs]
    assert names == [*inside, "mul", *inside, "both", "norm"]
    assert found.batch_size == 16
    assert all(cost.forward > 0 for cost in found.costs)
    assert all((cost.backward > 0) == (cost.name != "mul") for cost in found.costs)  # nothing leads back through `mul`


def test_numbers_add_up():
    found = profile(model_with_shared_encoder(), X, runs=2)
    assert found.total("time") == pytest.approx(found.total("forward") + found.total("backward"))
    assert sum(found.by_layer("output").values()) == found.total("output") == 4 * 16 * (2 * (6 + 6 + 4) + 8 + 8 + 8)
    assert list(found.by_layer("time").values()) == sorted(found.by_layer("time").values(), reverse=True)


def test_what_is_kept_is_what_autograd_saves():
    x = ramify.Input((8,), name="x")
    model = ramify.Model(
        x, layers.Dense(4, name="b")(layers.Activation("tanh", name="t")(layers.Dense(6, name="a")(x)))
    )
    kept = {cost.name: cost.kept for cost in profile(model, X, runs=1).costs}
    assert kept == {"a": 16 * 8 * 4, "t": 16 * 6 * 4, "b": 0}  # the input; the result of tanh, which b reads, too


def test_the_cut_way_back_has_the_gradients_of_the_whole(monkeypatch):
    model = model_with_shared_encoder()
    found = {}
    real = torch.autograd.grad

    def watched(outputs, inputs, *args, **kwargs):
        gradients = real(outputs, inputs, *args, **kwargs)
        for one, gradient in zip(inputs, gradients, strict=True):
            if isinstance(one, torch.nn.Parameter):
                found[id(one)] = found.get(id(one), 0) + gradient
        return gradients

    monkeypatch.setattr(torch.autograd, "grad", watched)
    profile(model, X, training=False, runs=1)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    whole = real(model(X, training=False).sum(), weights)
    for weight, gradient in zip(weights, whole, strict=True):
        torch.testing.assert_close(found[id(weight)] / 2, gradient)  # one run to warm up, one that counts


def test_nothing_is_left_behind():
    model = model_with_shared_encoder()
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    profile(model, X)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(weight.grad is None for weight in model.parameters())


def test_forward_alone():
    found = profile(model_with_shared_encoder(), X, backward=False, runs=1)
    assert found.total("backward") == found.total("kept") == 0
    assert "Backward" not in str(found)
    assert "Backward" not in found._repr_html_()


def test_a_model_without_a_graph():
    model = Plain()
    model(X)
    found = profile(model, X, runs=1)
    assert [cost.name for cost in found.costs] == ["one", "two"]
    assert found.costs[1].backward > 0
    assert not any(layer._forward_hooks for layer in model.layers)


def test_the_table_fits_and_can_be_sorted():
    found = profile(model_with_shared_encoder(), X, runs=1)
    assert max(map(len, str(found).splitlines())) <= 80
    lines = found.text(by="output", most=2).splitlines()
    assert "2 of 9 calls" in "\n".join(lines)
    with pytest.raises(ArgumentError, match="Use one of calls, time"):
        found.text(by="size")
    with pytest.raises(ArgumentError, match="at least once"):
        profile(found.model, X, runs=0)
    with pytest.raises(ArgumentError, match="no number of a profile"):
        found.total("speed")


def test_containers_and_folds_hold_all_that_is_in_them():
    x = start = ramify.Input((8,), name="x")
    for k in range(6):
        x = layers.Dense(8, name=f"up_{k}")(layers.ReLU(name=f"act_{k}")(layers.Dense(8, name=f"down_{k}")(x)))
    model = ramify.Model(start, x, name="repeats")
    found = profile(model, X, runs=1)
    picture, values = found.picture()
    folds = [item for item in picture.walk() if item.role == "fold"]
    assert folds
    top = sum(values[item.index]["output"] for item in picture.top.items if item.index in values)
    assert top == found.total("output")
    picture, values = profile(model_with_shared_encoder(), X, runs=1).picture()
    groups = [item for item in picture.walk() if item.role == "group"]
    assert [values[item.index]["output"] for item in groups] == [4 * 16 * 16] * 2


def test_the_explorer_gets_the_numbers(tmp_path):
    page = profile(model_with_shared_encoder(), X, runs=1).explore(tmp_path / "times.html")
    assert page.path.read_text() == page.html
    assert '"key":"backward"' in page.html


def test_several_inputs_and_results():
    a, b = ramify.Input((5, 4), name="a"), ramify.Input((4,), name="b")
    out, state, cell = layers.LSTM(4, return_state=True, name="lstm")(a)
    model = ramify.Model({"a": a, "b": b}, {"sum": layers.Add()([out, b]), "state": state, "cell": cell})
    fed = {"a": np.ones((3, 5, 4), "float32"), "b": np.ones((3, 4), "float32")}
    found = profile(model, fed, runs=1)
    assert {cost.name for cost in found.costs} == {"lstm", "add"}
