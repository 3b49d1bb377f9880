"""What `compile` and `fit` refuse, by name, and that the model stays usable."""

from __future__ import annotations

import numpy as np
import pytest

import ramify
from ramify.errors import ArgumentError, NotCompiledError

X = np.random.default_rng(0).random((40, 4), dtype=np.float32)
Y = X.sum(1, keepdims=True)


def model(outputs=1, **arguments):
    x = ramify.Input((4,), name="x")
    heads = [ramify.layers.Dense(1, name=name)(x) for name in "abcdef"[:outputs]]
    made = ramify.Model(x, heads[0] if outputs == 1 else heads)
    made.compile(**({"optimizer": "sgd", "loss": "mse"} | arguments))
    return made


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
