"""Random models in files both ways against real Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify
from tests.saving.random_models import build

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own
ALL = range(150)
SAMPLE = range(0, 150, 12)


def shuffled(model):
    rng = np.random.default_rng(1)
    model.set_weights(
        [rng.uniform(0.1, 0.7, w.shape).astype("float32") - 0.3 * (w.ndim > 1) for w in model.get_weights()]
    )
    return model


def arrays_for(model):
    rng = np.random.default_rng(2)
    return [rng.normal(size=(3, *tensor.shape[1:])).astype("float32") for tensor in model.inputs]


def results(model, arrays):
    found = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    leaves = [found[key] for key in sorted(found)] if isinstance(found, dict) else found
    leaves = leaves if isinstance(leaves, (list, tuple)) else [leaves]
    return [np.asarray(leaf.detach()) for leaf in leaves]


def check(model, expected, arrays):
    found = results(model, arrays)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours / scale, theirs / scale, rtol=1e-5, atol=1e-5)


def both_ways(seed, folder):
    theirs = shuffled(build(keras, seed))
    arrays = arrays_for(theirs)
    expected = results(theirs, arrays)
    theirs.save(folder / "theirs.keras")
    here = ramify.saving.load_model(folder / "theirs.keras")
    check(here, expected, arrays)
    here.save(folder / "ours.keras")
    check(keras.models.load_model(folder / "ours.keras"), expected, arrays)
    # a model that was built here
    ours = shuffled(build(ramify, seed))
    expected = results(ours, arrays)
    ours.save(folder / "built.keras")
    check(keras.models.load_model(folder / "built.keras"), expected, arrays)
    check(ramify.saving.load_model(folder / "built.keras"), expected, arrays)


@pytest.mark.parametrize("seed", SAMPLE)
def test_some_random_models(seed, tmp_path):
    both_ways(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ALL)
def test_random_models(seed, tmp_path):
    both_ways(seed, tmp_path)
