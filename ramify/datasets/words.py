"""What the data sets of texts have in common: lists of word numbers, of which the first few have a meaning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ramify.errors import ArgumentError


def shifted(texts: Sequence[Sequence[int]], start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Numbers raised by `index_from`, with the sign for the start before them."""
    if start_char is not None:
        return [[start_char, *(word + (index_from or 0) for word in text)] for text in texts]
    return [[word + index_from for word in text] if index_from else list(text) for text in texts]


def without_long(texts: list[list[int]], labels: np.ndarray, maxlen: int | None) -> tuple[list[list[int]], np.ndarray]:
    """Only what is shorter than `maxlen`."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ArgumentError(f"No text is shorter than maxlen={maxlen}. Increase it.")
    return [texts[i] for i in kept], labels[kept]


def limited(texts: list[list[int]], num_words: int, skip_top: int, oov_char: int | None) -> np.ndarray:
    """Words outside ``skip_top <= number < num_words`` replaced, or left out where there is no sign for them."""
    made = np.empty(len(texts), dtype=object)
    for i, text in enumerate(texts):
        if oov_char is None:
            made[i] = [word for word in text if skip_top <= word < num_words]
        else:
            made[i] = [word if skip_top <= word < num_words else oov_char for word in text]
    return made


def shuffled(texts: Any, labels: Any, rng: np.random.RandomState) -> tuple[Any, Any]:
    """Both in one drawn order."""
    order = np.arange(len(texts))
    rng.shuffle(order)
    return texts[order], labels[order]


def word_index(path: str) -> dict[str, int]:
    """Word -> number, out of a JSON file."""
    found: dict[str, int] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found
