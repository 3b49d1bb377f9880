"""Figures of runs as JSON files, and how the pieces of a long run become one.

A file holds, beside what it was measured on: `seconds` (workload, measure, library: the median of each round),
`builds` (depth, library: rounds), `first` (workload, library: seconds and MiB), `growth` (axis, size, library:
seconds), `flops` (workload: floating point operations and bytes), `limits` (workload: of the machine at the
time), and `notes`.
"""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from workers import PINS

Figures = dict[str, Any]
PARTS = ("seconds", "builds", "first", "growth", "flops", "limits")


def empty(threads: int) -> Figures:
    """The figures of a run that has measured nothing yet."""
    pins = [pin.split(";")[0].split("==") for pins in PINS.values() for pin in pins]
    described = {
        "machine": platform.machine(),
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("torch", "keras", "numpy")} | dict(pins),
        "threads": threads,
    }
    return {**described, **{part: {} for part in PARTS}, "notes": []}


def processor() -> str:
    """What the system calls the processor, and the widest vectors that torch uses on it."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {torch.backends.cpu.get_cpu_capability()}"


def merged(old: Figures, new: Figures) -> Figures:
    """One run out of two pieces: what the newer one measured takes the place of the older's.

    A measure of a workload is one piece: its libraries took turns, so they are never mixed with those of another run.

    >>> old, new = {"seconds": {"mlp": {"train": {"a": [2.0]}}}}, {"seconds": {"mlp": {"train": {"b": [1.0]}}}}
    >>> merged(old, new)["seconds"]
    {'mlp': {'train': {'b': [1.0]}}}
    """
    both = {**old, **new}
    for part in PARTS:
        both[part] = {**old.get(part, {}), **new.get(part, {})}
    for part in ("seconds", "growth"):
        for key in set(old.get(part, {})) & set(new.get(part, {})):
            both[part][key] = {**old[part][key], **new[part][key]}
    both["notes"] = list(dict.fromkeys([*old.get("notes", []), *new.get("notes", [])]))
    return both


def read(path: Path) -> Figures:
    """The figures of a file; none where there is no file."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def write(path: Path, figures: Figures) -> None:
    """Write them; a reader finds the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    part.replace(path)
