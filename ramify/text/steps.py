"""From a string to tokens: clean it, split it, join neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")


def strip_punctuation(text: str) -> str:
    """Without ASCII punctuation.

    >>> strip_punctuation("dog's, end.")
    'dogs end'
    """
    return _PUNCTUATION.sub("", text)


def lower(text: str) -> str:
    """ASCII letters in lower case; others stay, as in Keras.

    >>> lower("ÉA")
    'Éa'
    """
    return text.encode().lower().decode()


def lower_without_punctuation(text: str) -> str:
    """Both.

    >>> lower_without_punctuation("Dog's, end.")
    'dogs end'
    """
    return strip_punctuation(lower(text))


STANDARDIZE: dict[str, Callable[[str], str]] = {
    "lower": lower,
    "strip_punctuation": strip_punctuation,
    "lower_and_strip_punctuation": lower_without_punctuation,
}


def split_words(text: str) -> list[str]:
    r"""Split at ASCII white space; a no-break space and its like do not split, as in Keras.

    >>> split_words(" a  b\tc\xa0d") == ["a", "b", "c\xa0d"]
    True
    """
    return [word.decode() for word in text.encode().split()]


SPLIT: dict[str, Callable[[str], list[str]]] = {"whitespace": split_words, "character": list}


def ngrams(tokens: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Runs of neighbouring tokens, joined by spaces; all runs of one length, then those of the next.

    >>> ngrams(["a", "b", "c"], (1, 2))
    ['a', 'b', 'c', 'a b', 'b c']
    """
    return [" ".join(tokens[i : i + size]) for size in sizes for i in range(len(tokens) - size + 1)]
