"""Each pass gives what the layers give, on random models; and fires where it is meant to."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.graph.structure import flatten
from ramify.passes import PASSES, Plan, record, rewrite
from ramify.passes.packing import convolve_onto
from tests.passes.graphs import Tower, example

SETS = [[name] for name in PASSES] + [list(PASSES), []]


def check(seed: int, names: list[str], batch: int) -> None:
    """A program with these passes gives what the layers give; with those that only leave out work, to the bit."""
    model = Tower(seed).model()
    data = example(model, batch)
    kept = [one.clone() for one in data]
    with torch.no_grad():
        wanted = flatten(model.lowered(*data))
        program, outputs = record(model.lowered, tuple(data))
        rewrite(program, names)
        plan = Plan(program)
        found = [flatten(plan.run(*data)) for _ in range(2)]  # nothing is used up in the first run
    exact = set(names) <= {"dead_branches", "common_subexpressions", "reuse"}
    for one, other in zip(flatten(outputs), wanted, strict=True):
        assert torch.equal(one, other)
    for run in found:
        for one, other in zip(run, wanted, strict=True):
            assert one.shape == other.shape
            if exact:
                assert torch.equal(one, other)
            else:
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * max(1.0, float(other.abs().max())))
    for one, other in zip(data, kept, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("names", SETS, ids=lambda names: "+".join(names) if len(names) < 3 else "all")
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**31), batch=st.integers(1, 3))
def test_passes_keep_what_a_model_computes(names, seed, batch):
    check(seed, names, batch)


@pytest.mark.slow
@pytest.mark.parametrize("names", SETS, ids=lambda names: "+".join(names) if len(names) < 3 else "all")
@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 2**31), batch=st.integers(1, 3))
def test_passes_keep_what_500_models_compute(names, seed, batch):
    check(seed, names, batch)


# ---- each fires ----


def fired(model, data, names):
    with torch.no_grad():
        program, _ = record(model.lowered, tuple(data))
        rewrite(program, names)
    return program


def image_model(*steps):
    x = y = ramify.Input((8, 8, 3))
    for step in steps:
        y = step(y)
    return ramify.Model(x, y)


def count(program, *targets):
    return sum(node.op == "call_function" and node.target in targets for node in program.nodes)


def test_common_subexpressions_are_computed_once():
    x = ramify.Input((4,))
    model = ramify.Model(x, torch.exp(x) * torch.exp(x))
    assert count(fired(model, [torch.ones(1, 4)], ["common_subexpressions"]), torch.exp) == 1


def test_dead_branches_are_not_computed():
    program = fired(lstm_model(), [torch.ones(1, 6, 3)], ["dead_branches"])
    assert "dead_branches" in dict(program.fired)
    assert all(node.users or node.op in ("output", "placeholder") for node in program.nodes)


def lstm_model():
    x = ramify.Input((6, 3))
    return ramify.Model(x, layers.LSTM(4)(x))


def test_turns_between_image_layers_cancel():
    model = image_model(layers.Conv2D(4, 3), layers.ReLU(), layers.BatchNormalization(), layers.Conv2D(4, 3, 2, "same"))
    program = fired(model, [torch.randn(2, 8, 8, 3)], ["layout"])
    assert count(program, torch.permute) - count_kernels(program) == 2  # at the entrance and at the exit


def count_kernels(program):
    return sum(one.target is torch.permute and one.args[0].op == "get_attr" for one in program.nodes)


def test_batch_normalization_folds_into_the_layer_before():
    model = image_model(
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dense(3),
        layers.BatchNormalization(),
    )
    program = fired(model, [torch.randn(2, 8, 8, 3)], ["layout", "batch_norm"])
    assert count(program, torch.batch_norm) == 0
    assert len([name for name, _ in program.fired if name == "batch_norm"]) == 2


def test_batch_normalization_stays_where_something_else_reads_the_convolution():
    x = ramify.Input((8, 8, 3))
    y = layers.Conv2D(4, 3)(x)
    model = ramify.Model(x, [y, layers.BatchNormalization()(y)])
    assert count(fired(model, [torch.randn(2, 8, 8, 3)], ["layout", "batch_norm"]), torch.batch_norm) == 1


def test_siblings_run_as_one():
    x = ramify.Input((5, 8))
    model = ramify.Model(x, layers.MultiHeadAttention(2, 4)(x, x))
    program = fired(model, [torch.randn(2, 5, 8)], ["siblings"])
    assert count(program, torch.nn.functional.linear) == 2  # one for queries, keys and values, one for the output


def test_twins_run_once():
    inner = ramify.Input((4,))
    tower = ramify.Model(inner, layers.Dense(3)(layers.Dense(8, activation="relu")(inner)))
    a, b = ramify.Input((4,)), ramify.Input((4,))
    model = ramify.Model([a, b], tower(a) - tower(b))
    program = fired(model, [torch.randn(2, 4), torch.randn(2, 4)], ["twins"])
    assert count(program, torch.addmm) == 2


def test_twins_do_not_wait_for_one_another():
    x = ramify.Input((4,))
    layer = layers.Dense(4)
    model = ramify.Model(x, layer(layer(x)))
    assert fired(model, [torch.randn(2, 4)], ["twins"]).fired == []


def test_activations_join_the_kernel_of_the_convolution():
    model = image_model(layers.Conv2D(4, 3, activation="relu"))
    program = fired(model, [torch.randn(4, 8, 8, 3)], ["layout", "activations"])
    if torch.backends.mkldnn.is_available():
        assert count(program, torch.relu) == 0


def residual(shortcut, activation=None):
    """Two convolutions whose results are added; `shortcut` makes the other part of the sum."""
    x = ramify.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = layers.Add()([layers.Conv2D(4, 3, padding="same")(layers.Conv2D(4, 3, padding="same")(y)), shortcut(x, y)])
    return ramify.Model(x, z if activation is None else layers.Activation(activation)(z))


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="oneDNN makes the sums")
@pytest.mark.parametrize("activation", [None, "relu", "sigmoid"])
@pytest.mark.parametrize("shortcut", [lambda _, y: y, lambda x, _: layers.Conv2D(4, 1)(x)], ids=["same", "projected"])
def test_residual_sums_are_made_in_the_kernel_of_a_convolution(shortcut, activation):
    model, data = residual(shortcut, activation), torch.randn(4, 8, 8, 4)
    program = fired(model, [data], list(PASSES))
    assert count(program, convolve_onto) == 1
    assert count(program, torch.add, torch.Tensor.add_, torch.relu, torch.relu_) == 0
    assert count(program, torch.sigmoid_) == (activation == "sigmoid")
    with torch.no_grad():
        wanted, plan = model.lowered(data), Plan(program)
        for _ in range(2):
            torch.testing.assert_close(plan.run(data), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="oneDNN makes the sums")
def test_sums_keep_away_from_what_is_read_again():
    x = ramify.Input((8, 8, 4))

    def conv(y):
        return layers.Conv2D(4, 3, padding="same")(y)

    y = conv(x)
    inner = layers.Add()([conv(y), y])  # the convolution reads what it would write to
    again = layers.ReLU()(conv(x))
    model = ramify.Model(x, [inner, layers.Add()([conv(conv(again)), again]), again])  # `again` is an output too
    data = torch.randn(2, 8, 8, 4)
    program = fired(model, [data], [*PASSES])
    assert count(program, convolve_onto) == 0
    for one, other in zip(Plan(program).run(data), model.lowered(data), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_sums_are_written_over_what_they_read():
    x = ramify.Input((4,))
    y = layers.Dense(4)(x)
    model = ramify.Model(x, torch.relu(y + layers.Dense(4)(x)))
    program = fired(model, [torch.randn(2, 4)], ["reuse"])
    assert count(program, torch.add, torch.relu) == 0


def test_what_a_layer_of_the_user_was_given_is_not_written_over():
    class Keeper(ramify.Layer):
        def call(self, x):
            self.__dict__["seen"] = x
            return x * 1.0

    keeper = Keeper()
    x = ramify.Input((4,))
    y = layers.Dense(4)(x)
    model = ramify.Model(x, [keeper(y), torch.relu(y)])
    data = torch.randn(2, 4)
    with torch.no_grad():
        for _ in range(4):
            model(data)
            assert torch.equal(keeper.__dict__["seen"], model.layers[1](data))


def test_an_unknown_pass_is_refused():
    with pytest.raises(ArgumentError, match="twinz"):
        lstm_model().passes = ["twinz"]
