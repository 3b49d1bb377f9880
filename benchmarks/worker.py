"""One measured process. Reads one JSON command a line, answers each with one JSON line.

usage: worker.py THREADS    (the coordinator, run.py, starts it and sets KERAS_BACKEND)
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
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
    first = each(lambda array: array[:1], x)
    tensor, one = (each(partial(to_tensor, library), part) for part in (x, first))
    return {
        "train": lambda: model.train_on_batch(x, y),
        "predict": lambda: model.predict_on_batch(x),
        "sample": lambda: model.predict(first, verbose=0),
        "sample on batch": lambda: model.predict_on_batch(first),
        "call": lambda: model(tensor),
        "call one": lambda: model(one),
    }


def each(function: Callable[[Any], Any], value: Any) -> Any:
    """A function of one array, or of each in a list."""
    return [function(one) for one in value] if isinstance(value, (list, tuple)) else function(value)


def as_list(value: Any) -> list[Any]:
    """A list; of one where there is no list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def to_tensor(library: str, array: np.ndarray[Any, Any]) -> Any:
    """The array as the engine's own tensor."""
    engine = importlib.import_module("torch" if library == "ramify" else f"{library}.ops")
    return engine.from_numpy(array) if library == "ramify" else engine.convert_to_tensor(array)


def hand_calls(workload: str) -> Calls:
    """The same things by hand, on tensors that share the arrays' memory."""
    import torch
    from torch import Tensor
    from torch.nn import functional as F

    import by_hand

    model, ready = by_hand.MODELS[workload](), by_hand.MODELS[workload]().eval()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    x, y = (as_list(each(torch.from_numpy, part)) for part in WORKLOADS[workload].data())
    one = [tensor[:1] for tensor in x]

    def train() -> float:
        optimizer.zero_grad()
        outputs = as_list(model(*x))
        loss = sum(F.cross_entropy(o.flatten(0, -2), t.flatten()) for o, t in zip(outputs, y, strict=True))
        loss.backward()
        optimizer.step()
        return loss.item()

    return {
        "train": train,
        "predict": lambda: each(Tensor.numpy, ready(*x)),
        "sample": lambda: each(Tensor.numpy, ready(*one)),
        "sample on batch": lambda: each(Tensor.numpy, ready(*one)),
        "call": lambda: ready(*x),
        "call one": lambda: ready(*one),
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
        own = as_list(each(torch.Tensor.numpy, twin(*as_list(each(torch.from_numpy, x)))))
        outputs = as_list(model.predict_on_batch(x))
        return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(own, outputs, strict=True))


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


def first(library: str, workload: str) -> dict[str, float]:
    """Seconds from the definition of a model to the end of its building, and of its first training step.

    The process is fresh for it: what a library imports or compiles late is counted.
    """
    start = time.perf_counter()
    step = calls.__wrapped__(library, workload)["train"]
    built = time.perf_counter()
    step()
    return {"build": built - start, "first step": time.perf_counter() - built}


def memory(library: str, workload: str, what: str) -> float:
    """Peak memory in MiB above what the process had before the model, over five calls."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    call = calls.__wrapped__(library, workload)[what]
    with mode(library, what):
        for _ in range(5):
            call()
    unit = 1 if sys.platform != "darwin" else 1024
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 / unit


def limits() -> dict[str, float]:
    """What the machine can do: GFLOP/s of a matrix product of torch, GB/s of a copy."""
    import torch

    a, big = torch.rand(1_024, 1_024), torch.rand(2**25)
    target = torch.empty_like(big)

    def best(call: Callable[[], Any]) -> float:
        times = []
        for _ in range(10):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    return {
        "GFLOP/s": 2 * 1_024**3 / best(lambda: a @ a) / 1e9,
        "GB/s": 8 * 2**25 / best(lambda: target.copy_(big)) / 1e9,
    }


def growth(library: str, axis: str, size: int, seconds: float) -> float:
    """Median time of a training step of a chain of dense layers, at a batch, a depth or a width."""
    sizes = {"batch": 32, "depth": 10, "width": 64} | {axis: size}
    keras = importlib.import_module(library)
    x = inputs = keras.Input((sizes["width"],))
    for _ in range(sizes["depth"]):
        x = keras.layers.Dense(sizes["width"])(x)
    model = keras.Model(inputs, x)
    model.compile("sgd", "mse")
    data = np.ones((sizes["batch"], sizes["width"]), "float32")
    model.train_on_batch(data, data)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        model.train_on_batch(data, data)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def answer(command: dict[str, Any]) -> Any:
    """Carries out one command."""
    match command.pop("do"):
        case "measure":
            return statistics.median(measure(**command))
        case "difference":
            return difference(**command)
        case "build":
            return build(**command)
        case "first":
            return first(**command)
        case "memory":
            return memory(**command)
        case "limits":
            return limits()
        case "growth":
            return growth(**command)
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
