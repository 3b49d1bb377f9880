"""Dropout and noise: what is dropped, in which shapes, how often, and that a seed repeats it."""

from __future__ import annotations

import copy
import math
import pickle

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers import regularization as ours
from ramify.seeds import Stream

TABLE = [
    ("Dropout", {"rate": 0.4}, (2, 5)),
    ("Dropout", {"rate": 0.4, "seed": 3, "noise_shape": (None, 1, None)}, (2, 5, 4)),
    ("SpatialDropout1D", {"rate": 0.4}, (2, 5, 4)),
    ("SpatialDropout2D", {"rate": 0.4, "seed": 1}, (2, 5, 5, 4)),
    ("SpatialDropout2D", {"rate": 0.4, "data_format": "channels_first"}, (2, 4, 5, 5)),
    ("SpatialDropout3D", {"rate": 0.4}, (2, 3, 3, 3, 4)),
    ("GaussianNoise", {"stddev": 0.2, "seed": 2}, (2, 5)),
    ("GaussianDropout", {"rate": 0.2}, (2, 5)),
    ("AlphaDropout", {"rate": 0.2, "noise_shape": (None, 1)}, (2, 5)),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (2, 5)),
]


@pytest.mark.parametrize(("name", "kwargs", "shape"), TABLE)
def test_contract(name, kwargs, shape):
    layer, theirs = getattr(ours, name)(name="x", **kwargs), getattr(keras.layers, name)(name="x", **kwargs)
    assert layer.get_config() == theirs.get_config()
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    x = torch.randn(shape)
    assert torch.equal(layer(x), x)
    assert layer.supports_masking == theirs.supports_masking
    training = {} if name == "ActivityRegularization" else {"training": True}
    assert layer(x, **training).shape == shape
    assert layer(ramify.Input(batch_shape=(None,) * len(shape)), **training).shape == (None,) * len(shape)
    if training:
        assert not torch.equal(layer(x, training=True), x)
        layer.train()
        assert not torch.equal(layer(x), x)


@pytest.mark.parametrize("seed", [None, 5])
def test_dropout_keeps_the_mean(seed):
    y = ours.Dropout(0.3, seed=seed)(torch.ones(100_000), training=True)
    assert y.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert float((y == 0).float().mean()) == pytest.approx(0.3, abs=0.01)


def test_the_ends_of_the_rate():
    x = torch.randn(3, 4)
    assert torch.equal(ours.Dropout(0.0)(x, training=True), x)
    assert not ours.Dropout(1.0)(x, training=True).any()
    assert not ours.Dropout(1.0, seed=1)(x, training=True).any()
    assert not ours.SpatialDropout1D(1.0)(x[None], training=True).any()


@pytest.mark.parametrize(
    ("layer", "shape", "together"),
    [
        (ours.Dropout(0.5, noise_shape=(None, 1, 4)), (8, 5, 4), (1,)),
        (ours.SpatialDropout1D(0.5), (8, 5, 4), (1,)),
        (ours.SpatialDropout2D(0.5), (8, 5, 5, 4), (1, 2)),
        (ours.SpatialDropout2D(0.5, data_format="channels_first"), (8, 4, 5, 5), (2, 3)),
        (ours.SpatialDropout3D(0.5), (8, 3, 3, 3, 4), (1, 2, 3)),
        (ours.AlphaDropout(0.5, noise_shape=(None, 1, 4)), (8, 5, 4), (1,)),
    ],
)
def test_axes_that_go_together(layer, shape, together):
    y = layer(torch.ones(shape), training=True)
    assert torch.equal(y, y.amax(together, keepdim=True).expand(shape))
    assert len(y.unique()) == 2


@pytest.mark.parametrize("seed", [None, 5])
def test_noise_has_the_right_moments(seed):
    x = torch.full((200_000,), 2.0)
    added = ours.GaussianNoise(0.5, seed=seed)(x, training=True)
    assert (float(added.mean()), float(added.std())) == (pytest.approx(2, abs=0.01), pytest.approx(0.5, abs=0.01))
    times = ours.GaussianDropout(0.2, seed=seed)(x, training=True)
    assert (float(times.mean()), float(times.std())) == (pytest.approx(2, abs=0.01), pytest.approx(1.0, abs=0.02))
    z = ours.AlphaDropout(0.3, seed=seed)(torch.randn(200_000), training=True)
    assert (float(z.mean()), float(z.std())) == (pytest.approx(0, abs=0.01), pytest.approx(1, abs=0.01))


def test_alpha_dropout_values_equal_keras():
    x = np.ones((50, 50), "float32")
    want = np.unique(keras.ops.convert_to_numpy(keras.layers.AlphaDropout(0.5)(x, training=True)))
    for seed in (None, 3):
        got = ours.AlphaDropout(0.5, seed=seed)(torch.tensor(x), training=True).unique()
        np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: ours.Dropout(0.5, seed=seed),
        lambda seed: ours.SpatialDropout1D(0.5, seed=seed),
        lambda seed: ours.GaussianNoise(0.5, seed=seed),
        lambda seed: ours.GaussianDropout(0.5, seed=seed),
        lambda seed: ours.AlphaDropout(0.5, seed=seed),
    ],
)
def test_seeds_repeat_and_copies_go_on(make):
    x = torch.ones(4, 5, 30)
    a, b = make(7), make(7)
    first, second = a(x, training=True), a(x, training=True)
    assert not torch.equal(first, second)
    assert torch.equal(b(x, training=True), first)
    for twin in (copy.deepcopy(b), pickle.loads(pickle.dumps(b))):
        assert torch.equal(twin(x, training=True), second)
    torch.manual_seed(1)
    free = make(None)(x, training=True)
    torch.manual_seed(1)
    assert torch.equal(make(None)(x, training=True), free)


def test_activity_regularization_equals_keras():
    x = np.random.randn(4, 5).astype("float32")
    layer, theirs = ours.ActivityRegularization(0.1, 0.2), keras.layers.ActivityRegularization(0.1, 0.2)
    layer(torch.tensor(x))
    theirs(x)
    assert float(layer.losses[0]) == pytest.approx(float(theirs.losses[0]), rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ours.Dropout(-0.1),
        lambda: ours.Dropout(1.1),
        lambda: ours.Dropout("a"),
        lambda: ours.Dropout(0.5, noise_shape=3),
        lambda: ours.Dropout(0.5, seed="a"),
        lambda: ours.GaussianNoise(2),
        lambda: ours.GaussianDropout(1.0),
        lambda: ours.AlphaDropout(1.0),
        lambda: ours.SpatialDropout2D(0.5, data_format="x"),
    ],
)
def test_arguments_out_of_range(make):
    with pytest.raises(ArgumentError):
        make()


def test_ranks():
    with pytest.raises(ShapeError, match="3 axes"):
        ours.SpatialDropout1D(0.5)(ramify.Input((3,)))


def test_a_stream_takes_an_object_that_gives_seeds():
    class Counting:
        def __init__(self):
            self.count = 0

        def next(self):
            self.count += 1
            return np.array([self.count, 0])

    source = Counting()
    stream = Stream(source)
    x = torch.zeros(10)
    assert not torch.equal(stream.normal(x, 0.0, 1.0), stream.normal(x, 0.0, 1.0))
    assert source.count == 2
    assert math.isfinite(float(stream.uniform(x, (2,)).sum()))
