"""Vocabularies: where they come from, what is in them, how they are learned from data."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError, FileFormatError, UnsafeFileError

TEXT_FILE, JSON_FILE, IDF_FILE = "vocabulary.txt", "vocabulary.json", "idf_weights.json"


def given_tokens(vocabulary: Any, who: str, convert: Callable[[Any], Any], encoding: str = "utf-8") -> list[Any]:
    """The tokens of a list, tuple, array or tensor, or of a text file with one in each line.

    Args:
        vocabulary: the tokens, or the path of a file on this machine.
        who: the layer, for messages.
        convert: makes the right type of a token.
        encoding: of the file and of bytes.

    Raises:
        ArgumentError: an empty vocabulary, tokens that occur twice or cannot be converted.
    """
    if isinstance(vocabulary, (str, Path)):
        text = Path(vocabulary).read_text(encoding=encoding)
        vocabulary = text.removesuffix("\n").split("\n") if text else []
    if isinstance(vocabulary, torch.Tensor):
        vocabulary = vocabulary.detach().cpu().numpy()
    if isinstance(vocabulary, np.ndarray):
        vocabulary = vocabulary.ravel().tolist()
    if not isinstance(vocabulary, (list, tuple)):
        raise ArgumentError(f"{who}: a vocabulary is a list or the path of a text file, not {vocabulary!r:.60}.")
    try:
        tokens = [convert(token.decode(encoding) if isinstance(token, bytes) else token) for token in vocabulary]
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{who}: a token of the vocabulary has the wrong type ({error}). Mend it.") from None
    if not tokens:
        raise ArgumentError(f"{who} received an empty vocabulary. Pass tokens, or leave it out and call `adapt`.")
    return tokens


def refuse_path(config: dict[str, Any], who: str) -> None:
    """A config may hold tokens; a path or URL in it is not followed.

    Raises:
        UnsafeFileError: its vocabulary is a string.
    """
    for name in ("vocabulary", "idf_weights"):
        if isinstance(config.get(name), (str, bytes)):
            raise UnsafeFileError(
                f"The config of {who} names {config[name]!r:.80} as its `{name}`, and configs may not make this "
                "program read other files. Read it yourself and pass the tokens as a list."
            )


def without_special(tokens: list[Any], special: Sequence[Any], mask: Any, who: str) -> list[Any]:
    """The tokens after the special ones, if they start with those.

    Raises:
        ArgumentError: a token occurs twice, or the mask token stands among the others.
    """
    if len(special) and tokens[: len(special)] == list(special):
        tokens = tokens[len(special) :]
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        raise ArgumentError(f"{who}: the vocabulary has {twice[:5]} more than once. Keep each token once.")
    if mask is not None and mask in tokens:
        raise ArgumentError(
            f"{who}: the mask token {mask!r} stands in the vocabulary. Leave the special tokens out, or put exactly "
            f"{list(special)} in front."
        )
    return tokens


class TokenCounts:
    """How often tokens occur, and in how many documents.

    Args:
        ignored: tokens that do not count.
    """

    def __init__(self, ignored: Iterable[Any]) -> None:
        self.ignored = frozenset(ignored)
        self.total: Counter[Any] = Counter()
        self.in_documents: Counter[Any] = Counter()
        self.documents = 0

    def add(self, documents: Iterable[Sequence[Any]]) -> None:
        """Count documents, each a list of tokens."""
        for document in documents:
            self.total.update(document)
            self.in_documents.update(set(document))
            self.documents += 1

    def most_common(self, limit: int | None) -> list[Any]:
        """The most frequent tokens first; of equally frequent ones the greater first, as Keras has them."""
        tokens = [token for token in self.total if token not in self.ignored]
        tokens.sort(reverse=True)
        tokens.sort(key=self.total.__getitem__, reverse=True)
        return tokens[:limit]

    def inverse_frequencies(self, tokens: Sequence[Any]) -> list[float]:
        """``log(1 + documents / (1 + documents with the token))`` for each token."""
        return [math.log(1 + self.documents / (1 + self.in_documents[token])) for token in tokens]


# ---- files ----


def write_tokens(folder: str | Path, tokens: Sequence[Any], idf: Sequence[float] | None) -> None:
    """Write a vocabulary as Keras does, one token a line; what that format cannot hold goes beside it.

    Args:
        folder: where to.
        tokens: the tokens, special ones included.
        idf: inverse document frequencies of those that are not special.
    """
    lines = "\n".join(map(str, tokens))
    Path(folder, TEXT_FILE).write_bytes(lines.encode())
    if lines.count("\n") != len(tokens) - 1 or "\r" in lines:
        Path(folder, JSON_FILE).write_text(json.dumps(list(tokens)))
    if idf is not None:
        Path(folder, IDF_FILE).write_text(json.dumps(list(idf)))


def read_tokens(folder: str | Path, who: str) -> tuple[list[str] | None, list[float] | None]:
    """What `write_tokens` or Keras wrote; ``None`` where there is no file.

    Raises:
        FileFormatError: a damaged file.
    """
    try:
        tokens: Any = None
        if Path(folder, JSON_FILE).is_file():
            tokens = json.loads(Path(folder, JSON_FILE).read_bytes())
        elif Path(folder, TEXT_FILE).is_file():
            tokens = Path(folder, TEXT_FILE).read_bytes().decode().split("\n")
        idf = json.loads(Path(folder, IDF_FILE).read_bytes()) if Path(folder, IDF_FILE).is_file() else None
    except ValueError as error:
        raise FileFormatError(
            f"The vocabulary of {who} in the file is damaged: {error}. Save the model again."
        ) from None
    if not isinstance(tokens, (list, type(None))) or not isinstance(idf, (list, type(None))):
        raise FileFormatError(f"The vocabulary of {who} in the file is damaged: it is no list. Save the model again.")
    return tokens, idf
