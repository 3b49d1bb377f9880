"""Ten steps of `fit` with every optimizer and every kind of schedule, beside Keras, on a model with two outputs."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

RNG = np.random.default_rng(3)
X = {name: RNG.normal(size=(80, size)).astype("float32") for name, size in (("a", 4), ("b", 3))}
Y = {"kind": RNG.integers(0, 3, 80), "size": RNG.normal(size=(80, 1)).astype("float32")}

# A gradient of rounding noise over the root of its own square is noise of size one: a larger epsilon tells them apart.
OPTIMIZERS: dict[str, dict[str, object]] = {
    "SGD": {"momentum": 0.9, "nesterov": True},
    "RMSprop": {"momentum": 0.5, "centered": True, "epsilon": 1e-3},
    "Adam": {"amsgrad": True, "epsilon": 1e-3},
    "AdamW": {"weight_decay": 0.05, "epsilon": 1e-3},
    "Adadelta": {"epsilon": 1e-3},
    "Adagrad": {"epsilon": 1e-3},
    "Adamax": {"epsilon": 1e-3},
    "Adafactor": {"epsilon_2": 1e-2},
    "Nadam": {"epsilon": 1e-3},
    "Ftrl": {"l1_regularization_strength": 0.001},
    "Lion": {"weight_decay": 0.01},
    "Lamb": {"epsilon": 1e-3},
    "Muon": {"epsilon": 1e-3},
    "ScheduleFreeAdamW": {"epsilon": 1e-3},
}


def own_schedule(lib):
    class Halves(lib.LearningRateSchedule):
        def __call__(self, step):
            return 0.02 / (1.0 + step // 4)

        def get_config(self):
            return {}

    return Halves()


SCHEDULES = {
    "constant": lambda lib: 0.02,
    "ExponentialDecay": lambda lib: lib.ExponentialDecay(0.02, 3, 0.5),
    "InverseTimeDecay": lambda lib: lib.InverseTimeDecay(0.02, 3, 0.5, staircase=True),
    "PolynomialDecay": lambda lib: lib.PolynomialDecay(0.02, 7, 0.001, power=2.0, cycle=True),
    "PiecewiseConstantDecay": lambda lib: lib.PiecewiseConstantDecay([3, 6], [0.02, 0.01, 0.005]),
    "CosineDecay": lambda lib: lib.CosineDecay(0.001, 8, 0.1, warmup_target=0.02, warmup_steps=3),
    "CosineDecayRestarts": lambda lib: lib.CosineDecayRestarts(0.02, 4, m_mul=0.8),
    "own": own_schedule,
}


def build(lib):
    a, b = lib.Input((4,), name="a"), lib.Input((3,), name="b")
    hidden = lib.layers.Concatenate()([lib.layers.Dense(6, activation="tanh")(a), b])
    hidden = lib.layers.LayerNormalization()(hidden)
    heads = {
        "kind": lib.layers.Dense(3, activation="softmax", name="kind")(hidden),
        "size": lib.layers.Dense(1, name="size", kernel_regularizer=lib.regularizers.L2(0.01))(hidden),
    }
    return lib.Model({"a": a, "b": b}, heads)


@pytest.fixture(scope="module")
def pair():
    real, ours = build(keras), build(ramify)
    return real, ours, [(0.4 * RNG.normal(size=weight.shape)).astype("float32") for weight in real.get_weights()]


def check(pair, make):
    """Ten steps with the optimizers that `make` gives, in Keras and here: the same weights and history."""
    real, ours, start = pair
    results = []
    for lib, model in ((keras, real), (ramify, ours)):
        model.set_weights(start)
        optimizer = make(lib, model)
        loss = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
        model.compile(optimizer, loss, loss_weights={"kind": 1.0, "size": 0.5})
        history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        results.append((model.get_weights(), history.history, int(optimizer.iterations)))
    (want, want_history, want_steps), (got, got_history, steps) = results
    assert steps == want_steps
    assert list(got_history) == list(want_history)
    for one, two in zip(want, got, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-5)
    for key, values in want_history.items():
        np.testing.assert_allclose(got_history[key], values, rtol=1e-5, err_msg=key)
    return steps


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps(pair, name, schedule):
    def make(lib, model):
        del model
        rate = SCHEDULES[schedule](lib.optimizers.schedules)
        return getattr(lib.optimizers, name)(learning_rate=rate, **OPTIMIZERS[name])

    assert check(pair, make) == 10


GENERAL: dict[str, dict[str, object]] = {
    "clipnorm": {"clipnorm": 0.3},
    "clipvalue": {"clipvalue": 0.05},
    "global_clipnorm": {"global_clipnorm": 0.5},
    "averages": {"use_ema": True, "ema_momentum": 0.8},
    "averages that are put back": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    "accumulation": {"gradient_accumulation_steps": 2},
    "decay with exceptions": {"weight_decay": 0.05},
    "scaled loss": {},
}


ALL = [(name, option) for name in OPTIMIZERS for option in GENERAL]
# Each option with some optimizers, and each optimizer with some options; all of them in the slow run.
SOME = [pytest.param(*both, marks=() if i % 5 == 0 else pytest.mark.slow) for i, both in enumerate(ALL)]


@pytest.mark.parametrize(("name", "option"), SOME)
def test_ten_steps_with_what_all_optimizers_can(pair, name, option):
    def make(lib, model):
        rate = lib.optimizers.schedules.CosineDecay(0.02, 8, 0.1)
        made = getattr(lib.optimizers, name)(learning_rate=rate, **OPTIMIZERS[name] | GENERAL[option])
        if option == "decay with exceptions":
            made.exclude_from_weight_decay(var_list=[model.trainable_weights[0]], var_names=["bias", "gamma"])
        if option == "scaled loss":
            made = lib.optimizers.LossScaleOptimizer(made, initial_scale=2.0**6, dynamic_growth_steps=4)
        return made

    assert check(pair, make) == (5 if option == "accumulation" else 10)


def test_the_table_is_complete():
    schedules = ramify.optimizers.schedules
    kinds = {n for n in schedules.__all__ if n[0].isupper()} - {"LearningRateSchedule"}
    assert kinds <= set(SCHEDULES)
    classes = {n for n in ramify.optimizers.__all__ if isinstance(getattr(ramify.optimizers, n), type)}
    wrappers = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "TorchOptimizer"}
    assert classes - wrappers <= set(OPTIMIZERS)
