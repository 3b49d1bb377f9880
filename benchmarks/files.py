"""Saving and loading ResNet-50, beside Keras: seconds and peak memory.

usage: python benchmarks/files.py [--rounds 3] [--model ResNet50]

The libraries take turns, each round in a fresh process for each, so that none profits from the other's caches. Memory
is the peak of the resident set during the call beyond what it was before, divided by the bytes of the weights: loading
makes the model, so 1.0 is the least there.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def memory(name: str) -> int:
    """A figure of `/proc/self/status`, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def measured(action: Any) -> tuple[Any, float, int]:
    """The result of a call, its seconds, and the peak of memory beyond the start."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, start = memory("VmRSS"), time.perf_counter()
    result = action()
    return result, time.perf_counter() - start, memory("VmHWM") - before


def work(library: str, source: Path, target: Path) -> dict[str, float]:
    """Load and save once to get warm, then once to be measured."""
    import keras

    found = keras
    if library == "ramify":
        import ramify

        found = ramify
    size = source.stat().st_size
    figures: dict[str, float] = {}
    for _ in range(2):
        model, seconds, grown = measured(lambda: found.saving.load_model(source))
        figures |= {"load s": seconds, "load memory": grown / size}
        _, seconds, grown = measured(lambda made=model: made.save(target))
        figures |= {"save s": seconds, "save memory": grown / size}
        del model
    return figures


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="ResNet50")
    parser.add_argument("--work", nargs=3, metavar=("LIBRARY", "SOURCE", "TARGET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "torch"
    if options.work:
        library, source, target = options.work
        print(json.dumps(work(library, Path(source), Path(target))))
        return
    import keras

    rows: dict[str, list[dict[str, float]]] = {"ramify": [], "keras": []}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "model.keras")
        getattr(keras.applications, options.model)(weights=None).save(source)
        for _ in range(options.rounds):
            for library, results in rows.items():
                command = [sys.executable, __file__, "--work", library, str(source), str(Path(folder, "out.keras"))]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"{options.model}, {source.stat().st_size / 1e6:.0f} MB, medians of {options.rounds} rounds")
    print(f"{'':14}{'ramify':>10}{'keras':>10}{'ratio':>10}")
    for name in ("load s", "save s", "load memory", "save memory"):
        ours, theirs = (statistics.median(one[name] for one in rows[library]) for library in rows)
        print(f"{name:14}{ours:10.2f}{theirs:10.2f}{ours / theirs:10.2f}")


if __name__ == "__main__":
    main()
