"""Callbacks do what Keras's do."""

from __future__ import annotations

import csv
import pickle

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import callbacks
from ramify.callbacks.logs import Logs
from ramify.errors import ArgumentError

X = np.random.default_rng(0).random((20, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True)


def model(lib=ramify, rate=0.01):
    x = lib.Input((3,))
    made = lib.Model(x, lib.layers.Dense(1, kernel_initializer="ones")(x))
    made.compile(lib.optimizers.SGD(rate), "mse", metrics=["mae"])
    return made


class Given(callbacks.Callback):
    """Puts given values into the logs, before the callback under test sees them."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


class KerasGiven(keras.callbacks.Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def both(name, values, **arguments):
    """The epochs run and the learning rates, of Keras and of ours."""
    results = []
    for lib, given in ((keras, KerasGiven), (ramify, Given)):
        kind = getattr(lib.callbacks if lib is keras else callbacks, name)
        m = model(lib)
        history = m.fit(X, Y, epochs=len(values), verbose=0, callbacks=[given(values), kind(**arguments)])
        results.append((history.epoch, history.history.get("learning_rate"), m.get_weights()))
    return results


SERIES = [5.0, 4.0, 4.05, 3.99, 3.985, 4.2, 4.1, 3.0, 3.0, 3.0, 3.0, 3.0]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"patience": 2},
        {"patience": 3, "min_delta": 0.02},
        {"patience": 2, "mode": "max"},
        {"patience": 2, "baseline": 3.5},
        {"patience": 1, "start_from_epoch": 4},
        {"patience": 3, "restore_best_weights": True},
        {"patience": 20, "restore_best_weights": True},
    ],
)
def test_early_stopping(arguments):
    want, got = both("EarlyStopping", SERIES, **arguments)
    assert got[0] == want[0]
    for one, two in zip(want[2], got[2], strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5, "cooldown": 2},
        {"patience": 1, "min_lr": 0.002},
        {"mode": "max", "patience": 1},
    ],
)
def test_reduce_lr_on_plateau(arguments):
    want, got = both("ReduceLROnPlateau", SERIES, **arguments)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-6)


def test_learning_rate_scheduler():
    for schedule in (lambda epoch, rate: rate * 0.5, lambda epoch: 0.1 / (epoch + 1)):
        want, got = both("LearningRateScheduler", SERIES[:4], schedule=schedule)
        np.testing.assert_allclose(got[1], want[1], rtol=1e-6)
    with pytest.raises(ArgumentError, match="Return a float"):
        model().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: "fast")])


def test_a_direction_that_nobody_can_know():
    with pytest.raises(ArgumentError, match="Pass mode='max'"):
        model().fit(X, Y, verbose=0, callbacks=[Speed(), callbacks.EarlyStopping("speed")])
    with pytest.warns(UserWarning, match="not among the metrics"):
        model().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping("val_los")])
    with pytest.raises(ArgumentError, match="knows no mode"):
        callbacks.EarlyStopping(mode="best")


class Speed(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["speed"] = 1.0


class Saved:
    """A model that notes where it was saved to."""

    def __init__(self, monkeypatch):
        self.paths = []
        for name in ("save", "save_weights"):
            monkeypatch.setattr(
                ramify.Model, name, lambda m, path, overwrite, n=name: self.paths.append((n, str(path))), raising=False
            )


def test_checkpoints(monkeypatch, tmp_path):
    saved = Saved(monkeypatch)
    pattern = str(tmp_path / "{epoch:02d}-{val_loss:.1f}.keras")
    given = Given([3.0, 2.0, 2.5])
    model().fit(X, Y, epochs=3, verbose=0, callbacks=[given, callbacks.ModelCheckpoint(pattern)])
    assert [p.split("/")[-1] for _, p in saved.paths] == ["01-3.0.keras", "02-2.0.keras", "03-2.5.keras"]
    saved.paths.clear()
    best = callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_best_only=True, save_weights_only=True)
    model().fit(X, Y, epochs=3, verbose=0, callbacks=[given, best])
    assert [(n, p.split("/")[-1]) for n, p in saved.paths] == [
        ("save_weights", "1.weights.h5"),
        ("save_weights", "2.weights.h5"),
    ]
    saved.paths.clear()
    often = callbacks.ModelCheckpoint(str(tmp_path / "e{epoch}b{batch}.keras"), save_freq=3)
    model().fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[often])
    assert [p.split("/")[-1] for _, p in saved.paths] == ["e1b3.keras", "e2b2.keras"]


def test_checkpoints_refuse_what_they_cannot_do():
    for arguments, message in (
        ({"filepath": "a.pt"}, "'.keras'"),
        ({"filepath": "a.keras", "save_weights_only": True}, "'.weights.h5'"),
        ({"filepath": "a.keras", "save_freq": "hour"}, "save_freq"),
    ):
        with pytest.raises(ArgumentError, match=message):
            callbacks.ModelCheckpoint(**arguments)
    with pytest.raises(ArgumentError, match="names 'acc'"):
        model().fit(X, Y, verbose=0, callbacks=[callbacks.ModelCheckpoint("{acc}.keras")])


def test_csv_equals_that_of_keras(tmp_path):
    texts = []
    for lib, kind in ((keras, keras.callbacks.CSVLogger), (ramify, callbacks.CSVLogger)):
        path = tmp_path / f"{lib.__name__}.csv"
        m = model(lib)
        m.fit(
            X,
            Y,
            epochs=3,
            verbose=0,
            shuffle=False,
            validation_data=(X, Y),
            validation_freq=2,
            callbacks=[kind(str(path))],
        )
        m.fit(X, Y, verbose=0, shuffle=False, callbacks=[kind(str(path), append=True)])
        texts.append(list(csv.reader(path.read_text().splitlines())))
    want, got = texts
    assert got[0] == want[0]
    assert len(got) == len(want)
    for one, two in zip(want[1:], got[1:], strict=True):
        for a, b in zip(one, two, strict=True):
            assert a == b == "NA" or float(b) == pytest.approx(float(a), rel=1e-4)


def test_terminate_on_nan(capsys):
    m = model()
    history = m.fit(X, Y * np.nan, epochs=3, batch_size=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert "Batch 0: Invalid loss" in capsys.readouterr().out
    assert history.epoch == [0]
    with pytest.raises(RuntimeError, match="Look for NaN"):
        model().fit(X, Y * np.nan, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])


def test_lambda_callback_and_hooks_under_their_old_names():
    seen = []

    class Old(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(("old", batch))

    hook = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(("epoch", epoch, sorted(logs))))
    model().fit(X, Y, batch_size=10, verbose=0, callbacks=[Old(), hook])
    assert seen == [("old", 0), ("old", 1), ("epoch", 0, ["loss", "mae"])]


def test_functions_alone_are_hooks_too():
    seen = []
    hook = callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append((batch, sorted(logs))))
    model().evaluate(X, Y, batch_size=10, verbose=0, callbacks=[hook])
    assert seen == [(0, ["loss", "mae"]), (1, ["loss", "mae"])]


def test_any_callback_can_stop_training():
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    seen = []
    count = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    history = model().fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[Stop(), [count]])
    assert history.epoch == [0]
    assert seen == [0, 1]


def test_what_is_no_callback_is_refused():
    with pytest.raises(ArgumentError, match="write the parentheses"):
        model().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping])
    with pytest.raises(ArgumentError, match="no callback"):
        model().fit(X, Y, verbose=0, callbacks=[print])


def test_history_and_params():
    class Spy(callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seen = dict(self.params)

    spy = Spy()
    m = model()
    history = m.fit(X, Y, batch_size=6, epochs=2, initial_epoch=1, verbose=0, callbacks=[spy])
    assert spy.seen == {"verbose": 0, "epochs": 2, "steps": 4}
    assert spy.model is m
    assert m.history is history
    assert history.epoch == [1]


def test_logs_are_read_late_and_look_like_a_dict():
    value = torch.zeros(())
    logs = Logs(lambda: {"loss": value, "a": {"z": torch.ones(2)}})
    value.fill_(2.0)
    assert logs["loss"] == 2.0
    assert isinstance(logs["loss"], float)
    assert list(logs) == ["z", "loss"]
    assert {**Logs({"a": value})} == dict(Logs({"a": value})) == Logs({"a": value}) == {"a": 2.0}
    assert Logs({"a": value}) | {"b": 1} == {"a": 2.0, "b": 1}
    assert repr(Logs({"a": value})) == "{'a': 2.0}"
    assert pickle.loads(pickle.dumps(Logs({"a": value}))) == {"a": 2.0}
    assert "a" in Logs({"a": value})
    held = Logs(lambda: {"loss": value}).hold()
    value.fill_(7.0)
    assert held["loss"] == 2.0
