"""LSTM, GRU, SimpleRNN against the real Keras on equal weights: outputs, states, gradients, masks, configs."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers import recurrent as R
from ramify.layers.core.embedding import Embedding

CLASSES = ["LSTM", "GRU", "SimpleRNN"]
OPTIONS = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "states": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True, "return_sequences": True, "return_state": True},
    "no_bias": {"use_bias": False, "return_state": True},
    "relu": {"activation": "relu", "return_sequences": True},
    "elu": {"activation": "elu", "return_sequences": True, "return_state": True},
    "zero_masked": {"zero_output_for_mask": True, "return_sequences": True, "return_state": True},
    "zero_masked_last": {"zero_output_for_mask": True},
}
EXTRA = [
    ("GRU", {"reset_after": False, "return_sequences": True}),
    ("GRU", {"reset_after": False, "use_bias": False}),
    ("GRU", {"recurrent_activation": "hard_sigmoid", "return_state": True}),
    ("LSTM", {"recurrent_activation": "hard_sigmoid", "return_state": True}),
    ("LSTM", {"unit_forget_bias": False, "unroll": True}),
]
CASES = [(name, options) for name in CLASSES for options in OPTIONS.values()] + EXTRA
MASKS = {
    "none": None,
    "right": np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]], bool),
    "any": np.array([[0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 1]], bool),
}


def _flat(value):
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]


def _close(ours, theirs, tolerance=1e-5):
    for a, b in zip(_flat(ours), _flat(theirs), strict=True):
        got, want = a.detach().numpy(), b.detach().numpy()
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def _pair(name, options, units=4, features=3):
    theirs = getattr(keras.layers, name)(units, **options)
    theirs.build((3, 6, features))
    ours = getattr(R, name)(units, **options)
    ours.build((3, 6, features))
    values = [np.random.randn(*w.shape).astype("float32") * 0.5 for w in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)
    return ours, theirs


def _gradients(layer, weights, x, states, **call):
    x = torch.tensor(x, requires_grad=True)
    states = None if states is None else [torch.tensor(s, requires_grad=True) for s in states]
    outputs = layer(x, initial_state=states, **call)
    loss = sum((leaf * torch.linspace(0.5, 1.5, leaf.numel()).reshape(leaf.shape)).sum() for leaf in _flat(outputs))
    return outputs, torch.autograd.grad(loss, [x, *(states or []), *weights], allow_unused=True)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda v: v if isinstance(v, str) else "-".join(v) or "plain")
def test_as_keras(name, options, mask):
    ours, theirs = _pair(name, options)
    x = np.random.randn(3, 6, 3).astype("float32")
    count = 2 if name == "LSTM" else 1
    states = [np.random.randn(3, 4).astype("float32") for _ in range(count)]
    for given in (None, states):
        m = None if MASKS[mask] is None else torch.tensor(MASKS[mask])
        got, grads = _gradients(ours, ours.weights, x, given, mask=m)
        want, expected = _gradients(theirs, [w.value for w in theirs.weights], x, given, mask=m)
        _close(got, want)
        for a, b in zip(grads, expected, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                _close(a, b, 1e-4)


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda v: v if isinstance(v, str) else "-".join(v) or "plain")
def test_symbolic_shapes_are_real_shapes_and_configs_are_keras_configs(name, options):
    layer = getattr(R, name)(4, **options)
    symbolic = _flat(layer(ramify.Input(shape=(None, 3))))
    real = _flat(layer(torch.randn(2, 7, 3)))
    for s, r in zip(symbolic, real, strict=True):
        want = [None, *r.shape[1:]]
        if r.ndim == 3:
            want[1] = None
        assert s.shape == tuple(want)
    fixed = _flat(getattr(R, name)(4, **options)(ramify.Input(batch_shape=(2, 7, 3))))
    assert [s.shape for s in fixed] == [tuple(r.shape) for r in real]
    config = layer.get_config()
    expected = getattr(keras.layers, name)(4, **options, name=layer.name).get_config()
    assert config == expected
    again = type(layer).from_config(config)
    assert again.get_config() == config
    again(torch.randn(2, 7, 3))
    again.set_weights(layer.get_weights())
    x = torch.randn(2, 7, 3)
    _close(again(x), layer(x), 1e-6)


def test_weights_have_keras_paths():
    layer = R.LSTM(4, name="memory")
    layer(torch.zeros(1, 2, 3))
    assert [w.path for w in layer.weights] == [
        "memory/lstm_cell/kernel",
        "memory/lstm_cell/recurrent_kernel",
        "memory/lstm_cell/bias",
    ]
    assert layer.weights[2].tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    assert layer.units == 4
    assert layer.state_size == [4, 4]


@pytest.mark.parametrize("name", CLASSES)
def test_stateful_layers_go_on_where_they_stopped(name):
    ours, theirs = _pair(name, {"stateful": True, "return_sequences": True})
    for _ in range(3):
        x = np.random.randn(3, 6, 3).astype("float32")
        _close(ours(torch.tensor(x)), theirs(x))
    _close(ours.states, [s.value for s in theirs.states])
    ours.reset_state()
    theirs.reset_state()
    _close(ours(torch.tensor(x)), theirs(x))
    assert len(ours.weights) == 3
    with pytest.raises(ShapeError, match="batches of one size"):
        ours(torch.randn(2, 6, 3))


def test_a_stateful_layer_needs_the_batch_size():
    with pytest.raises(ShapeError, match="batch_size=32"):
        R.LSTM(4, stateful=True)(ramify.Input(shape=(5, 3)))
    layer = R.LSTM(4, stateful=True)
    layer(ramify.Input(batch_shape=(2, 5, 3)))
    assert all(bool((s == 0).all()) for s in layer.states)


@pytest.mark.parametrize("name", CLASSES)
def test_inputs_are_dropped_equally_at_all_steps(name):
    layer = getattr(R, name)(4, dropout=0.5, seed=3)
    x = torch.ones(64, 5, 8)
    layer(x)
    seen = []
    fused = layer.cell.fused
    layer.cell.fused = lambda inputs, *rest: (seen.append(inputs), fused(inputs, *rest))[1]
    layer(x, training=True)
    (dropped,) = seen
    assert bool((dropped == dropped[:, :1]).all())
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert 0.4 < (dropped == 0).float().mean() < 0.6
    layer(x, training=False)
    assert bool((seen[1] == 1).all())


@pytest.mark.parametrize("name", CLASSES)
def test_the_state_is_dropped_where_it_enters_the_product(name):
    layer = getattr(R, name)(4, recurrent_dropout=1.0, return_sequences=True)
    x = torch.randn(2, 5, 3)
    layer(x)
    without = type(layer).from_config({**layer.get_config(), "recurrent_dropout": 0.0})
    without.build((2, 5, 3))
    without.set_weights(layer.get_weights())
    _close(layer(x, training=False), without(x))
    with torch.no_grad():
        without.cell.recurrent_kernel.zero_()
    _close(layer(x, training=True), without(x))


@pytest.mark.parametrize("name", CLASSES)
def test_a_seed_makes_drops_repeatable(name):
    layers = [getattr(R, name)(4, dropout=0.3, recurrent_dropout=0.3, seed=7) for _ in range(2)]
    x = torch.randn(2, 5, 3)
    for layer in layers:
        layer(x)
        layer.set_weights(layers[0].get_weights())
    first, second = (layer(x, training=True) for layer in layers)
    _close(first, second)
    assert not torch.allclose(layers[0](x, training=True), first)


def test_masks_travel_through_an_embedding():
    ids = torch.tensor([[1, 2, 0, 0], [3, 1, 2, 0]])
    inputs = ramify.Input(shape=(None,), dtype="int32")
    embedding = Embedding(5, 3, mask_zero=True)
    lstm = R.LSTM(4)
    model = ramify.Model(inputs, lstm(embedding(inputs)))
    _close(model(ids)[:1], lstm(embedding.embeddings[ids[:1, :2]]), 1e-6)
    _close(lstm(embedding(ids)), model(ids), 1e-6)
    sequence = R.GRU(4, return_sequences=True)(embedding(inputs))
    assert sequence.mask is not None
    assert R.GRU(4)(embedding(inputs)).mask is None


@pytest.mark.parametrize("name", CLASSES)
def test_bad_input_is_told(name):
    cls = getattr(R, name)
    with pytest.raises(ShapeError, match="takes inputs with 3 axes"):
        cls(4)(ramify.Input(shape=(5,)))
    with pytest.raises(ShapeError, match="takes inputs with 3 axes"):
        cls(4)(torch.zeros(2, 5))
    with pytest.raises(ArgumentError, match="positive whole number of units"):
        cls(0)
    with pytest.raises(ShapeError, match="size of its input's last axis"):
        cls(4)(ramify.Input(shape=(5, None)))
    with pytest.raises(ShapeError, match="one tensor for each"):
        cls(4)(torch.zeros(2, 5, 3), initial_state=[torch.zeros(2, 4)] * 3)
    with pytest.raises(ShapeError, match="of that shape"):
        cls(4)(torch.zeros(2, 5, 3), initial_state=[torch.zeros(2, 7)] * (2 if name == "LSTM" else 1))


@pytest.mark.parametrize(("name", "policy"), list(itertools.product(CLASSES, ["mixed_bfloat16", "float64"])))
def test_policies(name, policy):
    layer = getattr(R, name)(4, dtype=policy, return_state=True)
    outputs = layer(torch.randn(2, 5, 3), mask=torch.tensor([[True] * 3 + [False] * 2] * 2))
    assert {str(o.dtype) for o in outputs} == {"torch.bfloat16" if policy.startswith("mixed") else "torch.float64"}
    sum(o.sum() for o in outputs).backward()
    assert all(w.grad.dtype is w.dtype for w in layer.weights)


@pytest.mark.parametrize("name", CLASSES)
def test_a_thousand_steps_are_inferred_at_once(name, monkeypatch):
    layer = getattr(R, name)(4)
    layer.build((None, 1000, 3))
    monkeypatch.setattr(layer.cell, "fused", None)
    monkeypatch.setattr(layer.cell, "step", None)
    assert layer(ramify.Input(shape=(1000, 3))).shape == (None, 4)


@pytest.mark.parametrize("cell", [R.GRUCell, R.LSTMCell, R.SimpleRNNCell])
def test_a_cell_keeps_the_dtype_policy_that_it_was_made_with(cell):
    sequences, full = torch.randn(2, 5, 3), R.RNN(cell(4))
    mixed = R.RNN(cell(4), dtype="mixed_bfloat16")
    want = full(sequences)
    mixed(sequences)
    mixed.set_weights(full.get_weights())
    torch.testing.assert_close(mixed(sequences).float(), want, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("backwards", [False, True])
def test_the_inner_loop_gives_the_last_output_all_outputs_and_the_states(backwards):
    layer = ramify.layers.LSTM(3, go_backwards=backwards, return_sequences=True, return_state=True)
    x, mask = torch.randn(2, 5, 4), torch.tensor([[True] * 5, [True, True, False, False, False]])
    outputs, h, c = layer(x, mask=mask)
    last, every, states = layer.inner_loop(x, [torch.zeros(2, 3)] * 2, mask)
    _close(every, outputs)
    _close(last, outputs[:, -1])
    _close(states[0], h)
    _close(states[1], c)
