"""How far from the limit: what the machine can do, and what a step of a workload takes at the least."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

import by_hand
from workloads import WORKLOADS

ADAM_PASSES = 8  # over the weights' bytes: gradients written and read, weights and both moments read and written


def machine() -> dict[str, float]:
    """GFLOP/s of a matrix product, GB/s of a copy: the best of ten."""
    a, big = torch.rand(1_024, 1_024), torch.rand(2**25)
    target = torch.empty_like(big)
    return {
        "GFLOP/s": 2 * 1_024**3 / best(lambda: a @ a) / 1e9,
        "GB/s": 8 * 2**25 / best(lambda: target.copy_(big)) / 1e9,
    }


def best(call: Callable[[], Any]) -> float:
    """The shortest of ten calls, in seconds."""
    times = []
    for _ in range(10):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def flops(workload: str) -> dict[str, dict[str, float]]:
    """Floating point operations, and the least bytes of memory traffic, of a training step, a batch and a sample.

    The operations are those of the hand-written model's products and convolutions, counted on tensors without data.
    The bytes are those of the weights: read once, and for a training step what Adam reads and writes.
    """
    found = {}
    for what, batch in (("train", None), ("predict", None), ("sample", 1)):
        count, numbers = counted(workload, batch, backward=what == "train")
        found[what] = {"flop": count, "bytes": 4 * numbers * (ADAM_PASSES if what == "train" else 1)}
    return found


def counted(workload: str, batch: int | None, *, backward: bool) -> tuple[float, int]:
    """Operations of one pass, and the number of weights."""
    entry = WORKLOADS[workload]
    given, _ = entry.data(batch)
    inputs = [torch.from_numpy(x).to("meta") for x in (given if isinstance(given, list) else [given])]
    with torch.device("meta"):
        model = by_hand.MODELS[workload]()
    numbers = sum(p.numel() for p in model.parameters())
    if entry.recurrent:  # one call of a library: two operations for every weight and time step
        count = 2.0 * numbers * inputs[0].shape[0] * inputs[0].shape[1]
        return (3 * count if backward else count), numbers
    with FlopCounterMode(display=False) as counter:
        outputs = model(*inputs)
        if backward:
            sum(o.sum() for o in (outputs if isinstance(outputs, list) else [outputs])).backward()
    return float(counter.get_total_flops()), numbers
