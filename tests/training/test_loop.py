"""`fit`, `evaluate` and `predict`: what they do, in which order, and what they leave behind."""

from __future__ import annotations

import copy
import functools
import pickle

import numpy as np
import pytest
import torch

import ramify
from ramify.callbacks import Callback

X = np.random.default_rng(0).random((40, 4), dtype=np.float32)
Y = X.sum(1, keepdims=True)


def model(outputs=1, **arguments):
    x = ramify.Input((4,), name="x")
    heads = [ramify.layers.Dense(1, name=name)(x) for name in "abcdef"[:outputs]]
    made = ramify.Model(x, heads[0] if outputs == 1 else heads)
    made.compile(**({"optimizer": "sgd", "loss": "mse"} | arguments))
    return made


def test_training_learns():
    m = model(optimizer=ramify.optimizers.Adam(0.05))
    losses = m.fit(X, Y, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < 0.01 * losses[0]


def test_shuffling_follows_torchs_seed_and_visits_every_sample_once():
    seen = []

    class Spy(ramify.Model):
        def train_step(self, data):
            seen.append(data[0][:, 0].clone())
            return super().train_step(data)

    x = ramify.Input((4,))
    m = Spy(x, ramify.layers.Dense(1)(x))
    m.compile("sgd", "mse")
    orders = []
    for seed in (1, 1, 2):
        seen.clear()
        torch.manual_seed(seed)
        m.fit(X, Y, batch_size=7, verbose=0)
        orders.append(torch.cat(seen))
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])
    assert np.array_equal(np.sort(orders[0].numpy()), np.sort(X[:, 0]))


def test_the_flag_for_training_is_set_within_and_restored():
    flags = {}

    class Spy(ramify.Layer):
        def forward(self, x):
            flags.setdefault(self.stage, self.training)
            return x * 1.0

    spy = Spy()
    spy.stage = "build"
    x = ramify.Input((4,))
    m = ramify.Model(x, ramify.layers.Dense(1)(spy(x)))
    m.compile("sgd", "mse")
    for stage, call in (
        ("fit", lambda: m.fit(X, Y, verbose=0)),
        ("evaluate", lambda: m.evaluate(X, Y, verbose=0)),
        ("train_on_batch", lambda: m.train_on_batch(X, Y)),
        ("predict", lambda: m.predict(X, verbose=0)),
    ):
        spy.stage = stage
        call()
        assert not m.training
        assert not spy.training
    flags.pop("build")
    assert flags == {"fit": True, "evaluate": False, "train_on_batch": True, "predict": False}


def test_a_train_method_of_ones_own_has_the_last_word():
    class Frozen(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(4)

        def train(self, mode=True):
            super().train(mode)
            self.norm.eval()
            return self

    inner = Frozen()
    from ramify.training.engine import set_mode

    holder = torch.nn.Sequential(inner, torch.nn.Dropout())
    holder.eval()
    set_mode(holder, training=True)
    assert [holder.training, inner.training, inner.norm.training, holder[1].training] == [True, True, False, True]


def test_dropout_is_on_in_training_and_off_elsewhere():
    x = ramify.Input((4,))
    m = ramify.Model(x, ramify.layers.Dropout(0.5)(x))
    m.compile("sgd", "mse")
    assert m.evaluate(X, X, verbose=0) == 0
    with pytest.warns(UserWarning, match="no weights to train"):
        assert m.train_on_batch(X, X) > 0
    assert np.array_equal(m.predict(X, verbose=0), X)


def test_frozen_weights_stay_and_thawed_ones_move():
    x = ramify.Input((4,))
    first = ramify.layers.Dense(3, name="first")
    m = ramify.Model(x, ramify.layers.Dense(1)(first(x)))
    m.compile(ramify.optimizers.SGD(0.1), "mse")
    before = first.kernel.detach().clone()
    first.trainable = False
    m.fit(X, Y, verbose=0)
    assert torch.equal(before, first.kernel)
    first.trainable = True
    m.compile(ramify.optimizers.SGD(0.1), "mse")
    m.train_on_batch(X, Y)
    assert not torch.equal(before, first.kernel)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda m: torch.optim.SGD(m.parameters(), lr=0.01),
        lambda m: torch.optim.AdamW,
        lambda m: functools.partial(torch.optim.RMSprop, lr=0.01),
    ],
)
def test_torchs_optimizers(optimizer):
    m = model()
    m.compile(optimizer(m), torch.nn.MSELoss())
    losses = m.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_hooks_come_in_order_with_their_logs():
    seen = []

    class Spy(Callback):
        pass

    def hook(name):
        def method(self, *args):
            *index, logs = args or ({},)
            seen.append((name, *index, *sorted(logs or {})))

        return method

    for name in [n for n in vars(Callback) if n.startswith("on_") and n not in ("on_batch_begin", "on_batch_end")]:
        setattr(Spy, name, hook(name))
    model().fit(X, Y, batch_size=20, verbose=0, validation_data=(X[:4], Y[:4]), callbacks=[Spy()])
    assert seen == [
        ("on_train_begin",),
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0, "loss"),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1, "loss"),
        ("on_test_begin",),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0, "loss"),
        ("on_test_end", "loss"),
        ("on_epoch_end", 0, "loss", "val_loss"),
        ("on_train_end", "loss", "val_loss"),
    ]
    seen.clear()
    model().predict(X, batch_size=20, verbose=0, callbacks=[Spy()])
    assert seen[1:3] == [("on_predict_batch_begin", 0), ("on_predict_batch_end", 0, "outputs")]


def test_logs_kept_by_a_callback_are_those_of_their_batch():
    kept = []

    class Keep(Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs)

    m = model(optimizer=ramify.optimizers.SGD(0.0))
    m.fit(X, Y, batch_size=10, shuffle=False, verbose=0, callbacks=[Keep()])
    each = [m.train_on_batch(X[i : i + 10], Y[i : i + 10]) for i in range(0, 40, 10)]
    assert [logs["loss"] for logs in kept] == pytest.approx(np.cumsum(each) / np.arange(1, 5))


def test_compile_config_makes_an_equal_model():
    m = model(outputs=2, loss={"a": "mse", "b": ramify.losses.Huber()}, metrics={"b": ["mae"]}, loss_weights=[1.0, 2.0])
    config = m.get_compile_config()
    other = model(outputs=2)
    other.set_weights(m.get_weights())
    other.compile_from_config(config)
    one, two = (k.fit(X, [Y, Y], shuffle=False, verbose=0).history for k in (m, other))
    assert one == two
    assert other.get_compile_config() == config
    assert ramify.Model(m.inputs, m.outputs).get_compile_config() is None


def test_compiled_models_can_be_copied_and_pickled():
    m = model(metrics=["mae"])
    m.fit(X, Y, verbose=0)
    for other in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert other.evaluate(X, Y, verbose=0) == pytest.approx(m.evaluate(X, Y, verbose=0))
        other.fit(X, Y, verbose=0)
        assert other.evaluate(X, Y, verbose=0) != m.evaluate(X, Y, verbose=0)


def test_models_that_are_built_by_their_data():
    m = ramify.Sequential([ramify.layers.Dense(3, activation="relu"), ramify.layers.Dense(1)])
    m.compile("sgd", "mse", metrics=["mae"])
    history = m.fit(X, Y, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def two_inputs():
    a, b = ramify.Input((2,), name="a"), ramify.Input((3,), name="b")
    joined = ramify.layers.Concatenate()([ramify.layers.Dense(4, activation="tanh")(a), b])
    return ramify.Model([a, b], {"sum": ramify.layers.Dense(1)(joined), "rest": joined})


@pytest.mark.parametrize("nest", [list, tuple, lambda parts: dict(zip("ab", parts, strict=True))])
def test_one_batch_of_several_inputs_is_predicted_the_short_way(nest, monkeypatch):
    m, (a, b) = two_inputs(), (X[:3, :2], np.ones((3, 3)))
    data = nest([a, torch.from_numpy(b)])
    expected = m.predict(data, verbose=0, callbacks=[])  # callbacks are told of batches: the long way
    monkeypatch.setattr("ramify.training.trainer.adapter_for", None)  # the long way would call it
    found = m.predict(data, verbose=0)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert type(found[name]) is np.ndarray
        np.testing.assert_array_equal(found[name], values)
    monkeypatch.undo()
    np.testing.assert_allclose(m.predict(data, batch_size=2, verbose=0)["sum"], expected["sum"], rtol=1e-5)


@pytest.mark.parametrize(
    "data",
    [
        [X[:3, :2], np.ones((2, 3))],
        [X[:0, :2], np.ones((0, 3))],
        [X[:3, :2], np.array([["a"] * 3] * 3)],
        {"a": X[:3, :2], "b": np.array([[None] * 3] * 3)},
        {"a": X[:3, :2], "c": np.ones((3, 3))},
        [X[:3, :2]],
        [X[:3, :2], np.ones((3, 4))],
        [X[:3, :2], np.float32(1)],
    ],
)
def test_bad_input_is_refused_in_the_same_words_on_the_short_way(data):
    m = two_inputs()
    with pytest.raises(ramify.errors.RamifyError) as long:
        m.predict(data, verbose=0, callbacks=[])
    with pytest.raises(type(long.value)) as short:
        m.predict(data, verbose=0)
    assert str(short.value) == str(long.value)


def test_predictions_do_not_depend_on_the_size_of_batches():
    m = model(outputs=2)
    whole = m.predict(X, batch_size=40, verbose=0)
    for size in (1, 7, 39):
        for one, two in zip(whole, m.predict(X, batch_size=size, verbose=0), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
