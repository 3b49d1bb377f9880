"""The tables of a run, in Markdown that can also be read as it stands."""

from __future__ import annotations

from statistics import median

from workloads import WORKLOADS

RAMIFY, HAND = "ramify", "by hand"
MEASURES = {
    "train": "training step",
    "predict": "predicted batch",
    "sample": "one sample, predict",
    "sample on batch": "one sample, predict_on_batch",
    "call": "call, batch",
    "call one": "call, one sample",
}
KERAS_DEPTH = 800  # with its 80 skips about as deep as Keras can go

Times = dict[str, dict[str, dict[str, list[float]]]]  # workload, measure, library: the rounds, in seconds
Builds = dict[str, dict[str, list[dict[str, float]]]]  # depth, library: the rounds


def table(rows: list[list[str]]) -> str:
    """Rows, the first of them the head, as a Markdown table that is also aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    )


def times_table(names: list[str], everything: Times) -> str:
    """Milliseconds of each library, and the reference's time over it."""
    reference = names[0]
    rows = [["work", f"{reference}, ms", *(f"{name}, ms: ratio" for name in names[1:])]]
    for workload, measures in everything.items():
        for what, times in measures.items():
            row = [f"{WORKLOADS[workload].title}: {MEASURES[what]}"]
            row += [cell(times.get(name), times.get(reference) if name != reference else None) for name in names]
            rows.append(row)
    return f"{table(rows)}\n\nThe ratio is {reference}'s time over the other's: under 1, {reference} is faster.\n"


def cell(own: list[float] | None, reference: list[float] | None) -> str:
    """One time, with the reference's ratio to it where there is one."""
    if not own:
        return "–"
    text = f"{1e3 * median(own):.3g}"
    if reference:
        ratios = sorted(r / o for r, o in zip(reference, own, strict=True))
        text += f": {median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
    return text


def builds_table(everything: Builds) -> str:
    """Milliseconds per layer that building takes beyond creating the weights."""
    rows = [["chain with skips", "library", "graph, ms a layer", "weights, ms a layer", "first call, ms a layer"]]
    for depth, names in everything.items():
        for name, builds in names.items():
            dense = int(depth) if name == RAMIFY else KERAS_DEPTH
            layers = dense + dense // 10
            graph = [(b["whole"] - b["weights"]) / layers * 1e3 for b in builds]
            others = [f"{median(b[key] for b in builds) / layers * 1e3:.3f}" for key in ("weights", "first call")]
            spread = f"{median(graph):.3f} [{min(graph):.3f}, {max(graph):.3f}]"
            rows.append([f"{dense} Dense, {dense // 10} Add", name, spread, *others])
    return f"{table(rows)}\n"


def firsts_table(everything: dict[str, dict[str, dict[str, list[float]]]]) -> str:
    """Seconds to build and to the first training step, and MiB of peak memory, each in a process of its own."""
    rows = [["work", "library", "build, s", "first step, s", "training, MiB", "prediction, MiB"]]
    for workload, names in everything.items():
        for name, found in names.items():
            keys = ("build", "first step", "train, MiB", "predict, MiB")
            values = [f"{median(found[key]):.3g}" if found.get(key) else "–" for key in keys]
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
