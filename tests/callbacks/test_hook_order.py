"""The hooks are called in Keras's order, with logs of the same names."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

X = np.random.default_rng(0).random((20, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True)
HOOKS = [
    n for n in dir(keras.callbacks.Callback) if n.startswith("on_") and n not in ("on_batch_begin", "on_batch_end")
]


def spy(base):
    """A callback that notes every call: the hook, the number, the names in the logs."""
    seen = []

    def noting(name):
        def hook(self, *args, logs=None):
            number = () if name.endswith(("train_begin", "train_end", "test_begin", "test_end")) else args[:1]
            logs = args[len(number)] if len(args) > len(number) else logs
            seen.append((name, *number, None if logs is None else tuple(logs)))

        return hook

    return type("Spy", (base,), {name: noting(name) for name in HOOKS})(), seen


def model(lib, outputs):
    x = lib.Input((3,))
    m = lib.Model(x, [lib.layers.Dense(1, name=name)(x) for name in "ab"[:outputs]])
    m.compile("sgd", ["mse", "mae"][:outputs], metrics=[["mae"], ["mse"]][:outputs])
    return m


def endless():
    while True:
        yield X[:4], [Y[:4]]


def few():
    return ((X[:4], [Y[:4]]) for _ in range(5))


@pytest.mark.parametrize(
    "arguments",
    [
        {"epochs": 2},
        {"epochs": 3, "initial_epoch": 1},
        {"epochs": 3, "initial_epoch": 5},
        {"epochs": 4, "validation_freq": 2, "validation": True},
        {"epochs": 4, "validation_freq": [1, 4], "validation": True},
        {"epochs": 2, "steps_per_epoch": 2},
        {"epochs": 2, "steps_per_epoch": 4, "validation": True, "validation_steps": 2},
        {"epochs": 2, "validation_split": 0.5},
        {"epochs": 2, "validation_split": 0.2, "outputs": 2},
        {"epochs": 2, "steps_per_epoch": 3, "source": endless},
        {"epochs": 2, "validation": True, "validation_batch_size": 7, "outputs": 2},
        {"epochs": 3, "stop": True},
    ],
)
def test_fit(arguments):
    results = []
    for lib in (keras, ramify):
        given = dict(arguments)
        outputs, source, stop = given.pop("outputs", 1), given.pop("source", None), given.pop("stop", False)
        call, seen = spy(lib.callbacks.Callback)
        calls = [call]
        if stop:
            calls.append(lib.callbacks.EarlyStopping("loss", min_delta=99.0))
        if given.pop("validation", False):
            given["validation_data"] = (X, [Y] * outputs)
        if source is None:
            given |= {"x": X, "y": [Y] * outputs, "batch_size": 6}
        else:
            given |= {"x": source(), "shuffle": False}
        model(lib, outputs).fit(**given, verbose=0, callbacks=calls)
        results.append((seen, dict(call.params)))
    assert results[1] == results[0]


def test_evaluate_and_predict():
    results = []
    for lib in (keras, ramify):
        m = model(lib, 2)
        call, seen = spy(lib.callbacks.Callback)
        m.evaluate(X, [Y, Y], batch_size=6, verbose=0, callbacks=[call])
        m.predict(X, batch_size=6, verbose=0, callbacks=[call])
        results.append(seen)
    assert results[1] == results[0]


def test_steps_keep_their_number_where_the_data_is_gone_through_again():
    """Keras has fewer steps in the second epoch here, where 4 batches do not divide by 3."""
    call, seen = spy(ramify.callbacks.Callback)
    model(ramify, 1).fit(X, [Y], batch_size=6, steps_per_epoch=3, epochs=3, verbose=0, callbacks=[call])
    assert [s[0] for s in seen].count("on_train_batch_end") == 9


def test_a_generator_that_ends_early_ends_training():
    call, seen = spy(ramify.callbacks.Callback)
    m = model(ramify, 1)
    with pytest.warns(UserWarning, match="ran out in epoch 2 after 2 of 3"):
        m.fit(few(), steps_per_epoch=3, epochs=4, verbose=0, callbacks=[call])
    assert [s[:2] for s in seen if s[0].startswith("on_epoch")] == [
        ("on_epoch_begin", 0), ("on_epoch_end", 0), ("on_epoch_begin", 1), ("on_epoch_end", 1),
    ]  # fmt: skip
    assert seen[-1] == ("on_train_end", ("loss", "mae"))
    assert m.evaluate(X, [Y], verbose=0)
