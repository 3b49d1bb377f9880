"""SpectralNormalization against Keras, over several calls."""

from __future__ import annotations

import copy

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError
from ramify.layers import Dense
from ramify.layers.core import Activation
from ramify.layers.normalization import SpectralNormalization


@pytest.mark.parametrize("iterations", [1, 3])
def test_equals_keras(iterations):
    a = SpectralNormalization(Dense(4, name="d"), iterations, name="s")
    b = keras.layers.SpectralNormalization(keras.layers.Dense(4, name="d"), iterations, name="s")
    a.build((None, 3))
    b.build((None, 3))
    assert [w.path for w in a.weights] == [w.path for w in b.weights]
    a.set_weights(b.get_weights())
    x = np.random.randn(5, 3).astype("float32")
    for training in (True, False, True, True):
        y, want = a(torch.tensor(x), training=training), b(x, training=training)
        np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-4, atol=1e-5)
        for p, q in zip(a.get_weights(), b.get_weights(), strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-4, atol=1e-5)
    assert len(a.trainable_weights) == len(b.trainable_weights) == 2


def test_symbolic_and_copied():
    layer = SpectralNormalization(Dense(4))
    assert layer(ramify.Input((3,))).shape == (None, 4)
    twin = copy.deepcopy(layer)
    assert twin.kernel is twin.layer.kernel
    again = SpectralNormalization.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_errors():
    with pytest.raises(ArgumentError, match="iterations"):
        SpectralNormalization(Dense(4), 0)
    with pytest.raises(ArgumentError, match="kernel"):
        SpectralNormalization(Activation("relu"))(torch.ones(2, 3))
    with pytest.raises(ArgumentError, match="TorchModuleWrapper"):
        SpectralNormalization(torch.nn.Linear(2, 3))
