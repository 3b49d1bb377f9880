"""Which calls of one model answer to which of another: an alignment that keeps the order of both."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_CELLS = 400_000  # the largest table of scores that is filled in; longer middles are matched by their runs of equals


class Trait(NamedTuple):
    """What tells calls apart, from the strongest to the weakest: ``(kind, name, config)``."""

    kind: str
    name: str
    config: str


def score(a: Trait, b: Trait) -> int:
    """How much speaks for two calls being the same one; 0 for nothing.

    >>> score(Trait("Dense", "out", "10"), Trait("Dense", "out", "10"))
    7
    """
    if a.kind != b.kind:
        return 2 if a.name == b.name and a.name else 0
    return 2 + 3 * (a.config == b.config) + 2 * (a.name == b.name)


def aligned(a: Sequence[Trait], b: Sequence[Trait]) -> list[tuple[int, int]]:
    """Pairs of indices, rising in both, that match best as a whole (Needleman and Wunsch, 1970).

    >>> aligned([Trait("Dense", "a", "8"), Trait("ReLU", "r", "")], [Trait("ReLU", "r", "")])
    [(1, 0)]
    """
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    pairs = [(i, i) for i in range(start)]
    pairs += [(start + i, start + j) for i, j in _middle(middle_a, middle_b)]
    return [*pairs, *((len(a) - i, len(b) - i) for i in range(end, 0, -1))]


def _middle(a: Sequence[Trait], b: Sequence[Trait]) -> list[tuple[int, int]]:
    if len(a) * len(b) <= _CELLS:
        return _table(a, b)
    old, new = ([(one.kind, one.config) for one in side] for side in (a, b))
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for begin_a, begin_b, size in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        if (begin_a - i) * (begin_b - j) <= _CELLS:
            pairs += [(i + p, j + q) for p, q in _table(a[i:begin_a], b[j:begin_b])]
        pairs += [(begin_a + k, begin_b + k) for k in range(size)]
        i, j = begin_a + size, begin_b + size
    return pairs


def _table(a: Sequence[Trait], b: Sequence[Trait]) -> list[tuple[int, int]]:
    """The best alignment; of equally good ones, that which pairs early calls first."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(len(b) - 1, -1, -1):
            points = score(a[i], b[j])
            row[j] = max(below[j], row[j + 1], points + below[j + 1] if points else 0)
    pairs = []
    i = j = 0
    while i < len(a) and j < len(b):
        points = score(a[i], b[j])
        if points and best[i][j] == points + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
