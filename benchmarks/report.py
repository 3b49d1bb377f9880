"""The tables of a run, in Markdown that can also be read as it stands."""

from __future__ import annotations

from statistics import median
from typing import Any

from suite import MEASURES
from workers import COMPILED, HAND, OWN, RAMIFY
from workloads import WORKLOADS

OVERHEAD = {"mlp", "siamese", "thousand"}  # bound by overhead: there the step must beat the hand-written one
CONVOLUTIONS = {"resnet20", "resnet50", "inception", "unet"}
Rounds = dict[str, list[float]]  # library: the median of each round, in seconds


def table(rows: list[list[str]]) -> str:
    """Rows, the first of them the head, as a Markdown table that is also aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    )


def goal(workload: str, what: str, other: str) -> float | None:
    """How many times as fast as another Ramify means to be; `other` is ``"keras"`` or the hand-written model.

    >>> goal("mlp", "train", HAND), goal("lstm", "train", HAND), goal("lstm", "predict", HAND)
    (1.3, 1.0, None)
    """
    if other == HAND:
        by_hand = {"train": 1.3 if workload in OVERHEAD else 1.0, "call one": 1 / 1.1}
        return 1.2 if what == "predict" and workload in CONVOLUTIONS else by_hand.get(what)
    return {"train": 1.3, "predict": 1.5, "sample": 4.0}.get(what)


def best_keras(times: Rounds) -> str | None:
    """The fastest of Keras's backends."""
    known = [name for name, rounds in times.items() if name not in OWN and rounds]
    return min(known, key=lambda name: median(times[name])) if known else None


def speedups(times: Rounds, other: str) -> list[float]:
    """How many times as fast as another Ramify was, round by round, sorted."""
    return sorted(o / r for r, o in zip(times[RAMIFY], times[other], strict=True))


def against(times: Rounds, other: str | None, wanted: float | None) -> str:
    """One ratio with its spread and the goal beside it."""
    if not other or not times.get(other) or not times.get(RAMIFY):
        return "–"
    ratios = speedups(times, other)
    text = f"{median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
    return text if wanted is None else f"{text} {'met' if median(ratios) >= wanted else 'MISSED'} ({wanted:.2g})"


def share(work: dict[str, float], limits: dict[str, float], seconds: float) -> float:
    """The least time that arithmetic or memory allow, over the time that was taken.

    >>> share({"flop": 1e9, "bytes": 0.0}, {"GFLOP/s": 100.0, "GB/s": 10.0}, 0.02)
    0.5
    """
    return max(work["flop"] / limits["GFLOP/s"], work["bytes"] / limits["GB/s"]) / 1e9 / seconds


def goals_table(figures: dict[str, Any]) -> str:
    """How many times as fast as the best of Keras, as by hand and as by hand compiled; and what share of the limit.

    The limit is the least time that the arithmetic, or reading the weights, takes on the machine as it was just before
    the workload. Convolutions of few multiplications (Winograd) can take less.
    """
    rows = [["work", "ramify, ms", "best Keras", "times as fast", "by hand", "compiled", "of the limit"]]
    for workload, measures in figures["seconds"].items():
        for what, times in measures.items():
            if not times.get(RAMIFY):
                continue
            own, keras = median(times[RAMIFY]), best_keras(times)
            work = figures.get("flops", {}).get(workload, {}).get("sample" if "one" in what else what)
            machine = figures.get("limits", {}).get(workload)
            limit = f"{100 * share(work, machine, own):.0f} %" if work and machine else "–"
            keras_text = f"{keras.removeprefix('keras-')} {1e3 * median(times[keras]):.3g}" if keras else "–"
            row = [f"{WORKLOADS[workload].title}: {MEASURES[what]}", f"{1e3 * own:.3g}", keras_text]
            row += [against(times, keras, goal(workload, what, "keras"))]
            row += [against(times, HAND, goal(workload, what, HAND)), against(times, COMPILED, None), limit]
            rows.append(row)
    text = "Times as fast: the other's time over Ramify's, median and spread over the rounds, and the goal."
    return f"{table(rows)}\n\n{text}\n"


def times_table(figures: dict[str, Any]) -> str:
    """Milliseconds of every library."""
    everything = figures["seconds"]
    names = list(dict.fromkeys(n for measures in everything.values() for times in measures.values() for n in times))
    rows = [["work, ms", *names]]
    for workload, measures in everything.items():
        for what, times in measures.items():
            cells = [f"{1e3 * median(times[n]):.3g}" if times.get(n) else "–" for n in names]
            rows.append([f"{WORKLOADS[workload].title}: {MEASURES[what]}", *cells])
    return f"{table(rows)}\n"


def builds_table(everything: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """Milliseconds a layer that building a chain takes, and the part of it that makes the weights."""
    rows = [["chain with skips", "library", "all, ms a layer", "weights, ms a layer", "first call, ms a layer", "goal"]]
    for depth, names in everything.items():
        whole: dict[str, list[float]] = {}
        cells: dict[str, list[str]] = {}
        for name, builds in names.items():
            layers = [1.1 * b.get("depth", int(depth)) for b in builds]
            whole[name] = [1e3 * b["whole"] / n for b, n in zip(builds, layers, strict=True)]
            spread = f"{median(whole[name]):.3f} [{min(whole[name]):.3f}, {max(whole[name]):.3f}]"
            others = ([1e3 * b[k] / n for b, n in zip(builds, layers, strict=True)] for k in ("weights", "first call"))
            cells[name] = [f"{builds[0].get('depth', depth)}", name, spread, *(f"{median(o):.3f}" for o in others)]
        rows += [[*cell, against(whole, best_keras(whole), 3.0) if n == RAMIFY else ""] for n, cell in cells.items()]
    return f"{table(rows)}\n"


def firsts_table(everything: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Seconds to build and to the first training step, and MiB of peak memory, in fresh processes."""
    rows = [["work", "library", "build, s", "first step, s", "training, MiB", "prediction, MiB"]]
    keys = ("build, s", "first step, s", "train, MiB", "predict, MiB")
    for workload, names in everything.items():
        for name, found in names.items():
            values = [f"{median(found[key]):.3g}" if found.get(key) else "–" for key in keys]
            for i, key in enumerate(keys[2:], 2):
                if name == RAMIFY and found.get(key) and names.get(HAND, {}).get(key):
                    ratio = median(found[key]) / max(median(names[HAND][key]), 1.0)
                    values[i] += f": {ratio:.2f} {'met' if ratio <= 1.05 else 'MISSED'} (1.05)"
            rows.append([WORKLOADS[workload].title, name, *values])
    return f"{table(rows)}\n"


def growth_table(everything: dict[str, dict[str, dict[str, float]]]) -> str:
    """Milliseconds of a step of a chain of dense layers (batch 32, depth 10, width 64; one of them varied)."""
    names = list(dict.fromkeys(name for sizes in everything.values() for found in sizes.values() for name in found))
    rows = [["training step, ms", *names]]
    for axis, sizes in everything.items():
        for size, found in sizes.items():
            rows.append([f"{axis} {size}", *(f"{1e3 * found[n]:.3g}" if n in found else "–" for n in names)])
    return f"{table(rows)}\n"


def page(figures: dict[str, Any]) -> str:
    """All tables that there are figures for."""
    machine = figures.get("processor") or figures.get("machine", "")
    parts = [f"{figures.get('threads', '?')} cores, {figures.get('system', '')}, {machine}\n"]
    parts += [goals_table(figures), times_table(figures)] if figures.get("seconds") else []
    for name, make in (("builds", builds_table), ("first", firsts_table), ("growth", growth_table)):
        parts += [make(figures[name])] if figures.get(name) else []
    if limits := list(figures.get("limits", {}).values()):
        of = {unit: [one[unit] for one in limits] for unit in limits[0]}
        spread = (f"{min(values):.0f} to {max(values):.0f} {unit}" for unit, values in of.items())
        parts.append(f"The machine, from one workload to the other: {', '.join(spread)}\n")
    return "\n".join([*parts, *figures.get("notes", [])])
