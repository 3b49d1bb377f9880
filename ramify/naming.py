"""Names that are made up: snake case of a class name, and a number where the name is taken."""

from __future__ import annotations

import functools
import re
from collections import Counter
from keyword import iskeyword

_taken: Counter[str] = Counter()


@functools.cache
def to_snake_case(name: str) -> str:
    """A class name in snake case, as Keras writes it.

    >>> [to_snake_case(name) for name in ("Conv2D", "RMSprop", "MeanIoU")]
    ['conv2d', 'rm_sprop', 'mean_io_u']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """A name nobody was given before: `prefix` the first time, then ``prefix_1``, ``prefix_2`` and so on."""
    prefix = to_snake_case(prefix)
    number = _taken[prefix]
    _taken[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def unique(word: str, taken: set[str]) -> str:
    """The word, with a number after it where it is taken; it is taken from now on.

    >>> taken = {"x"}
    >>> unique("x", taken), unique("x", taken)
    ('x_1', 'x_2')
    """
    candidate, i = word, 0
    while candidate in taken:
        i += 1
        candidate = f"{word}_{i}"
    taken.add(candidate)
    return candidate


def reset_names() -> None:
    """Start all numbers again."""
    _taken.clear()


def identifier(name: str) -> str:
    """A name as a variable of Python code may have it.

    >>> identifier("in"), identifier("3 x"), identifier("image")
    ('input_in', 'input_3_x', 'image')
    """
    word = "".join(ch if ch.isalnum() else "_" for ch in name)
    return f"input_{word}" if not word or word[0].isdigit() or iskeyword(word) else word
