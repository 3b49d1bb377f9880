"""Averages that fade away: they end as zero, and nothing else changes."""

from __future__ import annotations

import pytest
import torch

from ramify import optimizers
from ramify.optimizers.fading import FREQUENCY, end_fading

SMALLEST = torch.finfo(torch.float32).tiny


def subnormal(tensor: torch.Tensor) -> bool:
    return bool(((tensor != 0) & (tensor.abs() < SMALLEST)).any())


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(1e-3),
        lambda: optimizers.Adam(1e-3, amsgrad=True),
        lambda: optimizers.SGD(1e-3, momentum=0.9),
        lambda: optimizers.RMSprop(1e-3, rho=0.5, momentum=0.9),
        lambda: optimizers.Nadam(1e-3),
        lambda: optimizers.Adamax(1e-3, beta_2=0.5),
    ],
)
def test_the_average_of_a_gradient_that_stops_ends_as_zero(make):
    """And the weights are, to the bit, those of a run in which the averages were left alone."""
    weight, twin = (torch.nn.Parameter(torch.linspace(-1, 1, 40)) for _ in range(2))
    optimizer, other = make(), make()
    other.build([twin])
    gradient = torch.linspace(-1, 1, 40)
    dead = torch.arange(40) < 20
    for step in range(FREQUENCY * 5):
        now = torch.where(dead & (step > 3), 0.0, gradient)
        optimizer.apply([now], [weight])
        with torch.no_grad():
            other._step([now.clone()], [twin], None)
        other._iterations.number += 1
    state = [s for s in optimizer.variables if isinstance(s, torch.Tensor) and s.ndim]
    assert any(subnormal(s) for s in other.variables if isinstance(s, torch.Tensor))
    assert not any(subnormal(s) for s in state)
    assert torch.equal(weight, twin)


def test_lion_takes_the_sign_of_the_smallest_average_too():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizers.Lion(1.0, beta_2=0.9)
    optimizer.apply([torch.ones(1)], [weight])
    for _ in range(FREQUENCY * 5):
        optimizer.apply([torch.zeros(1)], [weight])
    before = weight.item()
    optimizer.apply([torch.zeros(1)], [weight])
    assert weight.item() == before - 1


def test_without_an_epsilon_nothing_is_divided_by_zero():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizers.Adam(0.1, beta_2=0.9, epsilon=0.0)
    optimizer.apply([torch.ones(1)], [weight])
    for _ in range(FREQUENCY * 5):
        optimizer.apply([torch.zeros(1)], [weight])
    assert weight.isfinite().all()


def test_the_state_of_an_own_optimizer_is_left_alone():
    class Own(optimizers.Optimizer):
        def build(self, variables):
            if not self.built:
                super().build(variables)
                self.kept = self.add_optimizer_variables(variables, "kept")

        def update_step(self, gradient, variable, learning_rate):
            self.kept[0].fill_(SMALLEST / 4)

    weight, optimizer = torch.nn.Parameter(torch.zeros(2)), Own(0.1)
    for _ in range(FREQUENCY):
        optimizer.apply([torch.ones(2)], [weight])
    assert subnormal(optimizer.kept[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_what_is_not_subnormal_stays(dtype):
    tiny = torch.finfo(dtype).tiny
    values = torch.tensor([0.0, tiny, -tiny, 1.0, float("inf"), float("nan"), tiny * 0.5, -tiny * 0.25], dtype=dtype)
    wanted = values.clone()
    wanted[6:] = 0
    end_fading([values])
    assert torch.equal(values.nan_to_num(7), wanted.nan_to_num(7))


def test_in_memory_of_any_order():
    values = torch.full((4, 6), SMALLEST / 4).t()
    end_fading([values])
    assert values.count_nonzero() == 0


def test_whole_numbers_are_left_alone():
    count = torch.ones(3, dtype=torch.int64)
    end_fading([count])
    assert count.tolist() == [1, 1, 1]


def test_of_a_distributed_tensor_the_part_that_is_here():
    if not torch.distributed.is_available():
        pytest.skip("this torch has no distributed tensors")
    from torch.distributed.tensor import Replicate, distribute_tensor, init_device_mesh  # imports slowly

    torch.distributed.init_process_group("gloo", rank=0, world_size=1, store=torch.distributed.HashStore())
    try:
        mesh = init_device_mesh("cpu", (1,))
        values = distribute_tensor(torch.tensor([SMALLEST / 4, 1.0]), mesh, [Replicate()])
        end_fading([values])
        assert values.to_local().tolist() == [0, 1]
    finally:
        torch.distributed.destroy_process_group()
