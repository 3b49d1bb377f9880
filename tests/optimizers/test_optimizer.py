"""What an optimizer is beside its formula: interface, errors, layouts of memory."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from ramify import optimizers
from ramify.errors import ArgumentError, NotBuiltError
from ramify.optimizers.scalar import HostScalar


def _weights(*shapes):
    return [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]


ALL = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb"]
ALL += ["Adafactor", "Muon", "ScheduleFreeAdamW"]


@pytest.mark.parametrize("name", ALL)
def test_transposed_gradients_land_in_their_places(name):
    first = _weights((4, 3))
    second = [torch.nn.Parameter(p.detach().clone()) for p in first]
    grad = torch.randn(3, 4)
    one, two = getattr(optimizers, name)(0.1), getattr(optimizers, name)(0.1)
    for _ in range(2):
        one.apply([grad.t()], first)
        two.apply([grad.t().contiguous()], second)
    assert torch.equal(first[0], second[0])


@pytest.mark.parametrize("name", ALL)
def test_two_dtypes_and_other_layouts(name):
    plain = _weights((4, 3), (3,))
    mixed = [torch.nn.Parameter(plain[0].detach().t().contiguous().t()), torch.nn.Parameter(plain[1].detach().double())]
    one, two = getattr(optimizers, name)(0.1), getattr(optimizers, name)(0.1)
    for _ in range(3):
        grads = [torch.randn(4, 3), torch.randn(3)]
        one.apply(grads, plain)
        two.apply(grads, mixed)
    for a, b in zip(plain, mixed, strict=True):
        torch.testing.assert_close(a, b.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_update_step_alone_and_subclasses(name):
    base = getattr(optimizers, name)
    seen = []

    class Watched(base):
        def update_step(self, gradient, variable, learning_rate):
            seen.append(tuple(variable.shape))
            super().update_step(gradient, variable, learning_rate)

    first = _weights((4, 3), (3,))
    second = [torch.nn.Parameter(p.detach().clone()) for p in first]
    one, two = base(0.1), Watched(0.1)
    for _ in range(2):
        grads = [torch.randn_like(p) for p in first]
        one.apply(grads, first)
        two.apply(grads, second)
    assert seen == [(4, 3), (3,)] * 2
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b)


def test_user_optimizer_in_kerass_way():
    class Momentum(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.speeds = [self.add_variable_from_reference(v, name="speed") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            speed = self.speeds[self._get_variable_index(variable)]
            self.assign(speed, speed * 0.9 - learning_rate * gradient)
            self.assign_add(variable, speed)

    first = _weights((4, 3), (3,))
    second = [torch.nn.Parameter(p.detach().clone()) for p in first]
    mine, real = Momentum(0.1), optimizers.SGD(0.1, momentum=0.9)
    for _ in range(3):
        grads = [torch.randn_like(p) for p in first]
        mine.apply_gradients(zip(grads, first, strict=True))
        real.apply(grads, second)
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b)
    assert [v.name for v in mine.variables] == ["iteration", "learning_rate", "variable_0_speed", "variable_1_speed"]


def test_use_like_torch():
    layer = torch.nn.Linear(3, 2)
    optimizer = optimizers.Adam(0.01)
    optimizer.build(layer.parameters())
    x, losses = torch.randn(8, 3), []
    for _ in range(20):
        optimizer.zero_grad()
        loss = layer(x).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    optimizer.zero_grad(set_to_none=False)
    assert not layer.weight.grad.any()


def test_constraint_is_applied_after_the_step():
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.5]))
    weight.constraint = lambda w: w.clamp(min=0.0)
    optimizers.SGD(0.1).apply([torch.zeros(2)], [weight])
    assert weight.tolist() == [0.5, 0.0]


def test_learning_rate():
    optimizer = optimizers.SGD(0.1)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.5
    optimizer.learning_rate.assign(optimizer.learning_rate * 0.5)
    assert optimizer.learning_rate.numpy() == np.float32(0.25)
    assert torch.multiply(torch.ones(2), optimizer.learning_rate).tolist() == [0.25, 0.25]
    scheduled = optimizers.SGD(optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    weight = _weights((2,))
    assert scheduled.learning_rate == 1.0
    scheduled.apply([torch.ones(2)], weight)
    assert scheduled.learning_rate == 0.5
    with pytest.raises(ArgumentError, match="PiecewiseConstantDecay"):
        scheduled.learning_rate = 0.1
    assert optimizers.SGD(lambda: 0.125).learning_rate == 0.125

    class Own(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 1.0 / torch.sqrt(step + 1.0)

    assert float(optimizers.SGD(Own()).learning_rate) == 1.0


def test_state_survives_a_copy_bit_for_bit():
    weights = _weights((4, 3), (3,))
    optimizer = optimizers.Nadam(0.01)
    grads = [[torch.randn_like(p) for p in weights] for _ in range(6)]
    for g in grads[:3]:
        optimizer.apply(g, weights)
    copied = [torch.nn.Parameter(p.detach().clone()) for p in weights]
    fresh = optimizers.Nadam.from_config(optimizer.get_config())
    fresh.build(copied)
    store: dict = {}
    optimizer.save_own_variables(store)
    fresh.load_own_variables({key: np.array(value) for key, value in store.items()})
    for g in grads[3:]:
        optimizer.apply(g, weights)
        fresh.apply(g, copied)
    assert all(torch.equal(a, b) for a, b in zip(weights, copied, strict=True))
    twin = copy.deepcopy(optimizer)
    assert twin.get_config() == optimizer.get_config()
    twin.apply(grads[0])
    optimizer.apply(grads[0], weights)
    assert all(torch.equal(a, b) for a, b in zip(weights, twin._variables, strict=True))


def test_stateless_apply_leaves_everything_alone():
    weights = _weights((2, 2))
    optimizer = optimizers.Adam(0.1)
    optimizer.build(weights)
    before = [v.numpy().copy() for v in optimizer.variables], weights[0].detach().clone()
    new, state = optimizer.stateless_apply(optimizer.variables, [torch.ones(2, 2)], weights)
    assert not torch.equal(new[0], before[1])
    assert state[0] == 1
    assert all((a.numpy() == b).all() for a, b in zip(optimizer.variables, before[0], strict=True))
    assert torch.equal(weights[0], before[1])


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one"),
        ({"use_ema": True, "ema_momentum": 2.0}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency"),
        ({"gradient_accumulation_steps": 1}, "at least 2"),
        ({"momentum": 2.0}, "momentum"),
        ({"learning_rate": "x"}, "learning_rate"),
        ({"lr": 0.1}, "'lr'"),
    ],
)
def test_arguments_out_of_range(kwargs, match):
    with pytest.raises(ArgumentError, match=match):
        optimizers.SGD(**kwargs)


def test_wrong_calls_leave_the_optimizer_usable():
    optimizer, weights = optimizers.SGD(0.1), _weights((2,))
    with pytest.raises(NotBuiltError, match="build"):
        optimizer.apply([torch.ones(2)])
    optimizer.build(weights)
    with pytest.raises(ArgumentError, match="2 gradients for 1"):
        optimizer.apply([torch.ones(2)] * 2, weights)
    with pytest.raises(ArgumentError, match="all 1 are None"):
        optimizer.apply([None], weights)
    with pytest.raises(ArgumentError, match="not built for"):
        optimizer.apply([torch.ones(2)], _weights((2,)))
    with pytest.warns(UserWarning, match="not loaded"):
        optimizer.load_own_variables({"0": np.array(1)})
    with pytest.raises(ArgumentError, match="before its first step"):
        optimizer.exclude_from_weight_decay(var_names=["a"])
    with pytest.raises(ArgumentError, match="no optimizer"):
        optimizers.get(3)
    with pytest.raises(ArgumentError, match="Did you mean"):
        optimizers.get("adma")
    optimizer.apply([torch.ones(2)], weights)
    assert int(optimizer.iterations) == 1


def test_host_scalar_counts_like_a_number():
    number = HostScalar(3, "n", dtype="int64")
    assert [number + 1, 1 - number, number % 2, 2**number, number // 2, -number] == [4, -2, 1, 8, 1, -3]
    assert number == 3
    assert 2 < number < 4
    assert range(10)[number] == 3
    assert f"{number:03d}" == "003"
    assert number.value.dtype == torch.int64
