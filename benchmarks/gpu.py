"""The GPU page: transformer 12x768, ResNet-50 and the MLP in bfloat16, beside by hand compiled and Keras-jax.

    python benchmarks/gpu.py [--into benchmarks/results/gpu.json]

Images or tokens a second, and MFU: the floating point operations of a training step, as `limits.py` counts them, over
what the card does in a large matrix product in the same time. Keras-jax runs where its environment sees the card.
Without CUDA it says so and ends.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

import by_hand
import limits
from report import table
from workers import Worker, WorkerError
from workloads import WORKLOADS

BATCHES = {"transformer12": 64, "resnet50": 128, "mlp": 32}
GOALS = "Goals: MFU within 3 % of by hand compiled; 1.1 times Keras-jax; for the MLP, 3 times Ramify run eagerly."


def steps(workload: str, batch: int, device: torch.device) -> dict[str, Callable[[], Any]]:
    """A training step of each library of this process, in bfloat16 over float32 weights."""
    import ramify

    x, y = (torch.from_numpy(array).to(device) for array in WORKLOADS[workload].data(batch))

    def own(**how: Any) -> Callable[[], Any]:
        ramify.config.set_dtype_policy("mixed_bfloat16")
        with torch.device(device):
            model = WORKLOADS[workload].build(ramify).to(device)
        ramify.config.set_dtype_policy("float32")
        loss = ramify.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=ramify.optimizers.Adam(1e-3), loss=loss, **how)
        return lambda: model.train_on_batch(x, y)

    model = by_hand.MODELS[workload]().to(device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    compiled = torch.compile(model) if device.type == "cuda" else model

    def hand() -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16):
            loss = F.cross_entropy(compiled(x).float(), y)
        loss.backward()
        optimizer.step()

    return {"ramify": own(), "ramify, eagerly": own(run_eagerly=True), "by hand, compiled": hand}


def seconds_of(step: Callable[[], Any], device: torch.device, calls: int = 20) -> float:
    """The mean time of a step, with the device waited for at both ends only."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    for _ in range(calls):
        step()
    wait()
    return (time.perf_counter() - start) / calls


def measured(
    workload: str, batch: int, device: torch.device, rounds: int = 5, calls: int = 20
) -> dict[str, list[float]]:
    """Seconds of a step in each round, by library; they take turns."""
    run = steps(workload, batch, device)
    for step in run.values():
        seconds_of(step, device, 5)
    times: dict[str, list[float]] = {name: [] for name in run}
    for _ in range(rounds):
        for name, step in run.items():
            times[name].append(seconds_of(step, device, calls))
    return times


def keras_jax(workload: str, batch: int, calls: int = 20) -> list[float]:
    """The same of Keras-jax, in its own environment; nothing where that sees no card."""
    try:
        worker = Worker.start("jax", 8)
        try:
            return list(worker.ask(do="gpu", workload=workload, batch=batch, calls=calls))
        finally:
            worker.close()
    except (WorkerError, OSError):
        return []


def row(workload: str, batch: int, name: str, times: list[float], peak: float) -> list[str]:
    """One line of the page: milliseconds, images or tokens a second, MFU."""
    entry, seconds = WORKLOADS[workload], statistics.median(times)
    per_sample = entry.shape[0] if entry.tokens else 1
    flop, _ = limits.counted(workload, batch, backward=True)
    rate = f"{batch * per_sample / seconds:.0f} {'tokens' if entry.tokens else 'samples'}/s"
    return [f"{workload}, batch {batch}", name, f"{1e3 * seconds:.3g}", rate, f"{flop / seconds / peak:.1%}"]


def peak_of(device: torch.device, size: int = 8_192) -> float:
    """FLOP/s of a large bfloat16 product."""
    a = torch.rand(size, size, device=device, dtype=torch.bfloat16)
    seconds_of(lambda: a @ a, device, 3)
    return 2.0 * size**3 / min(seconds_of(lambda: a @ a, device, 10) for _ in range(3))


def main() -> None:
    """Measure and print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device: the GPU page is for machines that have one")
        return
    device, figures = torch.device("cuda"), {}
    peak = peak_of(device)
    rows = [["training step, bfloat16", "library", "ms", "rate", "MFU"]]
    for workload, batch in BATCHES.items():
        figures[workload] = measured(workload, batch, device) | {"keras-jax": keras_jax(workload, batch)}
        rows += [row(workload, batch, name, times, peak) for name, times in figures[workload].items() if times]
    print(f"{torch.cuda.get_device_name()}, {peak / 1e12:.0f} TFLOP/s\n\n{table(rows)}\n\n{GOALS}")
    if options.into:
        told = {"device": torch.cuda.get_device_name(), "peak": peak, "torch": torch.__version__, "seconds": figures}
        options.into.write_text(json.dumps(told, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
