"""Convolutional LSTMs against the real Keras on equal weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ShapeError
from ramify.layers import recurrent as R

OPTIONS = [
    {},
    {"padding": "same", "strides": 2, "return_sequences": True},
    {"dilation_rate": 2, "return_state": True, "go_backwards": True},
    {"use_bias": False, "activation": "relu", "padding": "same", "return_sequences": True, "return_state": True},
]


def _flat(value):
    return list(value) if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("mask", [None, torch.tensor([[1, 1, 0], [0, 1, 0]]).bool()], ids=["plain", "masked"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_as_keras(rank, options, mask):
    x = np.random.randn(2, 3, *(7, 6, 5)[:rank], 2).astype("float32")
    ours, theirs = (getattr(m, f"ConvLSTM{rank}D")(3, 2, name="c", **options) for m in (R, keras.layers))
    theirs(x)
    ours(torch.tensor(x))
    assert [(w.path, tuple(w.shape)) for w in ours.weights] == [(w.path, tuple(w.shape)) for w in theirs.weights]
    values = [np.random.randn(*w.shape).astype("float32") * 0.5 for w in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)
    results = []
    for layer, weights in ((ours, ours.weights), (theirs, [w.value for w in theirs.weights])):
        out = _flat(layer(torch.tensor(x), mask=mask))
        loss = sum((o * torch.linspace(0.5, 1.5, o.numel()).reshape(o.shape)).sum() for o in out)
        results.append([*out, *torch.autograd.grad(loss, weights)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert ours.get_config() == theirs.get_config()
    again = type(ours).from_config(ours.get_config())
    symbolic = _flat(again(ramify.Input(shape=x.shape[1:])))
    assert [s.shape[1:] for s in symbolic] == [tuple(o.shape[1:]) for o in _flat(ours(torch.tensor(x)))]


def test_channels_first_unknown_sizes_and_states():
    x = torch.randn(2, 3, 6, 7, 2)
    last = R.ConvLSTM2D(3, 2, padding="same")
    want = last(x)
    first = R.ConvLSTM2D(3, 2, padding="same", data_format="channels_first")
    first(x.movedim(-1, 2))
    first.set_weights(last.get_weights())
    torch.testing.assert_close(first(x.movedim(-1, 2)), want.movedim(-1, 1))
    assert last(ramify.Input(shape=(None, None, None, 2))).shape == (None, None, None, 3)
    kept = R.ConvLSTM2D(3, 2, stateful=True)
    assert not torch.allclose(kept(x), kept(x))
    with pytest.raises(ShapeError, match="5 axes"):
        R.ConvLSTM2D(3, 2)(ramify.Input(shape=(6, 7, 2)))
    with pytest.raises(ShapeError, match="channels"):
        R.ConvLSTM2D(3, 2)(ramify.Input(shape=(3, 6, 7, None)))
