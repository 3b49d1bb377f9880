"""`None` in the place of an optional input, in every way that data comes, as Keras takes it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify
from ramify.errors import InputError

RNG = np.random.default_rng(0)
A, B, Y = (RNG.random((10, size), dtype=np.float32) for size in (4, 4, 1))


def make(lib, optional=True):
    class Joined(lib.layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape, y_shape=None):
            return x_shape

    a, b = lib.Input((4,), name="a"), lib.Input((4,), name="b", optional=optional)
    model = lib.Model({"b": b, "a": a}, lib.layers.Dense(1)(Joined()(a, b)))
    model.compile(lib.optimizers.SGD(0.1), "mse")
    return model


@pytest.fixture
def pair():
    ours, theirs = make(ramify), make(keras)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("second", [None, B])
def test_as_keras(pair, second):
    x = {"b": second, "a": A}
    results = []
    for model in pair:
        fitted = model.fit(x, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
        results.append(
            [
                *fitted,
                model.evaluate(x, Y, batch_size=4, verbose=0),
                model.train_on_batch(x, Y),
                model.test_on_batch(x, Y),
                model.predict(x, batch_size=4, verbose=0).sum(),
                model.predict_on_batch(x).sum(),
            ]
        )
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_other_ways_to_bring_it(pair):
    ours, _ = pair
    x = {"b": None, "a": A}
    want = ours.predict(x, verbose=0)

    def batches():
        for i in range(0, 10, 4):
            yield {"b": None, "a": A[i : i + 4]}, Y[i : i + 4]

    np.testing.assert_allclose(ours.predict(batches(), verbose=0), want, rtol=1e-6)
    before = ours.get_weights()
    ours.fit(x, Y, batch_size=4, shuffle=False, verbose=0, validation_split=0.2)
    ours.set_weights(before)
    one = ours.evaluate(batches(), verbose=0)
    assert one == pytest.approx(ours.evaluate(x, Y, batch_size=4, verbose=0), rel=1e-6)


def test_recorded_steps_take_both_forms(pair):
    pair[0].compile(ramify.optimizers.SGD(0.1), "mse", jit_compile="captured")
    for second in (None, B, None):
        x = {"b": second, "a": A}
        losses = [m.fit(x, Y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"] for m in pair]
        np.testing.assert_allclose(*losses, rtol=1e-5)


def test_an_input_that_is_not_optional_is_named():
    ours = make(ramify, optional=False)
    for call in (lambda x: ours.fit(x, Y, verbose=0), lambda x: ours.predict(x, verbose=0), ours.predict_on_batch):
        with pytest.raises(InputError, match=r"'b'.*received None"):
            call({"b": None, "a": A})
    ours.fit({"b": B, "a": A}, Y, verbose=0)
