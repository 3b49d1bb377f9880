"""One measured process. Reads one JSON command a line, answers each with one JSON line.

usage: worker.py THREADS    (the coordinator, run.py, starts it and sets KERAS_BACKEND)
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from workloads import WORKLOADS, chain, chain_weights

Calls = dict[str, Callable[[], Any]]


def keras_calls(library: str, workload: str) -> Calls:
    """What is measured of Ramify and of Keras: the same lines for both."""
    keras = importlib.import_module(library)
    model, (x, y) = WORKLOADS[workload].build(keras), WORKLOADS[workload].data()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    tensor, one = to_tensor(library, x), to_tensor(library, x[:1])
    return {
        "train": lambda: model.train_on_batch(x, y),
        "predict": lambda: model.predict_on_batch(x),
        "sample": lambda: model.predict_on_batch(x[:1]),
        "call": lambda: model(tensor),
        "call one": lambda: model(one),
    }


def to_tensor(library: str, array: np.ndarray[Any, Any]) -> Any:
    """The array as the engine's own tensor."""
    engine = importlib.import_module("torch" if library == "ramify" else f"{library}.ops")
    return engine.from_numpy(array) if library == "ramify" else engine.convert_to_tensor(array)


def hand_calls(workload: str) -> Calls:
    """The same things by hand, on tensors that share the arrays' memory."""
    import torch

    import by_hand

    model, ready = by_hand.MODELS[workload](), by_hand.MODELS[workload]().eval()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    x, y = (torch.from_numpy(array) for array in WORKLOADS[workload].data())
    one = x[:1]

    def train() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return {
        "train": train,
        "predict": lambda: ready(x).numpy(),
        "sample": lambda: ready(one).numpy(),
        "call": lambda: ready(x),
        "call one": lambda: ready(one),
    }


@cache
def calls(library: str, workload: str) -> Calls:
    """Built once in a process, so that the rounds measure a model that is warm."""
    return hand_calls(workload) if library == "by hand" else keras_calls(library, workload)


def mode(library: str, what: str) -> AbstractContextManager[Any]:
    """PyTorch's inference mode around calls of a model, as around whatever else is by hand and no training."""
    if what != "train" and (library == "by hand" or what.startswith("call")):
        import torch

        return torch.inference_mode()
    return nullcontext()


def measure(library: str, workload: str, what: str, seconds: float, at_least: int) -> list[float]:
    """The time of each call, in seconds, for so long and for so many calls at least."""
    call, times = calls(library, workload)[what], []
    with mode(library, what):
        end = time.perf_counter() + seconds
        while len(times) < at_least or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return times


def difference(library: str, workload: str) -> float:
    """The largest difference between a model's outputs and its hand-written twin's with the same weights."""
    import torch

    import by_hand

    model, (x, _) = WORKLOADS[workload].build(importlib.import_module(library)), WORKLOADS[workload].data()
    twin = by_hand.MODELS[workload]().eval()
    by_hand.copy_weights(model, twin)
    with torch.inference_mode():
        return float(np.abs(twin(torch.from_numpy(x)).numpy() - model.predict_on_batch(x)).max())


def build(library: str, depth: int) -> dict[str, float]:
    """Seconds that a chain of layers takes: its weights alone, the whole of it, and what its first call adds."""
    keras = importlib.import_module(library)
    x = to_tensor(library, np.zeros((1, 8), "float32"))
    chain_weights(keras, 10), chain(keras, 10)  # whatever is set up once
    times = []
    for step in (lambda: chain_weights(keras, depth), lambda: chain(keras, depth)):
        gc.collect()
        start = time.perf_counter()
        result = step()
        times.append(time.perf_counter() - start)
    for _ in range(2):
        start = time.perf_counter()
        result(x, training=False)
        times.append(time.perf_counter() - start)
    weights, whole, first, second = times
    return {"weights": weights, "whole": whole, "first call": first - second}


def answer(command: dict[str, Any]) -> Any:
    """Carries out one command."""
    match command.pop("do"):
        case "measure":
            return statistics.median(measure(**command))
        case "difference":
            return difference(**command)
        case "build":
            return build(**command)
        case unknown:
            raise ValueError(unknown)


def main() -> None:
    """Answers until there are no more commands."""
    threads = int(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):  # every library sizes its thread pool by this
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints stays out of the replies
    for line in sys.stdin:
        try:
            reply = {"value": answer(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - the coordinator prints it and goes on without this library
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
