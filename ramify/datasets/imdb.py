"""IMDB: 50,000 reviews of films, liked or not (Maas et al., 2011), as lists of word numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ramify.datasets.mnist import Sides
from ramify.datasets.reading import read_npz
from ramify.datasets.sources import fetch
from ramify.datasets.words import limited, shifted, shuffled, without_long, word_index
from ramify.errors import ArgumentError


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> Sides:
    """Download the reviews where they are not in the cache.

    Args:
        path: name of the file in the cache.
        num_words: only the most frequent words keep their number.
        skip_top: the most frequent words that do not.
        maxlen: longer reviews are left out.
        seed: settles the order.
        start_char: number that marks the start; ``None`` for none.
        oov_char: number for words without one; ``None`` leaves them out.
        index_from: what is added to the numbers of the file, whose first is the most frequent word.
        kwargs: none are known; they are refused.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: 25,000 each; lists of numbers, and 0 or 1.

    Raises:
        ArgumentError: no review is short enough.
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    if kwargs:
        raise ArgumentError(f"load_data has no argument {', '.join(map(repr, kwargs))}.")
    data, rng = read_npz(fetch("imdb.npz", path)), np.random.RandomState(seed)  # Keras's draw
    sides = []
    for side in ("train", "test"):
        texts, labels = shuffled(data[f"x_{side}"], data[f"y_{side}"], rng)
        sides.append(without_long(shifted(texts, start_char, index_from), labels, maxlen))
    # without a limit, the largest number itself counts as unknown, in Keras too
    top = num_words or max(max(text, default=0) for texts, _ in sides for text in texts)
    train, test = ((limited(texts, top, skip_top, oov_char), labels) for texts, labels in sides)
    return train, test


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Word -> number in the file; `load_data` adds `index_from` to them.

    Args:
        path: name of the file in the cache.
    """
    return word_index(fetch("imdb_word_index.json", path))
