"""`TextVectorization`: texts as sequences of numbers, or as bags of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.preprocessing.lookup import MODES
from ramify.layers.preprocessing.string_lookup import StringLookup, not_strings
from ramify.registry import serializable
from ramify.text.steps import SPLIT, STANDARDIZE, ngrams
from ramify.text.texts import Texts, as_texts

Step = str | Callable[[Any], Any] | None


@serializable("keras.layers")
class TextVectorization(StringLookup):
    """Clean texts, split them into tokens, and give each token its number in a vocabulary.

    Texts come in arrays or lists, never in tensors: call the layer on the data before the model. Number 0 is padding
    (mode ``"int"``), the next one is that of unknown tokens.

    Args:
        max_tokens: most tokens in the vocabulary, padding and unknown included.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``, ``"strip_punctuation"``, ``None``, or a function
            from a string to a string.
        split: ``"whitespace"``, ``"character"``, ``None`` (each string is a token), or a function from a string to a
            list of strings.
        ngrams: joins runs of tokens: 2 makes tokens of single ones and pairs, ``(2, 3)`` of pairs and triples.
        output_mode: ``"int"``, or one vector for each text: ``"multi_hot"``, ``"count"``, ``"tf_idf"``.
        output_sequence_length: length that sequences are cut or padded to; that of the longest when not given.
        pad_to_max_tokens: make vectors `max_tokens` long in any case.
        vocabulary: tokens in a list or array, or the path of a text file; learned by `adapt` if not given.
        idf_weights: for ``"tf_idf"``, inverse document frequencies of the vocabulary.
        sparse: not supported, must be false.
        ragged: not supported, must be false.
        encoding: of bytes and of a vocabulary file.
        name: the layer's name.

    Shapes:
        ``(batch,)`` or ``(batch, 1)`` -> ``(batch, length)`` in int64, or ``(batch, size of the vocabulary)`` in the
        layer's dtype; one string alone gives no batch axis.

    Raises:
        ArgumentError: arguments that contradict each other; tensors in place of texts.
        ShapeError: several texts in a row.
        NotBuiltError: called before there is a vocabulary.

    Example:

    >>> TextVectorization(vocabulary=["foo", "bar"], output_sequence_length=4)(["Foo, baz!", "bar"])
    tensor([[2, 1, 0, 0],
            [3, 0, 0, 0]])
    """

    standardize: Step
    split: Step
    _standardize: Callable[[str], str] | None
    _split: Callable[[str], list[str]] | None
    _sizes: tuple[int, ...] | None

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Step = "lower_and_strip_punctuation",
        split: Step = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _check(output_mode, output_sequence_length, ragged=ragged)
        self.__dict__.update(standardize=standardize, split=split)
        self.__dict__["_standardize"] = _step(standardize, STANDARDIZE, "standardize")
        self.__dict__["_split"] = _step(split, SPLIT, "split")
        self.__dict__["_sizes"] = _sizes(ngrams)
        super().__init__(
            max_tokens,
            mask_token="" if output_mode == "int" else None,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            encoding=encoding,
            name=name,
            **kwargs,
        )
        self.ragged = False
        self.output_sequence_length = output_sequence_length
        self._ngrams = tuple(ngrams) if isinstance(ngrams, (list, tuple)) else ngrams

    def adapt(  # type: ignore[override]  # as in Keras, `batch_size` stands before `steps` here and nowhere else
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Learn the vocabulary from texts, the most frequent tokens first; what was learned before is forgotten.

        Args:
            data: array or list of texts, or an iterable of batches of them.
            batch_size: accepted for Keras's sake; arrays are counted at once.
            steps: number of batches to take.
        """
        del batch_size
        super().adapt(data, steps)

    def documents_in(self, data: Any) -> list[list[str]]:
        """The tokens of each text."""
        return self._tokenized(as_texts(data, self.describe(), self.encoding))[0]

    def _tokenized(self, texts: Texts) -> tuple[list[list[str]], tuple[int, ...]]:
        """The tokens of each row, and the shape of the rows."""
        items, shape, standardize, split = texts.items, texts.shape, self._standardize, self._split
        if standardize is not None:
            items = [standardize(item) for item in items]
        if split is None:
            width = shape[-1] if len(shape) > 1 else 1
            rows = [items[i : i + width] for i in range(0, len(items), max(width, 1))]
        else:
            if len(shape) > 1 and shape[-1] != 1:
                raise ShapeError(
                    f"{self.describe()} splits texts that stand alone, (batch,) or (batch, 1), but received {shape}. "
                    "Join the strings of a row first, or pass split=None."
                )
            rows = [list(split(item)) for item in items]
        if self._sizes is not None:
            rows = [ngrams(row, self._sizes) for row in rows]
        return rows, shape if split is None else shape[:1]

    def call(self, inputs: Any) -> torch.Tensor:
        """Numbers in place of texts, or vectors."""
        if not isinstance(inputs, Texts):
            raise not_strings(self.describe(), inputs)
        rows, shape = self._tokenized(inputs)
        if self.output_mode == "int":
            return self._sequences(rows, shape)
        length = max(map(len, rows), default=0)
        flat = self.numbers(Texts([token for row in rows for token in row], (sum(map(len, rows)),)))
        padded = torch.full((len(rows), length), -1, dtype=torch.int64)
        padded[torch.arange(length) < torch.tensor([[len(row)] for row in rows])] = flat
        return self.vectors(padded if shape else padded[0])

    def _sequences(self, rows: list[list[str]], shape: tuple[int, ...]) -> torch.Tensor:
        length = self.output_sequence_length
        if self._split is None and self._sizes is None and length is None:
            return self.numbers(Texts([token for row in rows for token in row], shape))
        length = max(map(len, rows), default=0) if length is None else length
        padded = [token for row in rows for token in (*row[:length], *[""] * (length - len(row)))]
        result = self.numbers(Texts(padded, (len(rows), length)))
        return result if shape else result[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and the size of the vocabulary; one that was learned is not in it."""
        config = super().get_config()
        kept = ("name", "trainable", "dtype", "max_tokens", "output_mode", "pad_to_max_tokens", "sparse", "vocabulary")
        return {
            **{name: config[name] for name in (*kept, "idf_weights", "encoding")},
            "standardize": registry.serialize(self.standardize),
            "split": registry.serialize(self.split),
            "ngrams": self._ngrams,
            "output_sequence_length": self.output_sequence_length,
            "ragged": False,
            "vocabulary_size": self.vocabulary_size(),
        }


def _check(mode: str, length: int | None, *, ragged: bool) -> None:
    if ragged:
        raise ArgumentError("TextVectorization does not return ragged tensors. Leave `ragged` out: rows are padded.")
    allowed = [one for one in MODES if one != "one_hot"]
    if mode not in allowed:
        raise ArgumentError(f"TextVectorization has no output_mode={mode!r}. Use one of {allowed}.")
    if length is not None and mode != "int":
        raise ArgumentError(f"output_sequence_length={length} needs output_mode='int', received {mode!r}.")


def _step(given: Any, known: dict[str, Any], what: str) -> Any:
    if given is None or callable(given):
        return given
    if given not in known:
        raise ArgumentError(f"TextVectorization has no {what}={given!r}. Use one of {list(known)}, None or a function.")
    return known[given]


def _sizes(given: Any) -> tuple[int, ...] | None:
    if given is None:
        return None
    if isinstance(given, int):
        return tuple(range(1, given + 1))
    if isinstance(given, (list, tuple)) and all(isinstance(size, int) and size > 0 for size in given):
        return tuple(given)
    raise ArgumentError(f"ngrams={given!r}: TextVectorization takes an integer or several. Pass 2, or (1, 2).")
