"""`training=` given where a graph is built holds wherever the model runs, as Keras's guides promise.

Keras 3.15 itself lets `fit` and `predict` override it: Monte Carlo dropout and frozen batch normalization are lost.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

DATA = np.random.default_rng(0).uniform(1, 2, size=(64, 4)).astype("float32")


def direct(lib, training):
    x = lib.Input((4,))
    return lib.Model(x, lib.layers.Dropout(0.5)(x, training=training))


def nested(lib, training):
    x = lib.Input((4,))
    return lib.Model(x, direct(lib, None)(x, training=training))


def contradicted(lib, training):
    x = lib.Input((4,))
    return lib.Model(x, direct(lib, not training)(x, training=training))


def in_a_layer(lib, training):
    class Always(lib.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = lib.layers.Dropout(0.5)

        def call(self, inputs):
            return self.inner(inputs, training=training)

    x = lib.Input((4,))
    return lib.Model(x, Always()(x))


WAYS = {
    "called": lambda model: model(DATA),
    "in training": lambda model: model(DATA, training=True),
    "in inference": lambda model: model(DATA, training=False),
    "predict": lambda model: model.predict(DATA, verbose=0),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("make", [direct, nested, contradicted, in_a_layer])
def test_the_nearest_word_holds(make, recorded, way):
    drops = bool((WAYS[way](make(ramify, recorded)) == 0).any())
    assert drops is (recorded if make is not contradicted else not recorded)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("make", [direct, nested, in_a_layer])
def test_a_plain_call_is_that_of_keras(make, recorded):
    drops = [bool((np.asarray(make(lib, recorded)(DATA).detach()) == 0).any()) for lib in (ramify, keras)]
    assert drops[0] == drops[1]
