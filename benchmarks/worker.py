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

BY_HAND = ("by hand", "compiled")
RATE = 1e-7
"""So small that thousands of steps on one batch leave the model where it is. With gradients gone to nothing, Adam's
averages would be subnormal numbers, on which PyTorch is many times as slow, and what is measured would be that."""
Calls = dict[str, Callable[[], Any]]


def keras_calls(library: str, workload: str) -> Calls:
    """What is measured of Ramify and of Keras: the same lines for both."""
    keras = importlib.import_module(library)
    model, (x, y) = WORKLOADS[workload].build(keras), WORKLOADS[workload].data()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)
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


def hand_calls(workload: str, *, compiled: bool = False) -> Calls:
    """The same things by hand, on tensors that share the arrays' memory; compiled by torch where that is asked for."""
    import torch
    from torch import Tensor
    from torch.nn import functional as F

    import by_hand

    model, ready = by_hand.MODELS[workload](), by_hand.MODELS[workload]().eval()
    ready.load_state_dict(model.state_dict(), assign=True)  # the same weights: what is measured has them once
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
    if compiled:
        model, ready = torch.compile(model), torch.compile(ready)
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
    if library in BY_HAND:
        return hand_calls(workload, compiled=library == "compiled")
    return keras_calls(library, workload)


def mode(library: str, what: str) -> AbstractContextManager[Any]:
    """PyTorch's inference mode around calls of a model, as around whatever else is by hand and no training."""
    if what != "train" and (library in BY_HAND or what.startswith("call")):
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


def fresh(library: str, workload: str, what: str) -> dict[str, float]:
    """Of a fresh process: seconds to build a model and to its first training step, and the peak of memory.

    What a library imports or compiles late is counted, but for torch's compiler, which whoever makes one of torch's own
    optimizers imports. Memory is the peak in MiB above what the process had before the model, over five calls.
    """
    warm = [importlib.import_module("torch" if library in BY_HAND else library)]  # imported, not measured
    if "torch" in sys.modules:
        warm.append(importlib.import_module("torch._dynamo"))
    before, start = peak(), time.perf_counter()
    call = calls.__wrapped__(library, workload)[what]
    built = time.perf_counter()
    with mode(library, what):
        call()
        first = time.perf_counter() - built
        for _ in range(4):
            call()
    times = {"build, s": built - start, "first step, s": first} if what == "train" else {}
    return {**times, f"{what}, MiB": peak() - before}


def peak() -> float:
    """The most memory that the process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


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
    warm = time.perf_counter() + 25 * seconds  # whatever chooses how to run steps has chosen by then
    while time.perf_counter() < warm:
        model.train_on_batch(data, data)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        model.train_on_batch(data, data)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def gpu(workload: str, batch: int, calls: int) -> list[float]:
    """Mean seconds of a training step of Keras-jax in bfloat16, in five rounds.

    Raises:
        RuntimeError: jax sees no card.
    """
    import jax
    import keras

    if jax.default_backend() != "gpu":
        raise RuntimeError("jax sees no GPU")
    keras.config.set_dtype_policy("mixed_bfloat16")
    model, data = WORKLOADS[workload].build(keras), WORKLOADS[workload].data(batch)
    x, y = (jax.device_put(array) for array in data)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)
    times: list[float] = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(calls):
            model.train_on_batch(x, y)
        times.append((time.perf_counter() - start) / calls)
    return times[2:]


def answer(command: dict[str, Any]) -> Any:
    """Carries out one command."""
    match command.pop("do"):
        case "measure":
            return statistics.median(measure(**command))
        case "difference":
            return difference(**command)
        case "build":
            return build(**command)
        case "fresh":
            return fresh(**command)
        case "limits" | "flops" as name:
            limits = importlib.import_module("limits")  # it imports torch, which Keras need not have
            return limits.machine() if name == "limits" else limits.flops(**command)
        case "gpu":
            return gpu(**command)
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
    sys.setrecursionlimit(20_000)  # Keras builds and runs by recursion: a thousand layers need more than Python's 1,000
    for line in sys.stdin:
        try:
            reply = {"value": answer(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - the coordinator prints it and goes on without this library
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
