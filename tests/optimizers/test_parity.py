"""Every optimizer against the real one: same weights, same gradients, several steps."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from ramify import optimizers

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

SHAPES = [
    ("dense/kernel", (5, 4)),
    ("dense/bias", (4,)),
    ("wide/kernel", (3, 6)),
    ("conv/kernel", (2, 2, 3, 4)),
    ("scale", ()),
]
STEPS = 7

OWN = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "epsilon": 1e-3, "beta_1": 0.8}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "rho": 0.8}),
    ("RMSprop", {"centered": True}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.8, "learning_rate": 1.0}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.7, "beta_2": 0.9}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.7}),
    ("Ftrl", {}),
    (
        "Ftrl",
        {
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.2,
            "learning_rate_power": -0.7,
        },
    ),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.8, "beta_2": 0.9}),
    ("Lamb", {}),
    ("Adafactor", {}),
    ("Adafactor", {"relative_step": False, "clip_threshold": 0.5, "beta_2_decay": -0.5}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "rms_rate": None, "adam_lr_ratio": 0.5, "adam_weight_decay": 0.1}),
    ("Muon", {"exclude_layers": ["dense"], "momentum": 0.8}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 3, "epsilon": 0.1, "beta_1": 0.5}),
]
COMMON = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"global_clipnorm": 0.5},
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.05},
    {"learning_rate": ("ExponentialDecay", (0.1, 2, 0.5))},
    {"learning_rate": ("CosineDecay", (0.1, 9)), "gradient_accumulation_steps": 2},
]
NAMES = sorted({name for name, _ in OWN})


class Run:
    """The same variables and gradients, on both sides."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        values = [self.rng.normal(size=shape).astype("float32") for _, shape in SHAPES]
        self.theirs, self.ours = [], []
        for (path, _), value in zip(SHAPES, values, strict=True):
            with keras.name_scope(path.split("/")[0]) if "/" in path else keras.name_scope("free"):
                self.theirs.append(keras.Variable(value, name=path.split("/")[-1]))
            parameter = torch.nn.Parameter(torch.tensor(value))
            parameter.path = self.theirs[-1].path
            self.ours.append(parameter)

    def step(self, ours, theirs, skip=()):
        grads = [self.rng.normal(size=shape).astype("float32") for _, shape in SHAPES]
        grads = [None if i in skip else g for i, g in enumerate(grads)]
        ours.apply([None if g is None else torch.tensor(g) for g in grads], self.ours)
        theirs.apply([None if g is None else torch.tensor(g) for g in grads], self.theirs)

    def check(self, tolerance=1e-5):
        for mine, real in zip(self.ours, self.theirs, strict=True):
            np.testing.assert_allclose(
                mine.detach().numpy(), keras.ops.convert_to_numpy(real.value), rtol=tolerance, atol=tolerance / 5
            )


def _make(name, kwargs):
    ours, theirs = dict(kwargs), dict(kwargs)
    if isinstance(kwargs.get("learning_rate"), tuple):
        schedule, args = kwargs["learning_rate"]
        ours["learning_rate"] = getattr(optimizers.schedules, schedule)(*args)
        theirs["learning_rate"] = getattr(keras.optimizers.schedules, schedule)(*args)
    elif "learning_rate" not in kwargs:
        ours["learning_rate"] = theirs["learning_rate"] = 0.05
    return getattr(optimizers, name)(**ours), getattr(keras.optimizers, name)(**theirs)


def _check_state(ours, theirs, tolerance=1e-5):
    assert len(ours.variables) == len(theirs.variables)
    for mine, real in zip(ours.variables, theirs.variables, strict=True):
        assert mine.name == real.name or real.name.startswith("variable")
        assert tuple(mine.shape) == tuple(real.shape)
        np.testing.assert_allclose(mine.numpy(), keras.ops.convert_to_numpy(real.value), rtol=tolerance, atol=2e-6)


def _ids(cases):
    return [f"{i}-{name}-{'-'.join(kwargs)}" for i, (name, kwargs) in enumerate(cases)]


@pytest.mark.parametrize(("name", "kwargs"), OWN, ids=_ids(OWN))
def test_own_options(name, kwargs):
    ours, theirs = _make(name, kwargs)
    run = Run()
    for _ in range(STEPS):
        run.step(ours, theirs)
        run.check()
    _check_state(ours, theirs)
    assert int(ours.iterations) == int(theirs.iterations) == STEPS


CROSS = [(name, kwargs) for name in NAMES for kwargs in COMMON]


@pytest.mark.parametrize(("name", "kwargs"), CROSS, ids=_ids(CROSS))
def test_common_options(name, kwargs):
    ours, theirs = _make(name, kwargs)
    run = Run(1)
    for _ in range(STEPS):
        run.step(ours, theirs)
        run.check()
    _check_state(ours, theirs)
    assert int(ours.iterations) == int(theirs.iterations)
    ours.finalize_variable_values(run.ours)
    theirs.finalize_variable_values(run.theirs)
    run.check()


@pytest.mark.parametrize("name", NAMES)
def test_missing_gradients_leave_variables_alone(name):
    ours, theirs = _make(name, {"weight_decay": 0.01})
    run = Run(2)
    for skip in ((), (1,), (0, 3), (), (2, 4)):
        before = [v.detach().clone() for v in run.ours]
        with pytest.warns(UserWarning, match="Gradients do not exist") if skip else _nothing():
            run.step(ours, theirs, skip)
        run.check()
        assert all(torch.equal(run.ours[i], before[i]) for i in skip)


class _nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


@pytest.mark.parametrize("how", [{"var_names": ["bias", "^sca"]}, {"var_list": [0]}])
def test_exclude_from_weight_decay(how):
    ours, theirs = _make("AdamW", {"weight_decay": 0.5})
    run = Run(3)
    if "var_list" in how:
        ours.exclude_from_weight_decay(var_list=[run.ours[0]])
        theirs.exclude_from_weight_decay(var_list=[run.theirs[0]])
    else:
        ours.exclude_from_weight_decay(**how)
        theirs.exclude_from_weight_decay(**how)
    for _ in range(3):
        run.step(ours, theirs)
        run.check()


@pytest.mark.parametrize(("name", "kwargs"), OWN + [("Adam", kw) for kw in COMMON])
def test_config_and_state_are_exchanged(name, kwargs):
    ours, theirs = _make(name, kwargs)
    run = Run(4)
    for _ in range(3):
        run.step(ours, theirs)
    mine, real = ours.get_config(), theirs.get_config()
    mine.pop("name"), real.pop("name")
    mine_rate, real_rate = mine.pop("learning_rate"), real.pop("learning_rate")
    assert mine == real
    if isinstance(mine_rate, float):
        assert mine_rate == real_rate
    else:
        assert mine_rate["config"] == real_rate["config"]
    store: dict = {}
    theirs.save_own_variables(store)
    fresh = optimizers.deserialize(keras.optimizers.serialize(theirs))
    assert type(fresh) is type(ours)
    fresh.build(run.ours)
    fresh.load_own_variables(store)
    _check_state(fresh, theirs, 0)
    saved: dict = {}
    fresh.save_own_variables(saved)
    assert list(saved) == list(store)
    if name == "Lamb":  # which Keras leaves out of its own table
        return
    again = keras.optimizers.deserialize(optimizers.serialize(ours))
    again.build(run.theirs)
    again.load_own_variables(saved)
    for _ in range(2):
        run.step(fresh, again)
        run.check()


SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.9), {}),
    ("ExponentialDecay", (0.1, 10, 0.9), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("PolynomialDecay", (0.1, 13), {}),
    ("PolynomialDecay", (0.1, 13, 0.01), {"power": 2.0, "cycle": True}),
    ("PiecewiseConstantDecay", ([5, 11], [1.0, 0.5, 0.25]), {}),
    ("CosineDecay", (0.1, 20), {}),
    ("CosineDecay", (0.1, 20), {"alpha": 0.1, "warmup_target": 0.5, "warmup_steps": 9}),
    ("CosineDecayRestarts", (0.1, 9), {}),
    ("CosineDecayRestarts", (0.1, 9), {"t_mul": 1.0, "m_mul": 0.7, "alpha": 0.1}),
    ("CosineDecayRestarts", (0.1, 9), {"t_mul": 3.0, "m_mul": 0.7}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), SCHEDULES)
def test_schedules(name, args, kwargs):
    ours = getattr(optimizers.schedules, name)(*args, **kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    wanted = [float(theirs(step)) for step in range(60)]
    # float32 arithmetic over there decides on which side of a restart its own step falls
    restarts = {9, 18, 27, 36, 45, 54} if "Restarts" in name else set()
    steps = [step for step in range(60) if step not in restarts]
    np.testing.assert_allclose([float(ours(s)) for s in steps], [wanted[s] for s in steps], rtol=1e-5, atol=1e-7)
    assert ours(torch.arange(60)).shape == (60,)
    assert ours.get_config() == theirs.get_config()
    again = optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(theirs))
    assert again.get_config() == ours.get_config()
