"""SwapEMAWeights, RemoteMonitor, OrbaxCheckpoint, TensorBoard; and what happens when something raises."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import callbacks, layers
from ramify.callbacks import tensorboard
from ramify.errors import ArgumentError, FileFormatError

X = np.random.default_rng(0).random((20, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True) + 1


def model(lib=ramify, optimizer=None):
    x = lib.Input((3,))
    made = lib.Model(x, lib.layers.Dense(1, kernel_initializer="ones", name="out")(x))
    made.compile(optimizer or lib.optimizers.SGD(0.1), "mse")
    return made


def fit(m, *calls, **kwargs):
    return m.fit(
        X, Y, **{"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0, **kwargs}, callbacks=list(calls)
    )


# ---- SwapEMAWeights ----


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages_are_in_place_where_keras_has_them(swap_on_epoch):
    results = []
    for lib in (keras, ramify):
        seen = []
        hooks = "epoch_begin epoch_end test_begin test_end train_end predict_begin predict_end".split()

        def note(name, seen=seen):
            def hook(self, *args, logs=None):
                seen.append((name, float(self.model.get_weights()[1][0])))

            return hook

        spy = type("Spy", (lib.callbacks.Callback,), {f"on_{name}": note(name) for name in hooks})()
        m = model(lib, lib.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
        history = fit(m, lib.callbacks.SwapEMAWeights(swap_on_epoch), spy, validation_data=(X, Y))
        m.predict(X, verbose=0, callbacks=[spy])
        results.append((seen, history.history["val_loss"]))
    (want, losses), (got, own) = results
    assert [name for name, _ in got] == [name for name, _ in want]
    np.testing.assert_allclose([v for _, v in got], [v for _, v in want], rtol=1e-5)
    np.testing.assert_allclose(own, losses, rtol=1e-5)


def test_averages_need_an_optimizer_that_keeps_them():
    with pytest.raises(ArgumentError, match="use_ema=True"):
        fit(model(), callbacks.SwapEMAWeights(), validation_data=(X, Y))


def test_an_error_in_evaluation_gives_the_weights_back():
    m = model(optimizer=ramify.optimizers.SGD(0.1, use_ema=True))
    fit(m, epochs=1)
    m.optimizer.averages[0][1].fill_(7.0)
    before = m.get_weights()
    bad = callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        m.evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights(), bad])
    assert all(np.array_equal(a, b) for a, b in zip(before, m.get_weights(), strict=True))


# ---- RemoteMonitor ----


@pytest.fixture
def server():
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append((self.path, self.headers["Content-Type"], self.headers["X-Key"], body))
            self.send_response(500 if self.path.startswith("/broken") else 200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}", seen
        made.shutdown()
        thread.join()


def test_remote_monitor(server):
    root, seen = server
    form = callbacks.RemoteMonitor(root, headers={"X-Key": "secret"})
    plain = callbacks.RemoteMonitor(root, path="/json", send_as_json=True)
    history = fit(model(), form, plain)
    assert [path for path, *_ in seen] == ["/publish/epoch/end/", "/json"] * 2
    _, kind, key, body = seen[0]
    assert (kind, key) == ("application/x-www-form-urlencoded", "secret")
    assert json.loads(urllib.parse.parse_qs(body)["data"][0]) == {"epoch": 0, "loss": history.history["loss"][0]}
    _, kind, _, body = seen[3]
    assert kind == "application/json"
    assert json.loads(body) == {"epoch": 1, "loss": history.history["loss"][1]}


def test_a_server_that_fails_does_not_stop_training(server):
    root, _ = server
    for monitor in (callbacks.RemoteMonitor(root, "/broken"), callbacks.RemoteMonitor("http://127.0.0.1:9")):
        with pytest.warns(UserWarning, match="could not send the metrics of epoch 1"):
            assert fit(model(), monitor, epochs=1).epoch == [0]
    with pytest.raises(ArgumentError, match="http://"):
        callbacks.RemoteMonitor("file:///etc")


# ---- OrbaxCheckpoint ----


@pytest.mark.parametrize("background", [False, True])
def test_a_folder_of_checkpoints(tmp_path, background):
    keep = callbacks.OrbaxCheckpoint(tmp_path / "a", max_to_keep=2, save_on_background=background)
    m = model(optimizer=ramify.optimizers.Adam(0.1))
    fit(m, keep, epochs=4)
    assert keep.all_steps == [3, 4]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["3.ckpt", "4.ckpt"]
    other = model(optimizer=ramify.optimizers.Adam(0.1))
    fit(other, epochs=1)
    other.load_checkpoint(tmp_path / "a")
    assert all(np.array_equal(a, b) for a, b in zip(m.get_weights(), other.get_weights(), strict=True))
    assert other.optimizer.iterations == 16
    fit(m, epochs=1)
    fit(other, epochs=1)
    assert all(np.array_equal(a, b) for a, b in zip(m.get_weights(), other.get_weights(), strict=True))
    with pytest.raises(FileFormatError, match="holds no checkpoints"):
        other.load_checkpoint(tmp_path)


def test_checkpoints_of_batches_and_of_the_best(tmp_path):
    often = callbacks.OrbaxCheckpoint(tmp_path / "a", save_freq=3, max_to_keep=None)
    fit(model(), often)
    assert often.all_steps == [3, 6]

    class Given(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [1.0, 3.0, 2.0][epoch]

    best = callbacks.OrbaxCheckpoint(tmp_path / "b", "score", save_best_only=True, mode="max", max_to_keep=None)
    fit(model(), Given(), best, epochs=3)
    assert best.all_steps == [1, 2]
    weights = callbacks.OrbaxCheckpoint(tmp_path / "c", save_weights_only=True)
    m = model()
    fit(m, weights)
    other = model()
    other.load_weights(tmp_path / "c" / "2.weights.h5")
    assert np.array_equal(m.get_weights()[0], other.get_weights()[0])
    for arguments, message in (({"save_freq": 0}, "save_freq"), ({"max_to_keep": 0}, "max_to_keep")):
        with pytest.raises(ArgumentError, match=message):
            callbacks.OrbaxCheckpoint(tmp_path, **arguments)


def test_an_error_of_the_writing_thread_is_told(tmp_path, monkeypatch):
    def full(self, path):
        raise OSError("no space left")

    monkeypatch.setattr("ramify.saving.checkpoint.Snapshot.write_to", full)
    with pytest.raises(OSError, match="no space left"):
        fit(model(), callbacks.OrbaxCheckpoint(tmp_path))
    assert list(tmp_path.iterdir()) == []


# ---- TensorBoard ----


class Writer:
    """Notes what a SummaryWriter would write."""

    def __init__(self, folder, made):
        self.folder, self.made = folder.rsplit("/", 1)[-1], made

    def __getattr__(self, name):
        def method(*args, **kwargs):
            self.made.append((self.folder, name, args, kwargs))

        return method


@pytest.fixture
def written(monkeypatch):
    made = []
    monkeypatch.setattr(tensorboard, "summary_writer", lambda: lambda folder: Writer(folder, made))
    return made


def scalars(written):
    return [(folder, args[0], args[2]) for folder, name, args, _ in written if name == "add_scalar"]


def test_what_tensorboard_is_told(written, tmp_path):
    board = callbacks.TensorBoard(tmp_path, histogram_freq=2, update_freq=3, write_images=True)
    history = fit(model(), board, validation_data=(X, Y))
    assert scalars(written) == [
        ("train", "batch_loss", 3), ("validation", "evaluation_loss_vs_iterations", 4),
        ("train", "epoch_loss", 0), ("train", "epoch_learning_rate", 0), ("validation", "epoch_loss", 0),
        ("train", "batch_loss", 6), ("validation", "evaluation_loss_vs_iterations", 8),
        ("train", "epoch_loss", 1), ("train", "epoch_learning_rate", 1), ("validation", "epoch_loss", 1),
    ]  # fmt: skip
    values = [args[1] for folder, name, args, _ in written if name == "add_scalar" and args[0] == "epoch_loss"]
    assert values == [history.history[n][i] for i in (0, 1) for n in ("loss", "val_loss")]
    tags = [args[0] for _, name, args, _ in written if name in ("add_histogram", "add_image", "add_text")]
    assert tags == ["model", "out/kernel/histogram", "out/kernel/image", "out/bias/histogram"]
    assert [name for _, name, *_ in written[-2:]] == ["close", "close"]


def test_embeddings_and_profiles(written, tmp_path):
    labels = tmp_path / "labels.tsv"
    labels.write_text("a\nb\nc\n")
    x = ramify.Input((2,), dtype="int32")
    m = ramify.Model(x, layers.Dense(1)(layers.Flatten()(layers.Embedding(3, 2, name="words")(x))))
    m.compile("sgd", "mse")
    board = callbacks.TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_metadata={"words": str(labels)}, profile_batch=(2, 3),
        write_steps_per_second=True,
    )  # fmt: skip
    m.fit(np.ones((8, 2), "int32"), np.ones((8, 1)), batch_size=2, verbose=0, callbacks=[board])
    [(_, _, args, kwargs)] = [w for w in written if w[1] == "add_embedding"]
    assert tuple(args[0].shape) == (3, 2)
    assert args[1] == ["a", "b", "c"]
    assert kwargs["tag"] == "words"
    [trace] = (tmp_path / "train" / "profile").iterdir()
    assert "traceEvents" in trace.read_text()
    assert ("train", "epoch_steps_per_second", 0) in scalars(written)


def test_tensorboard_refuses_what_it_cannot_do(written, monkeypatch):
    for arguments, message in (
        ({"update_freq": "hour"}, "update_freq"),
        ({"profile_batch": (3, 2)}, "profile_batch"),
        ({"profile_batch": -1}, "profile_batch"),
    ):
        with pytest.raises(ArgumentError, match=message):
            callbacks.TensorBoard(**arguments)
    monkeypatch.undo()
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(tensorboard.TensorBoardError, match=r"ramify\[tensorboard\]"):
        callbacks.TensorBoard()


def test_event_files_can_be_read_again(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    board = callbacks.TensorBoard(tmp_path, histogram_freq=1, update_freq="batch")
    history = fit(model(), board, validation_data=(X, Y))
    found = {}
    for path in sorted(tmp_path.rglob("events*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                number = value.simple_value if value.HasField("simple_value") else value.tensor.float_val[:1]
                found.setdefault(f"{path.parent.name}/{value.tag}", []).append((event.step, number))
    assert [step for step, _ in found["train/batch_loss"]] == list(range(1, 9))
    losses = [number[0] for _, number in found["validation/epoch_loss"]]
    np.testing.assert_allclose(losses, history.history["val_loss"], rtol=1e-6)
    assert "train/out/kernel/histogram" in found


# ---- errors ----


class Raises(callbacks.Callback):
    def __init__(self, hook, error):
        super().__init__()
        setattr(self, hook, self.throw)
        self.error = error

    def throw(self, *args, **kwargs):
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("callback"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    "hook",
    "on_train_begin on_epoch_begin on_train_batch_begin on_train_batch_end on_test_begin on_test_batch_end "
    "on_epoch_end on_train_end".split(),
)
def test_a_callback_that_raises_leaves_the_model_usable(hook, error):
    m = model()
    want = model()
    want.evaluate(X, Y, verbose=0)
    with pytest.raises(type(error)):
        fit(m, Raises(hook, error), validation_data=(X, Y))
    assert not m.training
    assert m.training_run is None
    assert torch.is_grad_enabled()
    assert fit(m).epoch == [0, 1]
    assert m.predict(X, verbose=0).shape == (20, 1)
    assert m.evaluate(X, Y, verbose=0) < 1.0


def test_callbacks_are_told_of_an_exception_and_their_own_do_not_hide_it():
    seen = []
    tell = callbacks.LambdaCallback(on_exception=seen.append)
    broken = callbacks.LambdaCallback(on_exception=lambda error: 1 / 0)
    with pytest.raises(RuntimeError, match="callback") as raised:
        fit(model(), broken, tell, Raises("on_train_batch_end", RuntimeError("callback")))
    assert seen == [raised.value]
    assert "ZeroDivisionError" in raised.value.__notes__[0]


def test_a_generator_that_raises_leaves_the_model_usable():
    def bad():
        yield X[:4], Y[:4]
        raise ValueError("the disk is gone")

    m = model()
    with pytest.raises(ValueError, match="the disk is gone"):
        m.fit(bad(), steps_per_epoch=3, verbose=0)
    assert fit(m).epoch == [0, 1]


def test_nan_targets_end_training_and_weights_of_before_come_back():
    m = model()
    before = m.get_weights()
    y = Y.copy()
    y[12] = np.nan
    history = fit(m, callbacks.TerminateOnNaN(), epochs=5, validation_data=(X, Y))
    assert history.epoch == [0, 1, 2, 3, 4]
    history = m.fit(X, y, batch_size=5, epochs=5, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert history.epoch == [0]
    assert np.isnan(history.history["loss"][0])
    m.set_weights(before)
    assert np.isfinite(fit(m).history["loss"]).all()
