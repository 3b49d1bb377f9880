"""Replayed steps give what steps by operation give, to the last bit, whatever the model, the optimizer and the loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from tests.training.capture.drawn import OPTIMIZERS, batches, compiled, plans

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def trained(plan, **how):
    """Logs, weights, optimizer state and random state after a few steps, and the model."""
    model = compiled(plan, **how)
    model.passes = []  # which rewrite what runs without gradients, and so its last bits
    torch.manual_seed(plan["seed"])
    logs = [model.train_on_batch(*batch, return_dict=True) for batch in batches(plan, 7)]
    logs += [model.test_on_batch(*batch, return_dict=True) for batch in batches(plan, 5)]
    state = [variable.numpy() for variable in model.optimizer.variables]
    return logs, [*model.weights, *map(torch.as_tensor, state)], torch.get_rng_state(), model


def assert_same(plan, **how):
    """The same numbers to the last bit, and some steps that were really replayed."""
    logs, tensors, random, _ = trained(plan, jit_compile=False)
    found, replayed, drawn, model = trained(plan, **how)
    assert [list(entry) for entry in found] == [list(entry) for entry in logs]
    for step, (entry, wanted) in enumerate(zip(found, logs, strict=True)):
        for name, value in wanted.items():
            assert np.array_equal(entry[name], value, equal_nan=True), (step, name, plan)
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(replayed, tensors, strict=True)), plan
    assert torch.equal(drawn, random)
    assert [kind.why for kind in model.engine._kinds.values()] == ["", ""], plan
    assert all(kind.step is not None for kind in model.engine._kinds.values())


@given(plans())
@settings(max_examples=40, **QUIET)
def test_replayed_steps_are_equal(plan):
    assert_same(plan, jit_compile="captured")


@pytest.mark.slow
@given(plans())
@settings(max_examples=500, **QUIET)
def test_replayed_steps_are_equal_over_many_models(plan):
    assert_same(plan, jit_compile="captured")


@given(plans())
@settings(max_examples=10, **QUIET)
@pytest.mark.filterwarnings("ignore:memory_budget")
def test_recomputation_is_equal(plan):
    assert_same(plan, memory_budget=0.3)


@pytest.mark.slow
@given(plans())
@settings(max_examples=500, **QUIET)
@pytest.mark.filterwarnings("ignore:memory_budget")
def test_recomputation_is_equal_over_many_models(plan):
    assert_same(plan, memory_budget=0.3)


PLAN = {
    "blocks": ["dense", "dropout", "batch norm"],
    "joins": [0, 1, 2, 5, 5],
    "image": True,
    "outputs": 1,
    "rate": 0.01,
    "extra": {},
    "dynamic_scale": False,
    "policy": "float32",
    "weighted": False,
    "loss": "mse",
    "regularized": False,
    "constrained": False,
    "seed": 0,
}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_each_optimizer(name):
    assert_same({**PLAN, "optimizer": name}, jit_compile="captured")


def test_an_optimizer_of_torch():
    def run(**how):
        model = compiled({**PLAN, "optimizer": "SGD"}, **how)
        model.compile(torch.optim.NAdam, "mse", **how)
        return [model.train_on_batch(*batch) for batch in batches(PLAN, 6)], model

    assert run(jit_compile=False)[0] == run(jit_compile="captured")[0]
    assert "replayed" in str(run(jit_compile="captured")[1].engine_report)
