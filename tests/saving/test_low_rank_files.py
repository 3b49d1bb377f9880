"""Low-rank updates in files: kept as they are in checkpoints, merged in weight files, begun anew by readers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify
from ramify import layers

X = np.random.default_rng(0).random((24, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True)


def model(bits=None):
    ramify.utils.set_random_seed(2)
    x = ramify.Input((3,))
    inner = ramify.Sequential([ramify.Input((8,)), layers.Dense(8, activation="relu"), layers.BatchNormalization()])
    made = ramify.Model(x, layers.Dense(1, name="last")(inner(layers.Dense(8, name="first")(x))))
    first, inside = made.get_layer("first"), inner.layers[0]
    if bits:
        first.quantize(bits)
    first.enable_lora(2, lora_alpha=3)
    inside.enable_lora(1)
    made.compile("adam", "mse")
    return made


def state(m):
    return {name: value.clone() for name, value in m.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)


@pytest.mark.parametrize("bits", [None, "int8", "int4"])
def test_a_checkpoint_keeps_weight_and_update_apart(tmp_path, bits):
    m = model(bits)
    m.fit(X, Y, epochs=2, verbose=0)
    before = state(m)
    m.save_checkpoint(tmp_path / "a.ckpt")
    assert same(state(m), before)
    m.fit(X, Y, epochs=2, verbose=0)
    other = model(bits)
    other.load_checkpoint(tmp_path / "a.ckpt")
    assert same(state(other), before)
    assert other.get_layer("first").lora_enabled
    other.fit(X, Y, epochs=2, verbose=0)
    assert same(state(other), state(m))


class Stops(ramify.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_run_with_updates_resumes_to_the_last_bit(tmp_path):
    whole = model()
    whole.fit(X, Y, epochs=4, verbose=0, callbacks=[ramify.callbacks.BackupAndRestore(tmp_path / "whole")])
    for stops in ([Stops()], []):
        resumed = model()
        backup = ramify.callbacks.BackupAndRestore(tmp_path / "resumed")
        try:
            resumed.fit(X, Y, epochs=4, verbose=0, callbacks=[backup, *stops])
        except KeyboardInterrupt:
            assert stops
    assert same(state(resumed), state(whole))


@pytest.mark.filterwarnings("ignore:State of")  # of an optimizer that was not built yet
def test_weight_files_merge_still(tmp_path):
    m = model()
    m.fit(X, Y, epochs=2, verbose=0)
    m.save_weights(tmp_path / "a.weights.h5")
    other = model()
    other.load_weights(tmp_path / "a.weights.h5")
    assert not other.get_layer("first").lora_kernel_b.any()
    np.testing.assert_allclose(other.predict(X, verbose=0), m.predict(X, verbose=0), atol=1e-5)


@pytest.mark.filterwarnings("ignore")  # Keras's own
def test_the_old_h5_starts_updates_anew(tmp_path):
    """Keras wrote it without updates; here it is read into layers that train one, one of them in a nested model."""
    x = keras.Input((3,))
    inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization()])
    theirs = keras.Model(x, keras.layers.Dense(1, name="last")(inner(keras.layers.Dense(8, name="first")(x))))
    path = tmp_path / "old.h5"
    theirs.save(path)
    ours = model()
    ours.fit(X, Y, epochs=2, verbose=0)
    assert ours.get_layer("first").lora_kernel_b.any()
    ours.load_weights(path)
    first = ours.get_layer("first")
    assert not first.lora_kernel_b.any()
    assert not ours.layers[2].layers[0].lora_kernel_b.any()
    np.testing.assert_array_equal(first.kernel.numpy(), theirs.get_layer("first").get_weights()[0])
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), atol=1e-5)
