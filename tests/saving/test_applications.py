"""Architectures that everybody uses: what `keras.applications` saves with random weights loads here, equal."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own

SMALL = {
    "MobileNet": {"input_shape": (64, 64, 3), "alpha": 0.25},
    "MobileNetV3Small": {"input_shape": (64, 64, 3), "alpha": 0.75},
}
# As drawn, Keras's own outputs flip from one class to another when the input moves by 3e-7 of itself.
EXPLOSIVE = ("efficientnetv2-s", "efficientnetv2-m", "efficientnetv2-l")
LARGE = 100_000_000  # weights; the old layout of what has more takes long, and is no other one
ALL = sorted(
    name
    for name, found in vars(keras.applications).items()
    if callable(found)
    and name[:1].isupper()
    and "weights" in found.__code__.co_varnames
    and name != "NASNetMobile"  # Keras refuses it on torch
)


def moved(model):
    """Statistics, biases and scales that no initializer gives; kernels stay as drawn, so that numbers stay moderate."""
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for weight in model.weights:
            if len(weight.shape) == 1:
                weight.value.data += torch.from_numpy(rng.uniform(0, 0.2, weight.shape).astype("float32"))
            elif model.name in EXPLOSIVE:
                weight.value.data *= 0.5
    return model


def check(name, folder, *, old_layout=True, **options):
    keras.utils.set_random_seed(0)
    theirs = moved(getattr(keras.applications, name)(weights=None, **options))
    shape = theirs.input_shape[1:]
    images = np.random.default_rng(1).uniform(0, 255, size=(1, *shape)).astype("float32")
    with torch.no_grad():
        expected = np.asarray(theirs(images, training=False))
    theirs.save(folder / "m.keras")
    ours = ramify.saving.load_model(folder / "m.keras")
    with torch.no_grad():
        found = np.asarray(ours(images, training=False))
    assert np.isfinite(expected).all()
    assert expected.std() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    if old_layout and theirs.count_params() < LARGE:
        check_old(theirs, images, found, folder)


def test_layers_of_convnext_both_ways(tmp_path):
    from keras.src.applications import convnext

    x = keras.Input((3, 4))
    theirs = keras.Model(x, convnext.StochasticDepth(0.2)(convnext.LayerScale(1e-6, 4)(x)))
    theirs.set_weights([np.arange(4, dtype="float32")])
    data = np.ones((2, 3, 4), "float32")
    theirs.save(tmp_path / "m.keras")
    ours = ramify.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(ours.predict(data, verbose=0), theirs.predict(data, verbose=0))
    ours.save(tmp_path / "o.keras")
    again = keras.models.load_model(tmp_path / "o.keras")
    np.testing.assert_array_equal(again.predict(data, verbose=0), theirs.predict(data, verbose=0))
    dropped = ours(np.ones((200, 3, 4), "float32"), training=True)[:, 0, 1]
    assert sorted({round(float(v), 4) for v in dropped}) == [0.0, 1.25]


def check_old(theirs, images, found, folder):
    theirs.save(folder / "m.h5")
    with torch.no_grad():
        np.testing.assert_array_equal(np.asarray(ramify.saving.load_model(folder / "m.h5")(images)), found)


@pytest.mark.parametrize("name", SMALL)
def test_small_architectures(name, tmp_path):
    check(name, tmp_path, old_layout=name == "MobileNet", **SMALL[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_architecture(name, tmp_path):
    check(name, tmp_path, input_shape=(96, 96, 3))
    for one in tmp_path.iterdir():
        one.unlink()
