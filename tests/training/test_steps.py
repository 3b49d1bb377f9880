"""Steps on batches: what is minimised and measured, what users override, and how steps are run."""

from __future__ import annotations

import copy
import warnings

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
