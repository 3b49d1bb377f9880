"""A run that was stopped and goes on ends with the bits of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ramify
from ramify import callbacks, layers
from ramify.errors import ArgumentError, FileFormatError

SCRIPT = Path(__file__).with_name("killed_runs.py")
X = np.random.default_rng(0).random((24, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True) + 1


def model(rate=0.01):
    ramify.utils.set_random_seed(3)
    x = ramify.Input((3,))
    made = ramify.Model(x, layers.Dense(1)(layers.Dropout(0.3)(layers.Dense(8, activation="relu")(x))))
    made.compile(ramify.optimizers.Adam(rate), "mse", metrics=["mae"])
    return made


class Stop(callbacks.Callback):
    """Raises at one batch of one epoch, counted over the whole run."""

    def __init__(self, step):
        super().__init__()
        self.step, self.seen = step, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.step:
            raise RuntimeError("stopped")


def fit(m, *calls, epochs=4, **kwargs):
    return m.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=list(calls), **kwargs)


def same(a, b):
    return all(np.array_equal(one, two) for one, two in zip(a.get_weights(), b.get_weights(), strict=True))


def killed(runs, kills, seed):
    out = subprocess.run(
        [sys.executable, str(SCRIPT), str(runs), str(kills), str(seed)],
        env={**os.environ, "PYTHONPATH": str(Path(ramify.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(out.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_killed_runs_end_with_the_same_bits():
    report = killed(3, 3, 1)
    assert report["differences"] == []
    assert report["runs"] == 3
    assert report["resumed"] >= 2  # the others were killed before the first backup, or were done


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_fifty_killed_runs_end_with_the_same_bits():
    report = killed(50, 3, 2026)
    assert report["differences"] == []
    assert report["runs"] == 50
    assert report["kills"] >= 50
    assert report["resumed"] >= 25


@pytest.mark.parametrize("freq", ["epoch", 1, 4])
@pytest.mark.parametrize("step", [1, 5, 6, 7, 17])
def test_an_interrupted_run_goes_on_in_the_same_process(tmp_path, freq, step):
    want = model()
    whole = fit(want, callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True))
    m = model()
    with pytest.raises(RuntimeError, match="stopped"):
        fit(m, callbacks.EarlyStopping("loss", patience=9), callbacks.BackupAndRestore(tmp_path, freq), Stop(step))
    if freq != 1 and step == 1:
        assert not (tmp_path / "latest.ckpt").exists()
        return
    fresh = model()  # as another process would make it
    early = callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    history = fit(fresh, early, callbacks.BackupAndRestore(tmp_path, freq))
    assert same(want, fresh)
    assert history.history == whole.history
    assert history.epoch == whole.epoch == [0, 1, 2, 3]
    assert list(tmp_path.iterdir()) == []  # training is done


def test_only_what_is_left_is_done(tmp_path):
    m = model()
    with pytest.raises(RuntimeError):
        fit(m, callbacks.BackupAndRestore(tmp_path, 1), Stop(9))
    seen = []
    note = callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(batch),
        on_epoch_begin=lambda epoch, logs: seen.append(-epoch),
    )
    fit(model(), callbacks.BackupAndRestore(tmp_path, 1), note, epochs=2)
    # Six batches an epoch; eight were saved, since the ninth raised before its backup.
    assert seen == [-1, 2, 3, 4, 5]


def test_hooks_that_run_again_change_nothing(tmp_path):
    """A scheduler multiplies the rate at the start of each epoch: once, although the hook is called twice."""
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    want = model()
    fit(want, halve, epochs=3)
    with pytest.raises(RuntimeError):
        fit(model(), halve, callbacks.BackupAndRestore(tmp_path, 1), Stop(9))
    m = model()
    fit(m, halve, callbacks.BackupAndRestore(tmp_path, 1), epochs=3)
    assert float(m.optimizer.learning_rate) == float(want.optimizer.learning_rate)
    assert same(want, m)


def test_a_finished_run_is_finished(tmp_path):
    m = model()
    first = fit(m, callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False), epochs=2)
    again = model()
    history = fit(again, callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False), epochs=2)
    assert same(m, again)
    assert history.history == first.history
    longer = fit(model(), callbacks.BackupAndRestore(tmp_path), epochs=3)
    assert longer.epoch == [0, 1, 2]
    assert longer.history["loss"][:2] == first.history["loss"]


def test_early_stopping_that_stopped_stays_stopped(tmp_path):
    """Killed between the last backup and the end: no epoch more is done, and the end is done again."""

    class Late(callbacks.Callback):
        def on_train_end(self, logs=None):
            raise RuntimeError("stopped")

    def early():
        return callbacks.EarlyStopping("loss", min_delta=9.0, patience=2, restore_best_weights=True)

    want = model()
    whole = fit(want, early(), epochs=9)
    assert len(whole.epoch) < 9
    with pytest.raises(RuntimeError):
        fit(model(), Late(), early(), callbacks.BackupAndRestore(tmp_path), epochs=9)
    m = model()
    history = fit(m, early(), callbacks.BackupAndRestore(tmp_path), epochs=9)
    assert history.history == whole.history
    assert same(want, m)


def test_a_damaged_backup_is_refused_or_passed_over(tmp_path):
    def begun(double):
        with pytest.raises(RuntimeError):
            fit(model(), callbacks.BackupAndRestore(tmp_path, 1, double_checkpoint=double), Stop(9))
        return tmp_path / "latest.ckpt"

    want = model()
    fit(want)
    latest = begun(double=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest.ckpt", "previous.ckpt"]
    data = bytearray(latest.read_bytes())
    data[-3] ^= 1
    latest.write_bytes(data)
    m = model()
    fit(m, callbacks.BackupAndRestore(tmp_path, 1, double_checkpoint=True))
    assert same(want, m)
    latest = begun(double=False)
    whole = latest.read_bytes()
    for damaged in (whole[:-10], whole[:50], b"", b"x" * 200, whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:]):
        latest.write_bytes(damaged)
        with pytest.raises(FileFormatError, match="delete the folder"):
            fit(model(), callbacks.BackupAndRestore(tmp_path, 1))
    latest.write_bytes(whole)
    m = model()
    fit(m, callbacks.BackupAndRestore(tmp_path, 1))
    assert same(want, m)


def test_another_model_is_refused(tmp_path):
    with pytest.raises(RuntimeError):
        fit(model(), callbacks.BackupAndRestore(tmp_path, 1), Stop(4))
    x = ramify.Input((3,))
    other = ramify.Model(x, layers.Dense(1)(x))
    other.compile("adam", "mse", metrics=["mae"])
    before = other.get_weights()
    with pytest.raises(FileFormatError, match=r"missing|belongs to nothing|shape"):
        fit(other, callbacks.BackupAndRestore(tmp_path, 1))
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))
    other = model()
    other.compile("sgd", "mse", metrics=["mae"])
    with pytest.raises(FileFormatError, match=r"optimizer|variables"):
        fit(other, callbacks.BackupAndRestore(tmp_path, 1))


def test_less_data_than_before(tmp_path):
    with pytest.raises(RuntimeError):
        fit(model(), callbacks.BackupAndRestore(tmp_path, 1), Stop(6))
    with pytest.raises(ArgumentError, match="same data"):
        model().fit(
            X[:8], Y[:8], batch_size=4, epochs=4, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, 1)]
        )


def test_leavings_of_a_killed_process_are_taken_away(tmp_path):
    left = tmp_path / ".latest.ckpt.0123456789ab.tmp"
    left.write_bytes(b"half")
    fit(model(), callbacks.BackupAndRestore(tmp_path), epochs=1)
    assert list(tmp_path.iterdir()) == []


def test_arguments():
    for arguments, message in (
        ({"backup_dir": ""}, "folder"),
        ({"backup_dir": "a", "save_freq": "hour"}, "save_freq"),
        ({"backup_dir": "a", "save_freq": 0}, "save_freq"),
        ({"backup_dir": "a", "save_freq": False}, "Nothing would ever"),
    ):
        with pytest.raises(ArgumentError, match=message):
            callbacks.BackupAndRestore(**arguments)


@pytest.mark.parametrize(
    ("hook", "at"), [("on_train_batch_begin", 8), ("on_train_batch_end", 12), ("on_epoch_end", 12)]
)
def test_a_signal_saves_and_ends(tmp_path, hook, at):
    want = model()
    whole = fit(want)
    before = signal.getsignal(signal.SIGTERM)

    class Signal(callbacks.Callback):
        def send(self, *args, logs=None):
            if self.model.optimizer.iterations == at:
                os.kill(os.getpid(), signal.SIGTERM)

    setattr(Signal, hook, Signal.send)
    with pytest.raises(SystemExit) as ended:
        fit(model(), Signal(), callbacks.BackupAndRestore(tmp_path, save_freq=False, save_before_preemption=True))
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    m = model()
    history = fit(m, callbacks.BackupAndRestore(tmp_path, save_freq=False, save_before_preemption=True))
    assert m.optimizer.iterations == 24
    assert history.history == whole.history
    assert same(want, m)


def test_a_signal_that_comes_too_late_is_not_lost(tmp_path):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *args: heard.append(args))
    try:
        late = callbacks.LambdaCallback(on_train_end=lambda logs: os.kill(os.getpid(), signal.SIGTERM))
        fit(model(), late, callbacks.BackupAndRestore(tmp_path, save_before_preemption=True), epochs=1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(heard) == 1


class Stateful:
    """A loader that can be told where to go on, as torchdata's can; it notes what it makes."""

    def __init__(self):
        self.at, self.made = 0, []

    def __len__(self):
        return 6

    def __iter__(self):
        while self.at < 6:
            rows = slice(4 * self.at, 4 * self.at + 4)
            self.made.append(self.at)
            self.at += 1
            yield X[rows], Y[rows]
        self.at = 0

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.at = state["at"]


def test_a_loader_that_keeps_its_place_is_told(tmp_path):
    want = model()
    whole = want.fit(Stateful(), epochs=3, verbose=0)
    with pytest.raises(RuntimeError):
        model().fit(Stateful(), epochs=3, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, 1), Stop(10)])
    m, source = model(), Stateful()
    history = m.fit(source, epochs=3, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, 1)])
    # Nine batches were saved; one more is made to see what steps make, and made again.
    assert source.made[-9:] == [3, 4, 5, 0, 1, 2, 3, 4, 5]
    assert history.history == whole.history
    assert same(want, m)


class Pair(ramify.Model):
    """Two optimizers, a step of its own, layers that exist from the first step on."""

    def __init__(self):
        super().__init__()
        self.one, self.two = layers.Dense(4), layers.Dense(1)
        self.first, self.second = ramify.optimizers.Adam(0.01), ramify.optimizers.SGD(0.01, momentum=0.9)
        self.seen = ramify.metrics.Mean(name="seen")

    def train_step(self, data):
        x, y = data
        loss = ((self.two(torch.tanh(self.one(x))) - y) ** 2).mean()
        for layer, optimizer in ((self.one, self.first), (self.two, self.second)):
            grads = torch.autograd.grad(loss, layer.trainable_weights, retain_graph=True)
            optimizer.apply(grads, layer.trainable_weights)
        self.seen.update_state(loss.detach())
        return {"seen": self.seen.result(), "last": loss.detach()}


def pair():
    ramify.utils.set_random_seed(5)
    made = Pair()
    made.compile()
    return made


@pytest.mark.parametrize("step", [8, 12])
def test_a_step_of_its_own_with_two_optimizers(tmp_path, step):
    want = pair()
    whole = fit(want)
    with pytest.raises(RuntimeError):
        fit(pair(), callbacks.BackupAndRestore(tmp_path, 1), Stop(step + 1))
    m = pair()
    history = fit(m, callbacks.BackupAndRestore(tmp_path, 1))
    assert history.history == whole.history
    assert same(want, m)
    momenta = [[v.numpy() for v in one.second.variables] for one in (want, m)]
    assert all(np.array_equal(a, b) for a, b in zip(*momenta, strict=True))
