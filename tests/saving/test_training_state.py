"""A model that was compiled goes on training where it stopped, here and in Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
Y = np.stack([X[:, 0] * 2 - X[:, 1], X.sum(1)], 1).astype("float32")


def build(k):
    x = k.Input((6,))
    h = k.layers.BatchNormalization()(k.layers.Dense(8, activation="tanh")(x))
    return k.Model(x, k.layers.Dense(2, kernel_regularizer="l2")(h))


OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda k: k.optimizers.Adam(0.01, clipnorm=1.0),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.005, centered=True),
    "schedule": lambda k: k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.02, 3, 0.7)),
    "ema": lambda k: k.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9),
    "adamw": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.02),
}


def train(model, steps):
    return model.fit(X, Y, batch_size=64, epochs=steps, shuffle=False, verbose=0).history["loss"]


def compiled(k, optimizer):
    model = build(k)
    model.compile(OPTIMIZERS[optimizer](k), loss="mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_from_keras(optimizer, tmp_path):
    theirs = compiled(keras, optimizer)
    train(theirs, 4)
    theirs.save(tmp_path / "m.keras")
    ours = ramify.saving.load_model(tmp_path / "m.keras")
    assert int(np.asarray(ours.optimizer.iterations)) == 4
    np.testing.assert_allclose(train(ours, 4), train(theirs, 4), rtol=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_to_keras(optimizer, tmp_path):
    ours = compiled(ramify, optimizer)
    train(ours, 4)
    ours.save(tmp_path / "m.keras")
    theirs = keras.models.load_model(tmp_path / "m.keras")
    here = ramify.saving.load_model(tmp_path / "m.keras")
    expected = train(ours, 4)
    np.testing.assert_allclose(train(theirs, 4), expected, rtol=1e-5)
    np.testing.assert_array_equal(train(here, 4), expected)


def several(k):
    x = k.Input((6,), name="x")
    h = k.layers.Dense(4, activation="relu")(x)
    model = k.Model(x, {"a": k.layers.Dense(1, name="a")(h), "b": k.layers.Dense(3, activation="softmax", name="b")(h)})
    model.compile(
        "adam",
        loss={"a": k.losses.MeanSquaredError(), "b": k.losses.CategoricalCrossentropy(label_smoothing=0.1)},
        loss_weights={"a": 2.0, "b": 0.5},
        metrics={"a": ["mae", k.metrics.RootMeanSquaredError()], "b": [k.metrics.CategoricalAccuracy(name="acc")]},
    )
    return model


def test_losses_and_metrics_by_name_both_ways(tmp_path):
    targets = {"a": Y[:, :1], "b": np.eye(3, dtype="float32")[np.arange(64) % 3]}

    def results(model):
        return model.evaluate({"x": X}, targets, verbose=0, return_dict=True)

    theirs = several(keras)
    theirs.fit({"x": X}, targets, verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    ours = ramify.saving.load_model(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    back = keras.models.load_model(tmp_path / "ours.keras")
    expected = results(theirs)
    for model in (ours, back):
        got = results(model)
        assert set(got) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(got[name], value, rtol=1e-5, err_msg=name)


def test_without_compiling(tmp_path):
    model = compiled(ramify, "adam")
    train(model, 1)
    model.save(tmp_path / "m.keras")
    loaded = ramify.saving.load_model(tmp_path / "m.keras", compile=False)
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_loss_of_your_own(tmp_path):
    def strange(y_true, y_pred):
        return ((y_true - y_pred) ** 4).mean(-1)

    model = build(ramify)
    model.compile("sgd", loss=strange)
    train(model, 2)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ramify.errors.FileFormatError, match=r"'strange'.*custom_objects"):
        ramify.saving.load_model(tmp_path / "m.keras")
    loaded = ramify.saving.load_model(tmp_path / "m.keras", custom_objects={"strange": strange})
    np.testing.assert_array_equal(train(loaded, 3), train(model, 3))


def test_weight_files_bring_the_optimizer(tmp_path):
    model, other = compiled(ramify, "adam"), compiled(ramify, "adam")
    train(model, 3)
    model.save_weights(tmp_path / "m.weights.h5")
    train(other, 1)
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(train(other, 3), train(model, 3))
