"""Quantiles of more data than is kept: a weighted sample of the sorted values, merged batch by batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Summary = npt.NDArray[np.float64]


def empty() -> Summary:
    """A summary of nothing: two rows, values and weights."""
    return np.zeros((2, 0))


def summarize(values: Any, epsilon: float) -> Summary:
    """Every so many-th of the sorted values, which stands for those before it.

    Args:
        values: numbers, of any shape.
        epsilon: share of the data that one kept value may stand for.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    weight = max(1.0, len(ordered) * epsilon)
    kept = ordered[int(weight) - 1 :: int(weight)]
    return np.stack([kept, np.full_like(kept, weight)])


def merge(first: Summary, second: Summary, epsilon: float) -> Summary:
    """One summary of two sets of data."""
    both = np.concatenate([first, second], axis=1)
    return compress(both[:, np.argsort(both[0], kind="stable")], epsilon)


def compress(summary: Summary, epsilon: float) -> Summary:
    """At most ``1 / epsilon`` values, at even steps of the weight, interpolated between those that were kept."""
    if summary.shape[1] * epsilon < 1:
        return summary
    running = np.cumsum(summary[1])
    steps = epsilon * np.arange(1, math.ceil(1 / epsilon - 1e-9) + 1) * running[-1]
    values = np.interp(steps, running, summary[0])
    return np.stack([values, np.diff(np.interp(steps, running, running), prepend=0.0)])


def boundaries(summary: Summary, bins: int) -> list[float]:
    """The values that cut the data into `bins` parts of equal weight; fewer where fewer values are kept."""
    values: list[float] = compress(summary, 1 / bins)[0, :-1].astype(np.float32).tolist()
    return values
