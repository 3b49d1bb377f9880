"""What is replayed and what is not, and that nothing that changes between steps goes unnoticed."""

from __future__ import annotations

import copy
import logging
import subprocess
import sys

import numpy as np
import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.training.capture import engine as module

X = np.random.default_rng(0).random((40, 4), dtype=np.float32)
Y = X.sum(1, keepdims=True)


def make(*middle, how="captured", **arguments):
    ramify.utils.set_random_seed(1)
    x = ramify.Input((4,))
    y = layers.Dense(3, name="first")(x)
    for layer in middle:
        y = layer(y)
    model = ramify.Model(x, layers.Dense(1, name="last")(y))
    model.compile(**({"optimizer": ramify.optimizers.Adam(0.01), "loss": "mse"} | arguments), jit_compile=how)
    return model


def warm(model, steps=4):
    return [model.train_on_batch(X[:8], Y[:8]) for _ in range(steps)]


def why(model):
    return list(model.engine_report.values())[2]


def is_replayed(model):
    return why(model) == "replayed from a recording"


def test_steps_are_replayed_without_modules(monkeypatch):
    model = make()
    warm(model)
    monkeypatch.setattr(layers.Dense, "call", None)
    assert len(warm(model)) == 4
    assert is_replayed(model)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("sequences", [False, True])
def test_recurrent_layers_are_replayed(name, sequences):
    def run(how):
        ramify.utils.set_random_seed(1)
        x = ramify.Input((5, 4))
        y = getattr(layers, name)(3, return_sequences=sequences)(x)
        model = ramify.Model(x, layers.Dense(1)(layers.Flatten()(y)))
        model.compile("adam", "mse", jit_compile=how)
        return model, [model.train_on_batch(X.reshape(8, 5, 4), Y[:8]) for _ in range(6)]

    model, losses = run("captured")
    assert is_replayed(model)
    assert losses == run(False)[1]


def test_constants_are_made_once_and_sums_drop_their_axes(monkeypatch):
    programs = []

    def kept(program, budget):
        programs.append(rewrite(program, budget))
        return programs[-1]

    rewrite = module.rewrite
    monkeypatch.setattr(module, "rewrite", kept)
    warm(make())
    told = programs[0].rewrites
    assert told["sums"] == 2  # the gradients of two biases
    assert told["constants"] >= 1
    called = [str(op.func) for op in programs[0].ops]
    assert not any("ones_like" in name or "zeros" in name for name in called)


# ---- what is not replayed, and why ----


class ByData(layers.Layer):
    def compute_output_shape(self, input_shape):
        return input_shape


class ReadsANumber(ByData):
    def call(self, x):
        return x * 2 if float(x.detach().sum()) > 0 else x


class ReadsAnArray(ByData):
    def call(self, x):
        return x if x.is_meta else x * float(x.detach().numpy().max())


class KeepsATensor(layers.Layer):
    def call(self, x):
        self.__dict__["seen"] = x.detach()
        return x


class Counts(layers.Layer):
    steps = 0

    def call(self, x):
        self.__dict__["steps"] = self.steps + 1
        return x * self.steps


class Selects(ByData):
    def call(self, x):
        return x + x[x > 0].sum()


class DrawsAnew(layers.Layer):
    def call(self, x):
        return x + ramify.random.normal((3,), seed=3)


class MakesNumbers(layers.Layer):
    def call(self, x):
        return x + torch.from_numpy(np.random.default_rng().random(3, np.float32))


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (ReadsANumber, "depends on the numbers"),
        (ReadsAnArray, "by `numpy`"),
        (KeepsATensor, "still held"),
        (Counts, "other arguments"),
        (Selects, "depends on the numbers"),
        (DrawsAnew, "other arguments"),
        (MakesNumbers, "other numbers in the next step"),
    ],
)
def test_what_a_recording_cannot_hold_stays_eager(layer, reason):
    def run(how):
        model = make(layer(), how=how)
        torch.manual_seed(2)
        return model, [model.train_on_batch(X[:8], Y[:8]) for _ in range(8)]

    model, losses = run("captured")
    assert reason in why(model)
    if layer is not MakesNumbers:
        assert losses == run(False)[1]


def test_a_metric_that_gathers_in_a_list_stays_eager():
    class Gathers(ramify.metrics.Metric):
        seen = ()

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen = (*self.seen, y_pred.detach())

        def result(self):
            return torch.tensor(float(len(self.seen)))

        def reset_state(self):
            """Nothing is forgotten."""

    metric = Gathers()
    model = make(metrics=[metric])
    warm(model, 9)
    assert len(metric.seen) == 9
    assert "still held" in why(model)


def test_hooks_are_heard():
    heard = []
    model = make()
    handle = model.get_layer("first").register_forward_hook(lambda *_: heard.append(1))
    warm(model, 6)
    assert len(heard) == 6
    assert "hooks" in why(model)
    handle.remove()
    model.compile("sgd", "mse", jit_compile="captured")
    warm(model)
    assert is_replayed(model)
    heard.clear()
    model.get_layer("first").register_forward_hook(lambda *_: heard.append(1))
    warm(model, 3)
    assert len(heard) == 3


def test_a_step_of_ones_own_runs_as_written():
    class Own(ramify.Model):
        def train_step(self, data):
            self.__dict__["count"] = self.__dict__.get("count", 0) + 1
            return super().train_step(data)

    x = ramify.Input((4,))
    model = Own(x, layers.Dense(1)(x))
    model.compile("sgd", "mse", jit_compile="captured")
    warm(model, 7)
    assert model.count == 7
    assert "train_step" in model.engine_report["why"]


def test_run_eagerly_and_false_are_eager():
    for arguments in ({"run_eagerly": True}, {"how": False}):
        model = make(**arguments)
        warm(model, 5)
        assert model.engine_report["engine"] == "eager"


@pytest.mark.parametrize("arguments", [{"jit_compile": "fast"}, {"memory_budget": 0}, {"memory_budget": "half"}])
def test_ways_that_there_are_not(arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        make().compile("sgd", "mse", **arguments)


# ---- what changes between steps ----

CHANGES = {
    "weights set": lambda m: m.set_weights([w * 0.5 for w in m.get_weights()]),
    "one weight assigned": lambda m: m.get_layer("first").kernel.assign(np.ones((4, 3))),
    "other memory": lambda m: setattr(m.get_layer("first").kernel, "data", m.get_layer("first").kernel.data * 0.5),
    "a layer frozen": lambda m: setattr(m.get_layer("first"), "trainable", False),
    "a weight frozen by torch": lambda m: m.get_layer("first").kernel.requires_grad_(False),
    "another rate": lambda m: setattr(m.optimizer, "learning_rate", 0.5),
    "another dropout": lambda m: setattr(m.layers[2], "rate", 0.9),
    "another optimizer": lambda m: setattr(m, "optimizer", ramify.optimizers.SGD(0.1)),
    "compiled again": lambda m: m.compile("sgd", "mae", jit_compile=m._jit_compile),
    "moved and back": lambda m: m.double().float(),
    "another regularizer": lambda m: setattr(m.get_layer("last"), "bias", torch.nn.Parameter(torch.ones(1))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_between_steps_are_noticed(change):
    def run(how):
        model = make(layers.Dropout(0.2), how=how)
        torch.manual_seed(0)
        before = warm(model, 5)
        CHANGES[change](model)
        after = warm(model, 5)
        return [*before, *after], model.get_weights(), model

    losses, weights, _ = run(False)
    found, replayed, model = run("captured")
    assert found == losses
    assert all(np.array_equal(a, b) for a, b in zip(weights, replayed, strict=True))
    assert is_replayed(model)


def test_a_model_that_is_changed_again_and_again_is_left_alone():
    model = make(layers.Dropout(0.2))
    warm(model)
    for i in range(40):
        model.layers[2].note = i
        warm(model, 1)
    assert "again and again" in why(model)


def test_a_number_that_user_code_reads_may_change_between_epochs():
    factor = [1.0]

    def loss(y_true, y_pred):
        return factor[0] * (y_true - y_pred).square().mean(-1)

    class Anneal(ramify.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            factor[0] = 1.0 / (1 + epoch)

    def run(how):
        model = make(how=how, loss=loss)
        return model.fit(X, Y, batch_size=4, epochs=4, callbacks=[Anneal()], verbose=0).history["loss"], model

    losses = run(False)[0]
    found, model = run("captured")
    assert found == losses
    assert is_replayed(model)


def test_kinds_of_batches_have_recordings_of_their_own():
    def run(how):
        model = make(how=how, metrics=["mae"])
        history = model.fit(X[:38], Y[:38], batch_size=8, epochs=5, validation_data=(X, Y), verbose=0).history
        return history, model.evaluate(X, Y, verbose=0), model

    history, numbers, _ = run(False)
    found, evaluated, model = run("captured")
    assert found == history
    assert evaluated == numbers
    report = model.engine_report
    assert sum(how == "replayed from a recording" for how in report.values()) == 3, report


def test_only_so_many_kinds_are_recorded():
    model = make()
    for size in range(1, 13):
        for _ in range(4):
            model.train_on_batch(X[:size], Y[:size])
    told = list(model.engine_report.values())[2:]
    assert sum(how == "replayed from a recording" for how in told) == 8
    assert "too many" in told[-1]


def test_copies_and_files_do_not_share_recordings():
    model = make()
    warm(model)
    twin = copy.deepcopy(model)
    twin.set_weights(model.get_weights())
    assert warm(twin, 5) == warm(model, 5)


# ---- auto ----


def clock(monkeypatch, eager, replayed):
    """Time goes by as the steps are said to take."""
    now = [0.0]
    run, take = module.CapturedEngine._eagerly, module.CapturedEngine._take

    def eagerly(self, data, training):
        now[0] += eager
        return run(self, data, training)

    def taken(self, kind, *args):
        take(self, kind, *args)
        step = kind.step

        def slow(tensors):
            now[0] += replayed
            step(tensors)

        kind.step = slow

    monkeypatch.setattr(module.CapturedEngine, "_eagerly", eagerly)
    monkeypatch.setattr(module.CapturedEngine, "_take", taken)
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])


@pytest.mark.parametrize(("eager", "replayed", "wins"), [(2.0, 1.0, True), (1.0, 1.0, False), (1.0, 2.0, False)])
def test_auto_takes_what_is_faster_and_says_so(monkeypatch, caplog, eager, replayed, wins):
    clock(monkeypatch, eager, replayed)
    model = make(how="auto")
    with caplog.at_level(logging.INFO, "ramify.training"):
        warm(model, 30)
    assert is_replayed(model) == wins
    assert len(caplog.messages) == 1
    assert f"{eager / replayed:.2f} times as fast" in caplog.messages[0]


def test_auto_leaves_user_code_outside_of_fit_alone():
    model = make(how="auto", loss=lambda y_true, y_pred: (y_true - y_pred).abs().mean(-1))
    warm(model, 20)
    assert "user code" in why(model)


def test_auto_starts_by_operation():
    model = make(how="auto")
    warm(model, 3)
    assert why(model) == "operation by operation so far"


def test_recording_does_not_import_the_compiler():
    code = (
        "import sys, numpy as np, ramify\n"
        "x = ramify.Input((4,)); m = ramify.Model(x, ramify.layers.Dense(1)(x))\n"
        "m.compile('adam', 'mse', jit_compile='captured')\n"
        "for _ in range(5): m.train_on_batch(np.ones((2, 4)), np.ones((2, 1)))\n"
        "assert m.engine_report['engine'] == 'captured'\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
