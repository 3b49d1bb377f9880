"""Ramify beside Keras on each of its backends, and beside PyTorch written by hand.

Every library is a process of its own. The rounds are interleaved: in each round every library measures the same thing
for a moment, in turn, so that whatever else the machine does falls on all of them. A round gives the median time of a
call; a ratio is taken within a round; the table shows the median over the rounds and, in brackets, the least and the
greatest ratio. Calling a model is the exception: Ramify and the hand-written model are called in one process.

The first use of a Keras backend makes a virtual environment for it under benchmarks/.venvs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from report import (
    HAND,
    KERAS_DEPTH,
    MEASURES,
    RAMIFY,
    Builds,
    Times,
    builds_table,
    firsts_table,
    growth_table,
    times_table,
)
from workloads import WORKLOADS

HERE = Path(__file__).parent
ON_TORCH = {RAMIFY, HAND, "keras-torch"}  # calling a model is compared among these
PINS = {
    "torch": [],  # runs in the environment of this script
    "jax": ["keras==3.15.1", "jax==0.10.2", "jaxlib==0.10.2"],
    "tensorflow": [
        "keras==3.15.1",
        "tensorflow-cpu==2.21.0; sys_platform != 'darwin'",
        "tensorflow==2.21.0; sys_platform == 'darwin'",
    ],
}


GROWTH = {"batch": (1, 32, 1_024), "depth": (10, 100, 1_000, 10_000), "width": (8, 64, 512, 2_048)}
TOO_MUCH = {("depth", 10_000)}  # for Keras, which builds by recursion
QUICK = {"backends": ["jax", "tensorflow", "torch"], "rounds": 3, "seconds": 0.25, "warmup": 0.8, "fresh": 1}
QUICK_WORKLOADS = ["mlp", "siamese", "lstm", "resnet20", "inception", "transformer"]


class WorkerError(Exception):
    """A library could not do what was asked."""


@dataclass
class Worker:
    """A process that measures one library."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, backend: str, threads: int) -> Worker:
        """Starts one; `backend` is Keras's, and says which Python runs it."""
        env = os.environ | {
            "KERAS_BACKEND": backend,
            "OMP_NUM_THREADS": str(threads),
            "PYTHONPATH": str(HERE.parent),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [str(python_for(backend)), str(HERE / "worker.py"), str(threads)]
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True))

    def ask(self, **command: Any) -> Any:
        """One command, one answer."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
            reply = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except BrokenPipeError as error:
            raise WorkerError("the process ended") from error
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply["value"]

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def python_for(backend: str) -> Path:
    """The interpreter for a Keras backend; makes its environment where it is missing."""
    if not PINS[backend]:
        return Path(sys.executable)
    folder = HERE / ".venvs" / backend
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = folder / ".installed"
    if not stamp.exists():
        print(f"installing {' '.join(PINS[backend])}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINS[backend]], check=True)
        stamp.touch()
    return python


@dataclass
class Bench:
    """All processes, what is to be measured, and what was."""

    options: argparse.Namespace
    workers: dict[str, Worker]
    times: Times = field(default_factory=dict)
    builds: Builds = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    hosts: dict[str, str] = field(default_factory=dict)
    firsts: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    growth: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    def measure(self, workload: str, what: str, seconds: float, name: str) -> float:
        """The median time of a call in one round, in seconds."""
        host = RAMIFY if name == HAND and what.startswith("call") and RAMIFY in self.workers else name
        command = {"library": library(name), "workload": workload, "what": what, "seconds": seconds, "at_least": 3}
        return self.workers[host].ask(do="measure", **command)

    def attempt(self, names: Iterable[str], title: str, work: Any) -> list[str]:
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

    def run_workload(self, workload: str) -> None:
        """Warms all up, then measures in rounds."""
        options, times = self.options, self.times.setdefault(workload, {})
        for what in options.measures:
            title = f"{WORKLOADS[workload].title}, {what}"
            print(f"measuring {title}", file=sys.stderr)
            names = [n for n in self.workers if not what.startswith("call") or n in ON_TORCH]
            warm = self.attempt(names, title, partial(self.measure, workload, what, options.warmup))
            times[what] = {name: [] for name in warm}
            finer = 5 if what.startswith("call") else 1  # a difference of a few percent wants many short rounds
            for turn in range(options.rounds * finer):
                for name in warm[turn % len(warm) :] + warm[: turn % len(warm)]:
                    times[what][name].append(self.measure(workload, what, options.seconds / finer, name))

    def run_builds(self) -> None:
        """Builds long chains of layers: Ramify all depths, Keras once what it can."""
        for depth in self.options.depths:
            able = [n for n in self.workers if n == RAMIFY or (n != HAND and depth == self.options.depths[0])]
            for turn in range(min(self.options.rounds, 3)):
                print(f"building {depth} layers, round {turn + 1}", file=sys.stderr)
                able = self.attempt(able, f"building {depth} layers", partial(self.build, depth))

    def build(self, depth: int, name: str) -> None:
        """Builds one chain."""
        feasible = depth if name == RAMIFY else KERAS_DEPTH
        result = self.workers[name].ask(do="build", library=library(name), depth=feasible)
        self.builds.setdefault(str(depth), {}).setdefault(name, []).append(result)

    def run_fresh(self) -> None:
        """What only a fresh process can tell: the time to the first step, and peak memory; one process each."""
        for workload in self.options.workloads:
            for name in self.workers:
                for turn in range(self.options.fresh):
                    print(f"{WORKLOADS[workload].title}, first step and memory, {name}, {turn + 1}", file=sys.stderr)
                    self.attempt([name], f"{workload}, fresh", partial(self.fresh, workload))

    def fresh(self, workload: str, name: str) -> None:
        """One round of it for one library."""
        found = self.firsts.setdefault(workload, {}).setdefault(name, {})
        for command in ({"do": "first"}, {"do": "memory", "what": "train"}, {"do": "memory", "what": "predict"}):
            worker = Worker.start(self.hosts[name], self.options.threads)
            try:
                result = worker.ask(**command, library=library(name), workload=workload)
            finally:
                worker.close()
            told = {f"{command['what']}, MiB": result} if command["do"] == "memory" else result
            for key, value in told.items():
                found.setdefault(key, []).append(value)

    def run_growth(self) -> None:
        """How the time of a training step grows with the batch, the depth and the width."""
        for axis, sizes in GROWTH.items():
            for size in sizes[: 2 if self.options.quick else None]:
                for name in self.workers:
                    if name != HAND and (name == RAMIFY or (axis, size) not in TOO_MUCH):
                        print(f"growth: {axis} {size}, {name}", file=sys.stderr)
                        self.attempt([name], f"{axis} {size}", partial(self.grow, axis, size))

    def grow(self, axis: str, size: int, name: str) -> None:
        """One point of it."""
        command = {"library": library(name), "axis": axis, "size": size, "seconds": self.options.seconds}
        self.growth.setdefault(axis, {}).setdefault(str(size), {})[name] = self.workers[name].ask(
            do="growth", **command
        )

    def differ(self, workload: str, name: str) -> None:
        """Fails where a model and its hand-written twin are not the same function."""
        error = self.workers[name].ask(do="difference", library=library(name), workload=workload)
        if error > 1e-4:
            raise WorkerError(f"outputs differ by {error:.1e} from the hand-written model's with the same weights")


def library(name: str) -> str:
    """What the worker imports for a library's name in the table."""
    return name if name in {RAMIFY, HAND} else "keras"


def describe(options: argparse.Namespace) -> dict[str, Any]:
    """What the figures were measured on."""
    pins = [pin.split(";")[0].split("==") for backend in options.backends for pin in PINS[backend]]
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("torch", "keras", "numpy")} | dict(pins),
    }


def words(text: str) -> list[str]:
    """The parts of an option such as `jax,torch`."""
    return [word for word in text.split(",") if word]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--backends", type=words, default=["torch"], help=f"Keras backends, of {','.join(PINS)} (default: torch)")
    add("--workloads", type=words, default=list(WORKLOADS), help=f"of {','.join(WORKLOADS)} (default: all)")
    add("--measures", type=words, default=list(MEASURES), help=f"of {','.join(MEASURES)} (default: all)")
    add("--depths", type=words, default=["1000", "10000"], help="layers in the chains to build; '' for none")
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=0.4, help="that one round measures one thing (default: 0.4)")
    add("--warmup", type=float, default=2.0, help="seconds of calls before the first round (default: 2)")
    add("--threads", type=int, default=os.cpu_count(), help="processor cores for each library (default: all)")
    add("--without", type=words, default=[], help=f"leave out {RAMIFY} or '{HAND}'")
    add("--fresh", type=int, default=3, help="processes per library for first step and memory; 0 for none")
    add("--growth", action="store_true", help="also how training steps grow with batch, depth and width")
    add("--quick", action="store_true", help="a part that takes some minutes: all backends, fewer workloads and rounds")
    add("--out", type=Path, default=HERE / "results" / "latest.json", help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    if options.quick:
        options.workloads = QUICK_WORKLOADS if options.workloads == list(WORKLOADS) else options.workloads
        options.depths = options.depths[:1]
        vars(options).update(
            {name: value for name, value in QUICK.items() if getattr(options, name) == parser.get_default(name)}
        )
    options.depths = [int(depth) for depth in options.depths]
    return options


def main(arguments: list[str] | None = None) -> None:
    """Measures and reports."""
    options = parse(arguments)
    hosts = {RAMIFY: "torch", **{f"keras-{b}": b for b in options.backends}, HAND: "torch"}
    with ExitStack() as stack:
        chosen = {name: backend for name, backend in hosts.items() if name not in options.without}
        workers = {name: Worker.start(backend, options.threads) for name, backend in chosen.items()}
        for worker in workers.values():
            stack.callback(worker.close)
        bench = Bench(options, workers, hosts=hosts)
        limits = next(iter(workers.values())).ask(do="limits") if options.backends else {}
        for workload in options.workloads:
            bench.attempt((ON_TORCH - {HAND}) & workers.keys(), workload, partial(bench.differ, workload))
            bench.run_workload(workload)
        bench.run_builds()
        bench.run_fresh()
        if options.growth:
            bench.run_growth()
    print(f"{options.threads} cores, {options.rounds} rounds\n\n{times_table(list(workers), bench.times)}\n")
    print(builds_table(bench.builds) if bench.builds else "")
    print(firsts_table(bench.firsts) if bench.firsts else "")
    print(growth_table(bench.growth) if bench.growth else "")
    print(f"The machine: {', '.join(f'{value:.0f} {unit}' for unit, value in limits.items())}\n")
    print("\n".join(bench.notes))
    figures = {"threads": options.threads, "seconds": bench.times, "builds": bench.builds, "notes": bench.notes}
    figures |= {"first": bench.firsts, "growth": bench.growth, "limits": limits}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(describe(options) | figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
