"""Memory: what a replayed step holds at a time, and how recomputation lowers it."""

from __future__ import annotations

import warnings
import weakref

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import ramify
from ramify import layers


class Live(TorchDispatchMode):
    """Bytes of the memory that operations make, while somebody holds it."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.seen = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        known = {t.untyped_storage()._cdata for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor) and (cdata := tensor.untyped_storage()._cdata) not in known:
                self.count(tensor.untyped_storage(), cdata)
        self.peak = max(self.peak, self.now)
        return out

    def count(self, storage, cdata):
        if cdata not in self.seen:
            size = storage.nbytes()
            self.now += size
            self.seen[cdata] = weakref.finalize(storage, self.gone, cdata, size)

    def gone(self, cdata, size):
        del self.seen[cdata]
        self.now -= size


def model(how, budget=None):
    ramify.utils.set_random_seed(0)
    x = start = ramify.Input((16,))
    for _ in range(12):
        x = layers.Dropout(0.1)(layers.LayerNormalization()(layers.Dense(16, activation="gelu")(x)))
    made = ramify.Model(start, layers.Dense(1)(x))
    made.compile("adam", "mse", jit_compile=how, memory_budget=budget)
    return made


X = np.random.default_rng(0).random((512, 16), np.float32)
Y = X.sum(1, keepdims=True)


def peak(made):
    for _ in range(4):
        made.train_on_batch(X, Y)
    live = Live()
    with live:
        made.engine.train_batch((torch.from_numpy(X), torch.from_numpy(Y)))
    return live.peak, made


def test_a_replayed_step_takes_no_more_memory_than_one_by_operation():
    assert peak(model("captured"))[0] <= peak(model(False))[0]


def test_recomputation_lowers_the_peak_and_changes_nothing():
    plain, made = peak(model("captured"))
    least, leaner = peak(model("captured", 0.65))
    assert least <= 0.7 * plain
    assert all(torch.equal(a, b) for a, b in zip(made.weights, leaner.weights, strict=True))


def test_bytes_and_shares_are_budgets():
    plain, _ = peak(model("captured"))
    assert peak(model("captured", int(0.7 * plain)))[0] <= 0.75 * plain
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert peak(model("captured", 10 * plain))[0] == plain


def test_a_budget_out_of_reach_is_told():
    with pytest.warns(UserWarning, match="memory_budget=1000 asks for"):
        peak(model("captured", 1000))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_graph_of_kernels_gives_what_steps_by_operation_give():
    def run(how):
        made = model(how)
        made.cuda()
        torch.manual_seed(0)
        return [made.train_on_batch(X, Y) for _ in range(8)]

    assert np.allclose(run("captured"), run(False), rtol=1e-5)
