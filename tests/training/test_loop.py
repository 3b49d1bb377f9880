"""`fit`, `evaluate`, `predict` and the steps: what they do, what they refuse, and that they leave the model usable."""

from __future__ import annotations

import copy
import functools
import pickle
import warnings

import numpy as np
import pytest
import torch

import ramify
from ramify.callbacks import Callback
from ramify.errors import ArgumentError, NotCompiledError

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


def test_add_loss_and_regularizers_count():
    class Penalty(ramify.Layer):
        def call(self, x):
            self.add_loss(x.sum() * 0.01)
            return x

    x = ramify.Input((4,))
    y = Penalty()(ramify.layers.Dense(1, kernel_regularizer="l2")(x))
    m = ramify.Model(x, y)
    m.compile("sgd")
    kernel = m.trainable_weights[0].detach().clone()
    out = torch.from_numpy(m.predict(X, verbose=0))
    want = float(out.sum() * 0.01 + 0.01 * kernel.square().sum())
    for _ in range(2):  # twice: nothing is left over from the call before
        assert m.evaluate(X, batch_size=40, verbose=0) == pytest.approx(want, rel=1e-5)
    assert m.fit(X, batch_size=40, verbose=0).history["loss"][0] == pytest.approx(want, rel=1e-5)
    assert not torch.equal(kernel, m.trainable_weights[0])


def test_add_loss_in_a_subclassed_model():
    class Sub(ramify.Model):
        def __init__(self):
            super().__init__()
            self.dense = ramify.layers.Dense(1)

        def call(self, x):
            self.add_loss(torch.tensor(5.0))
            return self.dense(x) * 0

    m = Sub()
    m.compile("sgd", "mse")
    for _ in range(2):
        assert m.fit(X, Y * 0, verbose=0, epochs=2).history["loss"] == pytest.approx([5.0, 5.0])


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


def test_a_plain_torch_loop_gives_what_fit_gives():
    m = model()
    other = copy.deepcopy(m)
    m.fit(X, Y, batch_size=10, epochs=2, shuffle=False, verbose=0)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.01)
    for _ in range(2):
        for i in range(0, 40, 10):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(other(torch.from_numpy(X[i : i + 10])), torch.from_numpy(Y[i : i + 10]))
            loss.backward()
            optimizer.step()
    for one, two in zip(m.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_functions_as_losses_and_metrics():
    def worst(y_true, y_pred):
        return (y_true - y_pred).abs().amax(-1)

    history = model(loss=lambda t, p: ((t - p) ** 2).mean(-1), metrics=[worst]).fit(X, Y, verbose=0).history
    assert list(history) == ["loss", "worst"]


def test_several_optimizers_in_a_step_of_ones_own():
    class Pair(ramify.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = ramify.layers.Dense(1), ramify.layers.Dense(1)

        def compile(self, first, second):
            super().compile(first, "mse")
            self.second = second

        def call(self, x):
            return self.one(x) + self.two(x)

        def train_step(self, data):
            x, y = data
            for layer, optimizer in ((self.one, self.optimizer), (self.two, self.second)):
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
                grads = torch.autograd.grad(loss, layer.trainable_weights)
                optimizer.apply(grads, layer.trainable_weights)
            return {"mine": loss}

        def test_step(self, data):
            return {"mine": torch.tensor(3.0)}

    m = Pair()
    m.compile(ramify.optimizers.Adam(0.05), ramify.optimizers.SGD(0.05))
    history = m.fit(X, Y, epochs=20, verbose=0, validation_data=(X, Y)).history
    assert list(history) == ["mine", "val_mine"]
    assert history["mine"][-1] < history["mine"][0] / 2
    assert m.evaluate(X, Y, verbose=0) == 3.0


def test_overridden_compute_loss_and_metrics():
    class Own(ramify.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return super().compute_loss(x, y, y_pred, sample_weight, training) + 100

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "size": y.shape[0]}

    x = ramify.Input((4,))
    m = Own(x, ramify.layers.Dense(1)(x))
    m.compile("sgd", "mse", metrics=["mae"])
    history = m.fit(X, Y, verbose=0, batch_size=40).history
    assert list(history) == ["loss", "mae", "size"]
    assert history["loss"][0] > 100
    assert history["size"] == [40]


def test_overridden_predict_step():
    class Twice(ramify.Model):
        def predict_step(self, data):
            return super().predict_step(data) * 2

    x = ramify.Input((4,))
    m = Twice(x, ramify.layers.Dense(1)(x))
    np.testing.assert_allclose(m.predict(X, verbose=0), 2 * m(torch.from_numpy(X)).detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(m.predict(X[:3], verbose=0), m.predict_on_batch(X[:3]), rtol=1e-6)


def test_masks_reach_the_loss():
    class Masked(ramify.Layer):
        def call(self, x):
            y = x * 1.0
            y._ramify_mask = x[..., 0] > 0.5
            return y

    class Sub(ramify.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.mask = ramify.layers.Dense(1), Masked()

        def call(self, x):
            return self.dense(self.mask(x)) * 1.0

        def predictions(self, x):
            return self(x)

    x, y = torch.rand(4, 5, 2), torch.rand(4, 5, 1)
    m = model()
    pred = torch.rand(4, 5, 1)
    pred._ramify_mask = torch.arange(5).expand(4, 5) < 3
    want = ((pred - y) ** 2)[:, :3].mean()
    torch.testing.assert_close(m.compute_loss(x, y, pred), want)


def test_steps_per_execution_groups_batches():
    seen = []

    class Spy(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            seen.append(("end", batch))

    model(steps_per_execution=3).fit(X, Y, batch_size=8, verbose=0, callbacks=[Spy()])
    assert seen == [("begin", 0), ("end", 2), ("begin", 3), ("end", 4)]


def test_jit_compile_gives_the_same_numbers():
    m = model(jit_compile=True)
    other = copy.deepcopy(m)
    other.compile("sgd", "mse")
    assert m.jit_compile
    assert not other.jit_compile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own
        one = m.fit(X, Y, shuffle=False, verbose=0, epochs=2).history["loss"]
    assert one == pytest.approx(other.fit(X, Y, shuffle=False, verbose=0, epochs=2).history["loss"], rel=1e-5)


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


def test_what_batch_methods_return():
    m = model(metrics=["mae"])
    assert [type(v) for v in m.train_on_batch(X, Y)] == [float, float]
    assert list(m.test_on_batch(X, Y, return_dict=True)) == ["loss", "mae"]
    assert isinstance(model().test_on_batch(X, Y), float)
    out = model(outputs=2).predict_on_batch(X)
    assert [o.shape for o in out] == [(40, 1), (40, 1)]


def test_sample_weight_and_class_weight_in_batch_methods():
    m = model(optimizer=ramify.optimizers.SGD(0.0))
    labels = (Y > 2).astype("int64")
    m.reset_metrics()
    one = m.train_on_batch(X, labels, class_weight={1: 3.0})
    m.reset_metrics()
    two = m.train_on_batch(X, labels, sample_weight=np.where(labels[:, 0] == 1, 3.0, 1.0))
    assert one == pytest.approx(two)


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


def test_a_model_that_is_not_compiled():
    x = ramify.Input((4,))
    m = ramify.Model(x, ramify.layers.Dense(1)(x))
    for call in (lambda: m.fit(X, Y), lambda: m.evaluate(X, Y), lambda: m.train_on_batch(X, Y)):
        with pytest.raises(NotCompiledError, match="Call `compile"):
            call()
    assert m.predict(X, verbose=0).shape == (40, 1)


@pytest.mark.parametrize(
    ("arguments", "y", "message"),
    [
        ({"loss": None}, Y, "no loss to compute"),
        ({}, None, "No target for the output 'a'"),
        ({"outputs": 2}, Y, "y is one array, but the model has 2 outputs"),
        ({"outputs": 2}, [Y, None], "No target for the output 'b'"),
        ({"outputs": 2}, {"a": Y, "c": Y}, "y has the key 'c', but the model's outputs are 'a', 'b'"),
        ({"outputs": 2}, [Y, Y, Y], "y is a list with 3 entries, but the model has 2 outputs"),
        ({"outputs": 2, "loss": {"z": "mse"}}, [Y, Y], "loss has the key 'z', but the model's outputs are 'a', 'b'"),
        ({"outputs": 2, "loss": ["mse"]}, [Y, Y], "loss is a list with 1 entries, but the model has 2 outputs"),
        ({"outputs": 2, "metrics": {"z": ["mse"]}}, [Y, Y], "metrics has the key 'z'"),
        ({"outputs": 2, "metrics": ["mae"]}, [Y, Y], "metrics is a list with 1 entries"),
        ({"outputs": 2, "loss_weights": {"z": 1}}, [Y, Y], "loss_weights has the key 'z'"),
        ({"outputs": 2, "loss": {"a": "mse"}, "metrics": {"b": ["mae"]}}, {"a": Y}, "which has the metric 'mae'"),
        ({"loss": ramify.losses.MeanSquaredError(reduction=None)}, Y, "training minimises one"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_model_stays_usable(arguments, y, message):
    m = model(**arguments)
    with pytest.raises(ArgumentError, match=message):
        m.fit(X, y, verbose=0)
    assert not m.training
    outputs = arguments.get("outputs", 1)
    m.compile("sgd", "mse")
    m.fit(X, [Y] * outputs if outputs > 1 else Y, verbose=0)


def test_outputs_without_a_loss_need_no_target():
    m = model(outputs=2, loss={"a": "mse"})
    assert list(m.fit(X, {"a": Y}, verbose=0).history) == ["loss"]
    assert list(m.fit(X, [Y, None], verbose=0).history) == ["loss"]


def test_unknown_names_are_refused_at_once():
    with pytest.raises(ArgumentError, match="mean_squard"):
        model(loss="mean_squard")
    with pytest.raises(ArgumentError, match="verbose"):
        model().fit(X, Y, verbose=7)
    with pytest.raises(ArgumentError, match="steps_per_execution"):
        model(steps_per_execution=0)


def test_models_that_are_built_by_their_data():
    m = ramify.Sequential([ramify.layers.Dense(3, activation="relu"), ramify.layers.Dense(1)])
    m.compile("sgd", "mse", metrics=["mae"])
    history = m.fit(X, Y, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_predictions_do_not_depend_on_the_size_of_batches():
    m = model(outputs=2)
    whole = m.predict(X, batch_size=40, verbose=0)
    for size in (1, 7, 39):
        for one, two in zip(whole, m.predict(X, batch_size=size, verbose=0), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_no_step_waits_for_numbers(monkeypatch):
    """Between the first and the last batch of an epoch no tensor becomes a Python number."""
    m = model(outputs=2, metrics=[["mae"], ["mae"]])
    m.fit(X, [Y, Y], verbose=0)
    asked = []
    for name in ("item", "tolist", "__float__", "__int__", "__bool__", "numpy"):
        plain = getattr(torch.Tensor, name)

        def spy(self, *args, _plain=plain, _name=name, **kwargs):
            asked.append(_name)
            return _plain(self, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, spy)
    m.fit(X, [Y, Y], batch_size=1, verbose=2)
    assert len(asked) <= 10  # the numbers of the epoch
