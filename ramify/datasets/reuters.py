"""Reuters: 11,228 newswires of 1987 on 46 topics, as lists of word numbers."""

from __future__ import annotations

import numpy as np

from ramify.datasets.mnist import Sides
from ramify.datasets.reading import read_npz
from ramify.datasets.sources import fetch
from ramify.datasets.words import limited, shifted, shuffled, without_long, word_index
from ramify.errors import ArgumentError

_TOPICS = tuple(
    """
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude
    nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel
    rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead
    """.split()
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Sides:
    """Download the newswires where they are not in the cache.

    Args:
        path: name of the file in the cache.
        num_words: only the most frequent words keep their number.
        skip_top: the most frequent words that do not.
        maxlen: longer texts are left out.
        test_split: share of the texts that is kept for testing.
        seed: settles the order.
        start_char: number that marks the start; ``None`` for none.
        oov_char: number for words without one; ``None`` leaves them out.
        index_from: what is added to the numbers of the file.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: lists of numbers, and topics from 0 to 45.

    Raises:
        ArgumentError: no text is short enough, or a share outside 0 to 1.
        ConnectionError: the file cannot be reached.
        FileFormatError: a file with another hash.
    """
    if not 0 <= test_split < 1:
        raise ArgumentError(f"test_split must lie between 0 and 1, but is {test_split}.")
    data = read_npz(fetch("reuters.npz", path))
    drawn, topics = shuffled(data["x"], data["y"], np.random.RandomState(seed))  # Keras's draw
    texts, labels = without_long(shifted(drawn, start_char, index_from), topics, maxlen)
    # without a limit, the largest number itself counts as unknown, in Keras too
    top = num_words or max(max(text, default=0) for text in texts)
    x, cut = limited(texts, top, skip_top, oov_char), int(len(texts) * (1 - test_split))
    return (x[:cut], labels[:cut]), (x[cut:], labels[cut:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Word -> number in the file; `load_data` adds `index_from` to them.

    Args:
        path: name of the file in the cache.
    """
    return word_index(fetch("reuters_word_index.json", path))


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    >>> get_label_names()[:3]
    ('cocoa', 'grain', 'veg-oil')
    """
    return _TOPICS
