"""Losses, metrics, optimizers and schedulers of torch and its friends are taken as they are; half precision works."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.callbacks import TorchScheduler
from ramify.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = X @ RNG.normal(size=(4, 1)).astype("float32")
CLASSES = RNG.integers(0, 3, 24)


def model(units=1, activation=None):
    x = ramify.Input((4,))
    return ramify.Model(x, ramify.layers.Dense(units, activation=activation, kernel_initializer="ones")(x))


def by_hand(weights, make, steps, scheduler=None, per_epoch=3):
    """The same training in plain torch; returns the weights after it."""
    kernel, bias = (torch.nn.Parameter(torch.tensor(w)) for w in weights)
    optimizer = make([kernel, bias])
    plan = scheduler and scheduler(optimizer)
    for step in range(steps):
        batch = slice(8 * (step % per_epoch), 8 * (step % per_epoch) + 8)

        def closure(batch=batch):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(torch.tensor(X[batch]) @ kernel + bias, torch.tensor(Y[batch]))
            loss.backward()
            return loss

        closure()
        optimizer.step()
        if plan and (step + 1) % per_epoch == 0:
            plan.step()
    return kernel.detach(), bias.detach()


LR = {"lr": 0.05}
OPTIMIZERS = [
    (name, {**LR, **more})
    for name, more in [
        ("SGD", {"momentum": 0.9, "foreach": True}),
        ("Adam", {"fused": True}),
        ("AdamW", {"amsgrad": True}),
        ("Adadelta", {}),
        ("Adafactor", {}),
        ("Adagrad", {}),
        ("Adamax", {}),
        ("ASGD", {}),
        ("NAdam", {}),
        ("RAdam", {}),
        ("RMSprop", {"centered": True}),
        ("Rprop", {}),
    ]
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=[name for name, _ in OPTIMIZERS])
def test_optimizers_of_torch(name, options):
    make = functools.partial(getattr(torch.optim, name), **options)
    m = model()
    start = m.get_weights()
    m.compile(make, "mse")
    m.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for got, want in zip(m.trainable_weights, by_hand(start, make, 6), strict=True):
        torch.testing.assert_close(got.detach().as_subclass(torch.Tensor), want, rtol=1e-5, atol=1e-6)


plans = torch.optim.lr_scheduler
SCHEDULERS = {
    "StepLR": lambda o: plans.StepLR(o, 1, gamma=0.5),
    "MultiStepLR": lambda o: plans.MultiStepLR(o, [1, 3]),
    "ExponentialLR": lambda o: plans.ExponentialLR(o, 0.7),
    "ConstantLR": lambda o: plans.ConstantLR(o, 0.3, 2),
    "LinearLR": lambda o: plans.LinearLR(o, 0.3, total_iters=3),
    "PolynomialLR": lambda o: plans.PolynomialLR(o, 5, 2.0),
    "CosineAnnealingLR": lambda o: plans.CosineAnnealingLR(o, 4),
    "CosineAnnealingWarmRestarts": lambda o: plans.CosineAnnealingWarmRestarts(o, 2),
    "CyclicLR": lambda o: plans.CyclicLR(o, 0.01, 0.1, 2),
    "OneCycleLR": lambda o: plans.OneCycleLR(o, 0.1, total_steps=6),
    "LambdaLR": lambda o: plans.LambdaLR(o, lambda e: 1 / (e + 1)),
    "MultiplicativeLR": lambda o: plans.MultiplicativeLR(o, lambda e: 0.9),
    "SequentialLR": lambda o: plans.SequentialLR(o, [plans.ConstantLR(o), plans.ExponentialLR(o, 0.5)], [2]),
    "ChainedScheduler": lambda o: plans.ChainedScheduler([plans.ConstantLR(o), plans.ExponentialLR(o, 0.5)]),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers_of_torch(name):
    make, scheduler = functools.partial(torch.optim.SGD, lr=0.05, momentum=0.9), SCHEDULERS[name]
    m = model()
    start = m.get_weights()
    optimizer = make(m.parameters())
    m.compile(optimizer, "mse")
    fit = {"batch_size": 8, "epochs": 4, "shuffle": False, "verbose": 0}
    m.fit(X, Y, callbacks=[scheduler(optimizer)], **fit)
    for got, want in zip(m.trainable_weights, by_hand(start, make, 12, scheduler), strict=True):
        torch.testing.assert_close(got.detach().as_subclass(torch.Tensor), want, rtol=1e-5, atol=1e-6)


def test_a_scheduler_per_batch_and_one_that_follows_a_number():
    m = model()
    m.compile(functools.partial(torch.optim.SGD, lr=1.0), "mse")
    zeros = np.zeros_like(X), np.zeros_like(Y)
    m.fit(*zeros, batch_size=8, verbose=0, callbacks=[TorchScheduler(SCHEDULERS["StepLR"], per="batch")])
    assert m.optimizer.learning_rate == 0.125
    plateau = TorchScheduler(lambda o: plans.ReduceLROnPlateau(o, patience=0, factor=0.1), monitor="loss")
    m.fit(*zeros, epochs=3, verbose=0, callbacks=[plateau])
    assert m.optimizer.learning_rate == pytest.approx(0.00125)
    with pytest.raises(ArgumentError, match="follows 'val_loss', but the logs hold 'loss'"):
        m.fit(*zeros, verbose=0, callbacks=[TorchScheduler(plans.ReduceLROnPlateau)])


def test_a_scheduler_that_does_not_belong_is_refused():
    m = model()
    m.compile("sgd", "mse")
    other = torch.optim.SGD(model().parameters())
    with pytest.raises(ArgumentError, match="needs an optimizer of torch"):
        m.fit(X, Y, verbose=0, callbacks=[plans.StepLR(other, 1)])
    m.compile(torch.optim.SGD, "mse")
    with pytest.raises(ArgumentError, match="made for another optimizer"):
        m.fit(X, Y, verbose=0, callbacks=[plans.StepLR(other, 1)])
    with pytest.raises(ArgumentError, match="'epoch' or 'batch'"):
        TorchScheduler(SCHEDULERS["StepLR"], per="day")
    m.fit(X, Y, verbose=0)


LOSSES = [
    (torch.nn.MSELoss(), Y, 1),
    (torch.nn.L1Loss(), Y, 1),
    (torch.nn.SmoothL1Loss(beta=0.5), Y, 1),
    (torch.nn.HuberLoss(), Y, 1),
    (torch.nn.BCEWithLogitsLoss(), (Y > 0).astype("float32"), 1),
    (torch.nn.CrossEntropyLoss(label_smoothing=0.1), CLASSES, 3),
    (torch.nn.MultiMarginLoss(), CLASSES, 3),
    (torch.nn.PoissonNLLLoss(), np.abs(Y), 1),
    (torch.nn.SoftMarginLoss(), np.sign(Y), 1),
    (torch.nn.KLDivLoss(reduction="batchmean"), np.abs(Y) + 1, 1),
]


@pytest.mark.parametrize(("loss", "y", "units"), LOSSES, ids=[type(loss).__name__ for loss, *_ in LOSSES])
def test_losses_of_torch(loss, y, units):
    m = model(units)
    m.compile(ramify.optimizers.SGD(0.0), loss)
    got = m.fit(X, y, batch_size=24, verbose=0).history["loss"][0]
    assert got == pytest.approx(float(loss(m(torch.tensor(X)).detach(), torch.tensor(y))), rel=1e-5)


class Spread:
    """Gathers as a metric of torchmetrics does."""

    def __init__(self):
        self.reset()

    def update(self, preds, target):
        self.seen.append(preds - target)

    def compute(self):
        return torch.cat(self.seen).std()

    def reset(self):
        self.seen = []


def test_metrics_as_torchmetrics_has_them_gather_over_batches():
    m = model()
    m.compile(ramify.optimizers.SGD(0.0), "mse", metrics=[Spread(), "mae"])
    history = m.fit(X, Y, batch_size=7, epochs=2, verbose=0, validation_data=(X, Y)).history
    want = float(np.std(m.predict(X, verbose=0) - Y, ddof=1))
    assert history["spread"] == pytest.approx([want] * 2, rel=1e-5)
    assert history["val_spread"] == pytest.approx([want] * 2, rel=1e-5)


# ---- half precision ----


def half(lib, **compile_arguments):
    before = lib.config.dtype_policy().name if lib is keras else lib.mixed_precision.dtype_policy().name
    policy = lib.config.set_dtype_policy if lib is keras else lib.mixed_precision.set_global_policy
    policy("mixed_float16")
    try:
        x = lib.Input((4,))
        m = lib.Model(x, lib.layers.Dense(1, dtype="float32")(lib.layers.Dense(3, activation="tanh")(x)))
        m.compile(lib.optimizers.SGD(0.1), "mse", **compile_arguments)
    finally:
        policy(before)
    return m


def test_half_precision_gets_a_scaled_loss_as_in_keras():
    real, ours = half(keras), half(ramify)
    ours.set_weights(real.get_weights())
    history = [m.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"] for m in (real, ours)]
    assert type(ours.optimizer).__name__ == type(real.optimizer).__name__ == "LossScaleOptimizer"
    assert ours.optimizer.name == real.optimizer.name
    assert history[1] == pytest.approx(history[0], rel=2e-3)
    assert float(ours.optimizer.dynamic_scale) == float(real.optimizer.dynamic_scale)
    assert type(half(ramify, auto_scale_loss=False).optimizer).__name__ == "SGD"
    scaled = ramify.optimizers.LossScaleOptimizer(ramify.optimizers.SGD(0.1))
    ours.compile(scaled, "mse")
    assert ours.optimizer is scaled


def test_scaling_saves_gradients_that_float16_cannot_hold():
    moved = {}
    for scale in (True, False):
        m = half(ramify, auto_scale_loss=scale)
        m.set_weights([np.full(w.shape, 0.1, "float32") for w in m.get_weights()])
        before = m.get_weights()[0].copy()
        loss_weights = 1e-7  # makes the gradients of the half layer too small for float16
        m.compile(ramify.optimizers.SGD(1e5), "mse", loss_weights=loss_weights, auto_scale_loss=scale)
        m.fit(X, Y, batch_size=24, verbose=0)
        moved[scale] = float(np.abs(m.get_weights()[0] - before).max())
    assert moved[True] > 10 * moved[False]


def test_a_step_that_overflows_is_left_out_and_halves_the_scale():
    m = half(ramify)
    optimizer = ramify.optimizers.LossScaleOptimizer(ramify.optimizers.SGD(0.1), initial_scale=2.0**40)
    m.compile(optimizer, "mse")
    before = m.get_weights()
    m.train_on_batch(X, Y)
    assert float(optimizer.dynamic_scale) == 2.0**39
    assert all(map(np.array_equal, before, m.get_weights()))
    for _ in range(40):
        m.train_on_batch(X, Y)
    assert int(optimizer.iterations) > 0
    assert all(np.isfinite(w).all() for w in m.get_weights())


def test_a_scaled_model_is_saved_and_goes_on(tmp_path):
    m = half(ramify)
    m.fit(X, Y, shuffle=False, verbose=0)
    m.save(tmp_path / "half.keras")
    again = ramify.models.load_model(tmp_path / "half.keras")
    assert type(again.optimizer).__name__ == "LossScaleOptimizer"
    assert type(again.optimizer.inner_optimizer).__name__ == "SGD"
    for one in (m, again):
        one.fit(X, Y, shuffle=False, verbose=0)
    assert all(map(np.array_equal, m.get_weights(), again.get_weights()))
