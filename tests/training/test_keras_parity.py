"""History, logs and results equal those of the real Keras, on the same weights and the same data."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:keras")

N = 50
RNG = np.random.default_rng(0)
A = RNG.random((N, 4), dtype=np.float32)
B = RNG.random((N, 3), dtype=np.float32)
CLASSES = RNG.integers(0, 3, N)
REAL = RNG.random((N, 1), dtype=np.float32)
WEIGHT = RNG.random(N).astype("float32")


def build(lib, outputs):
    """A two-branch model with a regularizer; `outputs` arranges its two heads."""
    a, b = lib.Input((4,), name="a"), lib.Input((3,), name="b")
    d = lib.layers.Dense
    hidden = d(5, activation="tanh", kernel_regularizer=lib.regularizers.L2(0.01))(a)
    h = lib.layers.Concatenate()([hidden, b])
    cls, reg = d(3, activation="softmax", name="cls")(h), d(1, name="reg")(h)
    return lib.Model({"a": a, "b": b}, outputs(cls, reg))


def pair(outputs, **arguments):
    """The same model twice, with the same weights and compile arguments."""
    real, ours = build(keras, outputs), build(ramify, outputs)
    ours.set_weights(real.get_weights())
    for lib, model in ((keras, real), (ramify, ours)):
        made = {k: v(lib) if callable(v) else v for k, v in arguments.items()}
        model.compile(optimizer=lib.optimizers.SGD(0.05), **made)
    return real, ours


def both(outputs, y, fit=None, **arguments):
    real, ours = pair(outputs, **arguments)
    fit = {"epochs": 2, "batch_size": 16, "shuffle": False, "verbose": 0, "validation_split": 0.2, **(fit or {})}
    x = {"a": A, "b": B}
    want, got = (model.fit(x, y, **fit).history for model in (real, ours))
    same(want, got)
    same(real.evaluate(x, y, verbose=0, return_dict=True), ours.evaluate(x, y, verbose=0, return_dict=True))
    close(real.evaluate(x, y, verbose=0), ours.evaluate(x, y, verbose=0))
    assert real.metrics_names == ours.metrics_names
    for _ in range(2):
        same(*(m.train_on_batch(x, y, return_dict=True) for m in (real, ours)))
    same(*(m.test_on_batch(x, y, return_dict=True) for m in (real, ours)))
    for one, two in zip(real.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6)


def same(want, got):
    assert list(want) == list(got)
    for name, value in want.items():
        close(value, got[name], name)


def close(want, got, name=""):
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6, err_msg=name)


SPARSE = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("outputs", "y", "arguments"),
    [
        (lambda c, r: c, CLASSES, {"loss": SPARSE, "metrics": ["accuracy"]}),
        (lambda c, r: r, REAL[:, 0], {"loss": "mse", "metrics": ["mae", "mse"]}),
        (lambda c, r: [c], [CLASSES], {"loss": [SPARSE], "metrics": [["accuracy"]]}),
        (lambda c, r: {"z": c}, {"z": CLASSES}, {"loss": {"z": SPARSE}, "metrics": {"z": ["accuracy"]}}),
        (lambda c, r: [c, r], [CLASSES, REAL], {"loss": [SPARSE, "mse"], "metrics": [["accuracy"], ["mae"]]}),
        (lambda c, r: (c, r), (CLASSES, REAL), {"loss": (SPARSE, "mse"), "metrics": (["acc"], None)}),
        (
            lambda c, r: [c, r],
            {"cls": CLASSES, "reg": REAL},
            {
                "loss": {"cls": SPARSE, "reg": "mse"},
                "metrics": {"reg": ["mae", "mse"]},
                "loss_weights": {"cls": 2.0, "reg": 0.5},
            },
        ),
        (
            lambda c, r: {"A": c, "B": r},
            {"A": CLASSES, "B": REAL},
            {"loss": {"A": SPARSE, "B": "mae"}, "metrics": {"B": ["mae", "mse"], "A": "accuracy"}},
        ),
        (lambda c, r: [c, r], [CLASSES, REAL], {"loss": [SPARSE, None]}),
        (lambda c, r: [c, r], [CLASSES, REAL], {"loss": [SPARSE, "mse"], "loss_weights": [0.3, 3.0]}),
        (lambda c, r: [r, c], [REAL, np.eye(3)[CLASSES]], {"loss": "mse", "metrics": [["mae"], ["mse"]]}),
        (
            lambda c, r: {"p": [c, r]},
            {"p": [CLASSES, REAL]},
            {"loss": {"p": [SPARSE, "mse"]}, "metrics": {"p": [["accuracy"], ["mae"]]}},
        ),
        (
            lambda c, r: r,
            REAL,
            {
                "loss": lambda lib: lib.losses.Huber(0.1),
                "metrics": lambda lib: [lib.metrics.MeanAbsoluteError(name="dist")],
            },
        ),
    ],
)
def test_names_and_numbers(outputs, y, arguments):
    both(outputs, y, **arguments)


def test_sample_weight_for_one_output():
    arguments = {"loss": SPARSE, "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
    real, ours = pair(lambda c, r: c, **arguments)
    want, got = (
        m.fit({"a": A, "b": B}, CLASSES, sample_weight=WEIGHT, shuffle=False, verbose=0, epochs=2).history
        for m in (real, ours)
    )
    same(want, got)


@pytest.mark.parametrize("weights", [WEIGHT, [WEIGHT, WEIGHT**2]], ids=["one", "list"])
def test_sample_weight_for_several_outputs(weights):
    arguments = {
        "loss": [SPARSE, "mse"],
        "metrics": [["accuracy"], ["mae"]],
        "weighted_metrics": [["accuracy"], ["mse"]],
    }
    both(lambda c, r: [c, r], [CLASSES, REAL], {"sample_weight": weights}, **arguments)


def test_class_weight():
    both(lambda c, r: c, CLASSES, {"class_weight": {0: 2.0, 2: 0.5}}, loss=SPARSE)
    both(
        lambda c, r: c,
        np.eye(3, dtype="f")[CLASSES],
        {"class_weight": {0: 2.0, 2: 0.5}},
        loss="categorical_crossentropy",
    )


def test_validation_data_with_weights_and_frequency():
    x = {"a": A, "b": B}
    fit = {"epochs": 4, "validation_split": 0.0, "validation_data": (x, CLASSES, WEIGHT), "validation_freq": 2}
    both(lambda c, r: c, CLASSES, fit, loss=SPARSE, metrics=["accuracy"])
    both(lambda c, r: c, CLASSES, {**fit, "validation_freq": [1, 4]}, loss=SPARSE)


def test_momentum_and_adam_over_epochs():
    for name in ("Adam", "RMSprop"):
        real, ours = pair(lambda c, r: [c, r], loss=[SPARSE, "mse"])
        real.compile(getattr(keras.optimizers, name)(0.01), [SPARSE, "mse"])
        ours.compile(getattr(ramify.optimizers, name)(0.01), [SPARSE, "mse"])
        want, got = (
            m.fit({"a": A, "b": B}, [CLASSES, REAL], shuffle=False, verbose=0, epochs=3).history for m in (real, ours)
        )
        same(want, got)


def test_predictions():
    for outputs in (lambda c, r: c, lambda c, r: [c, r], lambda c, r: {"x": c, "y": [r]}):
        real, ours = pair(outputs, loss="mse")
        want, got = (m.predict({"a": A, "b": B}, batch_size=7, verbose=0) for m in (real, ours))
        flat = keras.tree.flatten
        assert keras.tree.map_structure(np.shape, want) == keras.tree.map_structure(np.shape, got)
        for one, two in zip(flat(want), flat(got), strict=True):
            np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6)


class Parts:
    """A subclassed model of either library, which returns its two heads in some structure."""

    @staticmethod
    def make(lib, kind):
        class Sub(lib.Model):
            def __init__(self):
                super().__init__()
                self.one, self.two = lib.layers.Dense(1), lib.layers.Dense(1)

            def call(self, x):
                p, q = self.one(x), self.two(x)
                return {"list": [p, q], "dict": {"q": p, "p": q}, "one": p, "nested": {"u": [p, q], "t": p}}[kind]

        return Sub()


@pytest.mark.parametrize(
    ("kind", "y", "arguments"),
    [
        ("one", REAL, {"loss": "mse", "metrics": ["mae", "mae"]}),
        ("list", [REAL, REAL], {"loss": ["mse", "mae"], "metrics": [["mae"], ["mse"]]}),
        ("dict", {"q": REAL, "p": REAL}, {"loss": "mse"}),
        ("dict", {"q": REAL, "p": REAL}, {"loss": {"q": "mse", "p": "mae"}, "metrics": {"q": ["mae"], "p": ["mse"]}}),
        ("dict", {"q": REAL, "p": REAL}, {"loss": ["mse", "mae"], "metrics": [["mae"], ["mse"]]}),
        ("nested", {"u": [REAL, REAL], "t": REAL}, {"loss": {"u": ["mse", "mae"], "t": "mae"}}),
    ],
)
def test_subclassed_models(kind, y, arguments):
    real, ours = Parts.make(keras, kind), Parts.make(ramify, kind)
    real(A), ours(A)
    ours.set_weights(real.get_weights())
    real.compile("sgd", **arguments)
    ours.compile("sgd", **arguments)
    want, got = (m.fit(A, y, shuffle=False, verbose=0, epochs=2).history for m in (real, ours))
    same(want, got)


def custom(lib, torch):
    class Custom(lib.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.own = lib.metrics.Mean(name="own")

        def train_step(self, data):
            x, y = data
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            loss.backward()
            grads = [v.value.grad for v in self.trainable_weights]
            with torch.no_grad():
                self.optimizer.apply(grads, self.trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                elif metric.name == "own":
                    metric.update_state(2.0)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    x = lib.Input((4,))
    return Custom(x, lib.layers.Dense(1, name="out")(x))


def test_a_train_step_of_ones_own():
    import torch

    real, ours = custom(keras, torch), custom(ramify, torch)
    ours.set_weights(real.get_weights())
    for model in (real, ours):
        model.compile("sgd", "mse", metrics=["mae"])
    want, got = (
        m.fit(A, REAL, shuffle=False, verbose=0, epochs=3, validation_data=(A, REAL)).history for m in (real, ours)
    )
    same(want, got)
    assert real.metrics_names == ours.metrics_names
