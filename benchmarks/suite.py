"""What is measured of all libraries, in which order, and for how long."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from workers import COMPILED, HAND, OWN, RAMIFY, Worker, WorkerError, library
from workloads import WORKLOADS

MEASURES = {
    "train": "training step",
    "predict": "predicted batch",
    "sample": "one sample, predict",
    "sample on batch": "one sample, predict_on_batch",
    "call": "call, batch",
    "call one": "call, one sample",
}
USUAL = ["train", "predict", "sample", "call one"]
BOTH_MODES = ("train", "predict")  # what torch.compile is measured with: each shape is compiled for minutes
NOT_COMPILED = {"thousand"}  # takes longer than all the rest
# How much of the time a workload gets, where that is not one share: what compiles long or steps slowly needs more.
SHARES = {"resnet50": 5.0, "transformer12": 3.0, "thousand": 3.0, "inception": 2.0, "resnet20": 2.0, "transformer": 2.0}
LEAST_ROUNDS = 2
SETTLED = 24  # training steps after which Ramify has chosen how to run them, whatever it chooses
GROWTH = {"batch": (1, 32, 1_024), "depth": (10, 100, 1_000, 10_000), "width": (8, 64, 512, 2_048)}
TOO_MUCH = {("depth", 1_000), ("depth", 10_000)}  # for Keras, which takes minutes to compile the one
KERAS_DEPTH = 800  # with its 80 skips about as deep as Keras can go without another recursion limit
Figures = dict[str, Any]


@dataclass
class Suite:
    """All processes, what is to be measured, and what was: `figures`, which `results.py` describes.

    `keep` is called whenever a workload is done.
    """

    options: argparse.Namespace
    workers: dict[str, Worker]
    hosts: dict[str, str]
    figures: Figures
    notes: list[str] = field(default_factory=list)
    keep: Callable[[], None] = lambda: None

    def attempt(self, names: Iterable[str], title: str, work: Callable[[str], Any]) -> list[str]:
        """Does the work for each library; leaves out, with a note, those that fail."""
        done = []
        for name in names:
            try:
                work(name)
            except WorkerError as error:
                self.notes.append(f"{name}, {title}: {error}")
            else:
                done.append(name)
        return done

    def run_workloads(self, budget: float | None) -> None:
        """Every workload, each for its share of the seconds that are left, if they are counted."""
        end = None if budget is None else time.monotonic() + budget
        waiting = list(self.options.workloads)
        while waiting:
            shares = [SHARES.get(name, 1.0) for name in waiting]
            left = None if end is None else max(0.0, end - time.monotonic()) * shares[0] / sum(shares)
            workload = waiting.pop(0)
            self.figures["limits"][workload] = self._any_torch().ask(do="limits")
            self.attempt(self._alike(), workload, partial(self.differ, workload))
            self.run_workload(workload, left)
            self.figures["flops"][workload] = self._any_torch().ask(do="flops", workload=workload)
            self.keep()

    def _alike(self) -> list[str]:
        return [name for name in (RAMIFY, "keras-torch") if name in self.workers]

    def _any_torch(self) -> Worker:
        return next(self.workers[name] for name in (*OWN, "keras-torch") if name in self.workers)

    def run_workload(self, workload: str, budget: float | None) -> None:
        """Warms all up, then measures in rounds."""
        found = self.figures["seconds"].setdefault(workload, {})
        waiting = list(self.options.measures)
        while waiting:
            start, weights = time.monotonic(), [2.0 if what == "train" else 1.0 for what in waiting]
            what = waiting.pop(0)
            until = None if budget is None else start + budget * weights[0] / sum(weights)
            title = f"{WORKLOADS[workload].title}, {what}"
            print(f"measuring {title}", file=sys.stderr)
            names = [name for name in self.workers if able(name, workload, what)]
            warm = self.attempt(names, title, partial(self.warm, workload, what))
            found[what] = {name: [] for name in warm}
            finer = 3 if what.startswith("call") else 1  # a difference of a few percent wants many short rounds
            for turn in self.rounds(self.options.rounds * finer, until):
                for name in warm[turn % len(warm) :] + warm[: turn % len(warm)]:
                    seconds = self.options.seconds / finer
                    found[what][name].append(self.measure(workload, what, seconds, name))
            budget = None if budget is None else budget - (time.monotonic() - start)

    @staticmethod
    def rounds(wanted: int, until: float | None) -> Iterator[int]:
        """The numbers of the rounds: as many as wanted, fewer where the time is up."""
        for turn in range(wanted):
            if until is not None and turn >= LEAST_ROUNDS and time.monotonic() > until:
                return
            yield turn

    def warm(self, workload: str, what: str, name: str) -> float:
        """As `measure`, for long enough that the rounds find everything compiled, recorded and chosen."""
        settles = name == RAMIFY and what == "train"
        return self.measure(workload, what, self.options.warmup, name, at_least=SETTLED if settles else 2)

    def measure(self, workload: str, what: str, seconds: float, name: str, at_least: int = 2) -> float:
        """The median time of a call in one round, in seconds."""
        # Calls differ by microseconds, so the hand-written model is called in the process that calls Ramify's.
        host = RAMIFY if name == HAND and what.startswith("call") and RAMIFY in self.workers else name
        command = {"library": library(name), "workload": workload, "what": what, "seconds": seconds}
        return float(self.workers[host].ask(do="measure", at_least=at_least, **command))

    def run_builds(self) -> None:
        """Builds long chains of layers: Ramify all depths, Keras what it can beside the first."""
        first = self.options.depths[:1]
        for depth in self.options.depths:
            able = [n for n in self.workers if n == RAMIFY or (n not in OWN and [depth] == first)]
            for turn in range(min(self.options.rounds, 3)):
                print(f"building {depth} layers, round {turn + 1}", file=sys.stderr)
                able = self.attempt(able, f"building {depth} layers", partial(self.build, depth))

    def build(self, depth: int, name: str) -> None:
        """Builds one chain."""
        feasible = depth if name == RAMIFY else min(depth, KERAS_DEPTH)
        result = self.workers[name].ask(do="build", library=library(name), depth=feasible)
        self.figures["builds"].setdefault(str(depth), {}).setdefault(name, []).append({"depth": feasible, **result})

    def run_fresh(self) -> None:
        """What only a fresh process can tell: the time to the first step, and peak memory."""
        for workload in self.options.workloads:
            self.figures["first"][workload] = {}
            for name in self.hosts:
                if name != COMPILED:
                    print(f"{WORKLOADS[workload].title}, first step and memory, {name}", file=sys.stderr)
                    for _ in range(self.options.fresh if name in OWN else 1):
                        self.attempt([name], f"{workload}, fresh", partial(self.fresh, workload))
            self.keep()

    def fresh(self, workload: str, name: str) -> None:
        """One round of it for one library: a process for training, and one for prediction where that is compared."""
        found = self.figures["first"][workload].setdefault(name, {})
        for what in ("train", "predict") if name in OWN else ("train",):
            worker = Worker.start(self.hosts[name], self.options.threads)
            try:
                result = worker.ask(do="fresh", library=library(name), workload=workload, what=what)
            finally:
                worker.close()
            for key, value in result.items():
                found.setdefault(key, []).append(value)

    def run_growth(self) -> None:
        """How the time of a training step grows with the batch, the depth and the width."""
        for axis, sizes in GROWTH.items():
            for size in sizes:
                for name in self.workers:
                    if name == RAMIFY or (name not in OWN and (axis, size) not in TOO_MUCH):
                        print(f"growth: {axis} {size}, {name}", file=sys.stderr)
                        self.attempt([name], f"{axis} {size}", partial(self.grow, axis, size))

    def grow(self, axis: str, size: int, name: str) -> None:
        """One point of it."""
        command = {"library": library(name), "axis": axis, "size": size, "seconds": self.options.seconds}
        points = self.figures["growth"].setdefault(axis, {}).setdefault(str(size), {})
        points[name] = self.workers[name].ask(do="growth", **command)

    def differ(self, workload: str, name: str) -> None:
        """Fails where a model and its hand-written twin are not the same function."""
        error = self.workers[name].ask(do="difference", library=library(name), workload=workload)
        if error > 1e-4:
            raise WorkerError(f"outputs differ by {error:.1e} from the hand-written model's with the same weights")


def able(name: str, workload: str, what: str) -> bool:
    """Whether something is measured of a library."""
    if name == COMPILED:
        return what in BOTH_MODES and workload not in NOT_COMPILED
    return not what.startswith("call") or name in (RAMIFY, HAND, "keras-torch")
