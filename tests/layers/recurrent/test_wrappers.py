"""RNN over other cells, stacks of cells, Bidirectional and TimeDistributed, against the real Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers import recurrent as R
from ramify.layers.core.dense import Dense

MASK = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]).bool()


def _flat(value):
    return [leaf for item in value for leaf in _flat(item)] if isinstance(value, (list, tuple)) else [value]


def _close(ours, theirs, tolerance=1e-5):
    for a, b in zip(_flat(ours), _flat(theirs), strict=True):
        got, want = a.detach().numpy(), b.detach().numpy()
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def _equal_weights(ours, theirs):
    assert [w.path.split("/")[-1] for w in ours.weights] == [w.path.split("/")[-1] for w in theirs.weights]
    values = [np.random.randn(*w.shape).astype("float32") * 0.5 for w in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)


def _compare(ours, theirs, x, mask=None, **call):
    theirs(x)
    ours(torch.tensor(x))
    _equal_weights(ours, theirs)
    results = []
    for layer, weights in ((ours, ours.weights), (theirs, [w.value for w in theirs.weights])):
        given = torch.tensor(x, requires_grad=True)
        out = layer(given, mask=mask, **call)
        loss = sum((o * torch.linspace(0.5, 1.5, o.numel()).reshape(o.shape)).sum() for o in _flat(out))
        results.append((out, torch.autograd.grad(loss, [given, *weights], allow_unused=True)))
    (got, grads), (want, expected) = results
    _close(got, want)
    for a, b in zip(grads, expected, strict=True):
        if a is not None:
            _close(a, b, 1e-4)
    return got


def _unnamed(config):
    if isinstance(config, dict):
        return {k: _unnamed(v) for k, v in config.items() if k not in ("name", "build_config")}
    return [_unnamed(v) for v in config] if isinstance(config, (list, tuple)) else config


CELLS = {
    "lstm": lambda m: m.LSTMCell(4),
    "gru": lambda m: m.GRUCell(4, reset_after=False),
    "simple": lambda m: m.SimpleRNNCell(4, activation="elu"),
    "stack": lambda m: [m.LSTMCell(4), m.GRUCell(3), m.SimpleRNNCell(5)],
    "stack_of_stacks": lambda m: m.StackedRNNCells([m.StackedRNNCells([m.GRUCell(2), m.LSTMCell(3)]), m.GRUCell(4)]),
}


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "masked"])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True, "return_state": True, "go_backwards": True}])
@pytest.mark.parametrize("cell", [name for name in CELLS if name != "stack_of_stacks"])
def test_rnn_over_cells(cell, options, mask):
    x = np.random.randn(3, 6, 5).astype("float32")
    ours, theirs = R.RNN(CELLS[cell](R), **options), keras.layers.RNN(CELLS[cell](keras.layers), **options)
    got = _compare(ours, theirs, x, mask)
    assert _unnamed(ours.get_config()) == _unnamed(theirs.get_config())
    again = R.RNN.from_config(ours.get_config())
    again(torch.tensor(x))
    again.set_weights(ours.get_weights())
    _close(again(torch.tensor(x), mask=mask), got)
    symbolic = again(ramify.Input(shape=(None, 5)))
    for s, r in zip(_flat(symbolic), _flat(got), strict=True):
        assert s.shape[-1] == r.shape[-1]
        assert len(s.shape) == r.ndim


def test_stacks_may_be_nested():
    layer = R.RNN(CELLS["stack_of_stacks"](R), return_state=True)
    x = torch.randn(3, 6, 5)
    output, first, second = layer(x)
    assert output.shape == (3, 4)
    assert [s.shape for s in _flat(first)] == [(3, 2), (3, 3), (3, 3)]
    states = layer.get_initial_state(3)
    for t in range(6):
        out, states = layer.cell(x[:, t], states)
    _close(output, out)
    _close([first, second], states)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
def test_a_cell_alone(cell):
    ours, theirs = CELLS[cell](R), CELLS[cell](keras.layers)
    x = np.random.randn(2, 3).astype("float32")
    states = [np.random.randn(2, 4).astype("float32")] * (1 + (cell == "lstm"))
    theirs(x, states)
    ours(torch.tensor(x), [torch.tensor(s) for s in states])
    _equal_weights(ours, theirs)
    _close(ours(torch.tensor(x), [torch.tensor(s) for s in states]), theirs(x, states))
    assert ours.state_size == theirs.state_size
    assert ours.output_size == theirs.output_size
    assert _unnamed(ours.get_config()) == _unnamed(theirs.get_config())
    _close(ours.get_initial_state(2), theirs.get_initial_state(2))


class _OurSum(ramify.Layer):
    state_size = 4

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 4), name="kernel")

    def call(self, inputs, states):
        total = states[0] * 0.5 + inputs @ self.kernel
        return total * 2, [total]


class _KerasSum(keras.layers.Layer):
    state_size = 4

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], 4), name="kernel")

    def call(self, inputs, states):
        total = states[0] * 0.5 + inputs @ self.kernel.value
        return total * 2, [total]


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "masked"])
@pytest.mark.parametrize("zero", [False, True])
def test_a_cell_of_ones_own(mask, zero):
    options = {"return_sequences": True, "return_state": True, "zero_output_for_mask": zero}
    x = np.random.randn(3, 6, 5).astype("float32")
    _compare(R.RNN(_OurSum(), **options), keras.layers.RNN(_KerasSum(), **options), x, mask)


def test_a_subclass_of_a_cell_runs_its_own_call():
    class Doubled(R.GRUCell):
        def call(self, inputs, states, training=False):
            output, new = super().call(inputs, states, training)
            return output * 2, new

    layer = R.RNN(Doubled(3))
    x = torch.randn(2, 4, 5)
    layer(x)
    plain = R.GRU(3)
    plain(x)
    plain.set_weights(layer.get_weights())
    _close(layer(x), 2 * plain(x))


def test_what_is_no_cell_is_told():
    with pytest.raises(ArgumentError, match="cannot be called"):
        R.RNN(3)
    with pytest.raises(ArgumentError, match="state_size"):
        R.RNN(Dense(3))


BIDIRECTIONAL = [
    {},
    {"merge_mode": "sum"},
    {"merge_mode": "mul"},
    {"merge_mode": "ave"},
    {"merge_mode": None},
]


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "masked"])
@pytest.mark.parametrize("inner", [{}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}])
@pytest.mark.parametrize("options", BIDIRECTIONAL)
def test_bidirectional(options, inner, mask):
    x = np.random.randn(3, 6, 5).astype("float32")
    ours, theirs = (m.Bidirectional(m.LSTM(4, name="lstm", **inner), name="b", **options) for m in (R, keras.layers))
    got = _compare(ours, theirs, x, mask)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert ours.get_config() == theirs.get_config()
    again = R.Bidirectional.from_config(ours.get_config())
    assert _unnamed(again.get_config()) == _unnamed(ours.get_config())
    symbolic = again(ramify.Input(shape=(6, 5)))
    assert [s.shape[1:] for s in _flat(symbolic)] == [tuple(r.shape[1:]) for r in _flat(got)]


def test_bidirectional_states_and_layers_of_ones_own():
    x = np.random.randn(3, 6, 5).astype("float32")
    states = [np.random.randn(3, size).astype("float32") for size in (4, 4, 2, 2)]
    ours, theirs = (
        m.Bidirectional(m.LSTM(4, name="f"), backward_layer=m.LSTM(2, name="b", go_backwards=True))
        for m in (R, keras.layers)
    )
    ours(torch.tensor(x)), theirs(x)
    _equal_weights(ours, theirs)
    _close(ours(torch.tensor(x), initial_state=[torch.tensor(s) for s in states]), theirs(x, initial_state=states))
    assert [layer.name for layer in (ours.forward_layer, ours.backward_layer)] == ["forward_f", "b"]
    with pytest.raises(ShapeError, match="even number"):
        ours(torch.tensor(x), initial_state=[torch.zeros(3, 4)])
    given = R.Bidirectional(R.LSTM(4), weights=[np.ones(w.shape, "float32") for w in _weights()])
    given(torch.tensor(x))
    assert all(bool((w == 1).all()) for w in given.weights)


def _weights():
    layer = R.Bidirectional(R.LSTM(4))
    layer(torch.zeros(1, 2, 5))
    return layer.weights


def test_a_bidirectional_stateful_layer():
    ours = R.Bidirectional(R.GRU(4, stateful=True))
    x = torch.randn(2, 3, 5)
    first = ours(x)
    assert not torch.allclose(ours(x), first)
    assert len(ours.states) == 2
    ours.reset_state()
    torch.testing.assert_close(ours(x), first)


def test_bad_pairs_are_told():
    with pytest.raises(ArgumentError, match="takes a recurrent layer"):
        R.Bidirectional(Dense(3))
    with pytest.raises(ArgumentError, match="merge_mode"):
        R.Bidirectional(R.GRU(3), merge_mode="x")
    with pytest.raises(ArgumentError, match="each direction"):
        R.Bidirectional(R.GRU(3), backward_layer=R.GRU(3))
    with pytest.raises(ArgumentError, match="return_sequences"):
        R.Bidirectional(R.GRU(3), backward_layer=R.GRU(3, go_backwards=True, return_sequences=True))


def test_time_distributed():
    x = np.random.randn(2, 5, 4, 3).astype("float32")
    ours, theirs = R.TimeDistributed(Dense(6), name="t"), keras.layers.TimeDistributed(keras.layers.Dense(6), name="t")
    _compare(ours, theirs, x)
    assert set(ours.get_config()) == set(theirs.get_config())
    assert ours(ramify.Input(shape=(None, 4, 3))).shape == (None, None, 4, 6)
    ours, theirs = R.TimeDistributed(R.LSTM(3)), keras.layers.TimeDistributed(keras.layers.LSTM(3))
    mask = torch.rand(2, 5, 4) > 0.3
    _compare(ours, theirs, x, mask)
    assert ours(ramify.Input(shape=(5, None, 3))).shape == (None, 5, 3)
    again = R.TimeDistributed.from_config(ours.get_config())
    assert again(torch.tensor(x)).shape == (2, 5, 3)
    with pytest.raises(ShapeError, match="at least 3 axes"):
        R.TimeDistributed(Dense(3))(ramify.Input(shape=(5,)))
