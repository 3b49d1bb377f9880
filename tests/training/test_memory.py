"""Memory does not grow with the number of steps, of predictions, of runs."""

from __future__ import annotations

import gc
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import ramify
from ramify import callbacks, layers

X = np.ones((4, 2), dtype=np.float32)
Y = np.ones((4, 1), dtype=np.float32)


def model():
    x = ramify.Input((2,))
    h = layers.Dropout(0.1)(layers.Dense(3, activation="relu")(x))
    made = ramify.Model(x, layers.Dense(1)(h))
    made.compile("adam", "mse", metrics=["mae"])
    return made


def resident():
    """Bytes in memory that belong to this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Watch(callbacks.Callback):
    """Measures after some steps."""

    keeps_logs = False

    def __init__(self, at, measure):
        super().__init__()
        self.at, self.measure, self.seen, self.steps = at, measure, [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps in self.at:
            self.seen.append(self.measure())


def objects():
    gc.collect()
    return len(gc.get_objects())


def traced():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def grown(run, warm, times, measure):
    """How much more there is after `times` further calls than after `warm`."""
    for _ in range(warm):
        run()
    before = measure()
    for _ in range(times):
        run()
    return measure() - before


@pytest.fixture
def tracing():
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_steps_leave_nothing_behind():
    watch = Watch((200, 1200), objects)
    m = model()
    x, y = np.tile(X, (100, 1)), np.tile(Y, (100, 1))
    m.fit(x, y, batch_size=4, epochs=100, steps_per_epoch=1200, verbose=0, callbacks=[watch, Stop()])
    first, last = watch.seen
    assert last - first < 20  # in a thousand steps


class Stop(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


@pytest.mark.parametrize(
    "method", ["predict", "predict_on_batch", "train_on_batch", "test_on_batch", "evaluate", "fit", "call"]
)
def test_calls_leave_nothing_behind(method):
    m = model()
    m.fit(X, Y, verbose=0)
    run = {
        "predict": lambda: m.predict(X, verbose=0),
        "predict_on_batch": lambda: m.predict_on_batch(X),
        "train_on_batch": lambda: m.train_on_batch(X, Y),
        "test_on_batch": lambda: m.test_on_batch(X, Y),
        "evaluate": lambda: m.evaluate(X, Y, verbose=0),
        "fit": lambda: m.fit(X, Y, epochs=2, verbose=0),
        "call": lambda: m(X),
    }[method]
    assert grown(run, 10, 100, objects) < 10


def test_predictions_keep_no_memory(tracing):
    m = model()
    x = np.ones((300, 2), dtype=np.float32)
    assert grown(lambda: m.predict(x, verbose=0), 600, 200, traced) < 5_000  # less than 25 bytes each


def test_backups_leave_nothing_behind(tmp_path):
    m = model()
    backup = callbacks.BackupAndRestore(tmp_path, save_freq=1)
    assert grown(lambda: m.fit(X, Y, epochs=2, verbose=0, callbacks=[backup]), 15, 30, objects) < 20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
def test_a_million_steps_do_not_grow_memory():
    x, y = np.tile(X, (1000, 1)), np.tile(Y, (1000, 1))
    at = (20_000, 100_000, 250_000, 500_000, 750_000, 1_000_000)
    watch = Watch(at, lambda: (objects(), resident()))
    model().fit(x, y, batch_size=4, epochs=1000, verbose=0, callbacks=[watch])
    for steps, (count, size) in zip(at, watch.seen, strict=True):
        print(f"{steps:,} steps: {count:,} objects, {size / 2**20:.2f} MiB")
    (count, size), (later, end) = watch.seen[0], watch.seen[-1]
    assert later - count < 5000  # the history: two numbers for each of 980 epochs
    assert end - size < 8 * 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
def test_ten_thousand_predictions_do_not_grow_memory():
    m = model()
    for rows in (1, 300):  # one batch, which takes the short way, and ten
        x = np.ones((rows, 2), dtype=np.float32)
        seen = []
        for calls in (200, 2_300, 2_500, 2_500, 2_500):
            for _ in range(calls):
                m.predict(x, verbose=0)
            seen.append((objects(), resident()))
        print(rows, "rows:", ", ".join(f"{count:,} objects {size / 2**20:.2f} MiB" for count, size in seen))
        assert seen[-1][0] - seen[0][0] < 20
        assert seen[-1][1] - seen[0][1] < 4 * 2**20


def test_a_step_begins_without_the_gradients_of_the_last():
    seen = []

    class Watched(layers.Dense):
        def call(self, inputs):
            if inputs.device.type != "meta":
                seen.append([weight.grad is None for weight in self.weights])
            return super().call(inputs)

    x = ramify.Input((2,))
    made = ramify.Model(x, Watched(1)(x))
    made.compile("adam", "mse", run_eagerly=True)
    for _ in range(3):
        made.train_on_batch(X, Y)
    assert seen == [[True, True]] * 3
