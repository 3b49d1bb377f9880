"""Ramify beside Keras on each of its backends, and beside PyTorch written by hand, eager and compiled.

Every library is a process of its own. The rounds are interleaved: in each round every library measures the same thing
for a moment, in turn, so that whatever else the machine does falls on all of them. A round gives the median time of a
call; a ratio is taken within a round; the table shows the median over the rounds and, in brackets, the least and the
greatest ratio. Calling a model is the exception: Ramify and the hand-written model are called in one process.

A long run can be made in pieces, which come together in one file:

    run.py --workloads mlp,lstm --minutes 5 --into figures.json
    run.py --workloads resnet50 --minutes 6 --into figures.json
    run.py --report figures.json

`--minutes` bounds the rounds, not what a library needs to compile before the first of them. The first use of a Keras
backend makes a virtual environment for it under benchmarks/.venvs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import results
from report import page
from suite import MEASURES, USUAL, Suite
from workers import COMPILED, HAND, OWN, PINS, RAMIFY, Worker
from workloads import WORKLOADS

LATEST = Path(__file__).parent / "results" / "latest.json"
PARTS = ("times", "builds", "fresh", "growth")


def words(text: str) -> list[str]:
    """The parts of an option such as `jax,torch`."""
    return [word for word in text.split(",") if word]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--backends", type=words, default=list(PINS), help=f"Keras backends, of {','.join(PINS)} (default: all)")
    add("--workloads", type=words, default=list(WORKLOADS), help=f"of {','.join(WORKLOADS)} (default: all)")
    add("--parts", type=words, default=list(PARTS), help=f"of {','.join(PARTS)} (default: all)")
    add("--measures", type=words, default=USUAL, help=f"of {','.join(MEASURES)} (default: {','.join(USUAL)})")
    add("--depths", type=words, default=["1000", "10000"], help="layers in the chains to build")
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=0.2, help="that one round measures one thing, two calls at least (0.2)")
    add("--warmup", type=float, default=0.6, help="seconds of calls before the first round (0.6)")
    add("--minutes", type=float, help="for all rounds together; slow workloads get fewer rounds then (no bound)")
    add("--threads", type=int, default=os.cpu_count(), help="processor cores for each library (default: all)")
    add("--without", type=words, default=[], help=f"leave out some of {','.join(OWN)}")
    add("--fresh", type=int, default=2, help="processes for first step and memory, of Ramify and by hand; one of Keras")
    add("--into", type=Path, help="a file of figures: these take the place of what it has of the same")
    add("--report", type=Path, help="measure nothing, print the tables of a file")
    options = parser.parse_args(arguments)
    known: dict[str, Any] = {
        "backends": PINS,
        "workloads": WORKLOADS,
        "parts": PARTS,
        "measures": MEASURES,
        "without": OWN,
    }
    for name, names in known.items():
        if unknown := [word for word in getattr(options, name) if word not in names]:
            parser.error(f"--{name} has no {', '.join(unknown)}; there are {', '.join(names)}")
    options.depths = [int(depth) for depth in options.depths]
    return options


def measured(options: argparse.Namespace, keep: Callable[[results.Figures], None]) -> results.Figures:
    """What the options ask for; `keep` gets the figures after every workload, so that a run cut short loses little."""
    hosts = {RAMIFY: "torch", **{f"keras-{b}": b for b in options.backends}, HAND: "torch", COMPILED: "torch"}
    hosts = {name: backend for name, backend in hosts.items() if name not in options.without}
    figures = results.empty(options.threads)
    with ExitStack() as stack:
        workers = {name: Worker.start(backend, options.threads) for name, backend in hosts.items()}
        for worker in workers.values():
            stack.callback(worker.close)
        suite = Suite(options, workers, hosts, figures, figures["notes"], partial(keep, figures))
        if "times" in options.parts:
            suite.run_workloads(None if options.minutes is None else 60 * options.minutes)
        if "builds" in options.parts:
            suite.run_builds()
        if "growth" in options.parts:
            suite.run_growth()
    if "fresh" in options.parts:
        suite.run_fresh()
    return figures


def main(arguments: list[str] | None = None) -> None:
    """Measures and reports."""
    options = parse(arguments)
    if options.report:
        print(page(results.read(options.report)))
        return
    path, old = options.into or LATEST, results.read(options.into) if options.into else {}

    def keep(figures: results.Figures) -> None:
        results.write(path, results.merged(old, figures))

    keep(measured(options, keep))
    print(page(results.read(path)))


if __name__ == "__main__":
    main()
