"""`StringLookup`: strings as numbers of a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.layers.arguments import own_arguments
from ramify.layers.preprocessing.lookup import IndexLookup
from ramify.registry import serializable
from ramify.text.fingerprints import hash_texts
from ramify.text.texts import Texts, as_texts


def not_strings(who: str, data: Any) -> ArgumentError:
    """The error for a tensor where strings belong."""
    return ArgumentError(
        f"{who} takes strings, which no tensor can hold; it received {type(data).__name__} of "
        f"{getattr(data, 'dtype', 'no dtype')}. Call it on an array or list of strings before the model (for instance "
        "in the data set), and feed the model what it returns."
    )


@serializable("keras.layers")
class StringLookup(IndexLookup):
    """Strings as numbers from 0 on, or as vectors. Strings come in arrays or lists, never in tensors.

    Args:
        max_tokens: most tokens in the vocabulary, special ones included.
        num_oov_indices: how many numbers share unknown strings (by their hash); with 0 an unknown string is an error.
        mask_token: string that stands for "nothing"; has number 0 where output_mode is ``"int"``, else is left out.
        oov_token: what `invert` gives for an unknown number.
        vocabulary: the strings in a list or array, or the path of a text file; learned by `adapt` if not given.
        idf_weights: for ``"tf_idf"``, inverse document frequencies of the vocabulary.
        invert: numbers to strings, instead of the other way; the result is an array.
        output_mode: ``"int"``; ``"one_hot"``, ``"multi_hot"``, ``"count"`` as in `CategoryEncoding`, or ``"tf_idf"``,
            counts times `idf_weights`.
        pad_to_max_tokens: make vectors `max_tokens` long in any case.
        sparse: not supported, must be false.
        encoding: of bytes and of a vocabulary file.
        name: the layer's name.
        salt: one integer or two: the hash of unknown strings is SipHash with this key instead of FarmHash.

    Shapes:
        Any -> the same for ``"int"``, in int64; vectors have the layer's dtype.

    Raises:
        ArgumentError: arguments that contradict each other; tensors in place of strings.
        NotBuiltError: called before there is a vocabulary.

    Example:

    >>> StringLookup(vocabulary=["a", "b"])([["b", "a", "z"]])
    tensor([[2, 1, 0]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",  # noqa: S107 - a word for unknown words
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        size = kwargs.pop("vocabulary_size", None)
        kwargs.pop("oov_method", None)  # Keras writes it, with one value
        super().__init__(name=name, **kwargs)
        self.encoding = encoding
        self.set_up(arguments)
        self.start_with(vocabulary, idf_weights, size)

    def convert(self, token: Any) -> str:
        """A token as a string."""
        if not isinstance(token, str):
            raise TypeError(f"{token!r} is no string")
        return str(token)

    def documents_in(self, data: Any) -> list[list[Any]]:
        """The strings of each row."""
        texts = as_texts(data, self.describe(), self.encoding)
        width = texts.shape[-1] if len(texts.shape) > 1 else 1
        return [texts.items[i : i + width] for i in range(0, len(texts.items), max(width, 1))]

    def call(self, inputs: Any) -> Any:
        """Numbers in place of strings, or vectors; with `invert`, an array of strings in place of numbers."""
        if self.invert:
            return self._strings(inputs)
        if not isinstance(inputs, Texts):
            raise not_strings(self.describe(), inputs)
        return self.vectors(self.numbers(inputs))

    def _strings(self, inputs: Any) -> np.ndarray[Any, Any]:
        self.tokens_or_raise()
        if isinstance(inputs, Texts):
            raise ArgumentError(f"{self.describe()} inverts: it takes numbers, but received strings.")
        listed = self.get_vocabulary()
        found = [listed[i] if 0 <= i < len(listed) else self.oov_token for i in inputs.long().ravel().tolist()]
        return np.array(found, dtype=np.str_).reshape(tuple(inputs.shape))

    def numbers(self, texts: Texts) -> torch.Tensor:
        """The number of each string, int64."""
        self.tokens_or_raise()
        known = self.__dict__["_numbers"]
        unknown = {item for item in texts.items if item not in known}
        if unknown:
            known = {**known, **self._unknown(sorted(unknown))}
        return torch.tensor([known[item] for item in texts.items], dtype=torch.int64).reshape(texts.shape)

    def _unknown(self, items: list[str]) -> dict[str, int]:
        count, first = self.num_oov_indices, self.first_oov
        if count == 0:
            raise ArgumentError(
                f"{self.describe()}: {items[:3]} are not in the vocabulary, and num_oov_indices=0 has no number for "
                "them. Raise it to 1, or add them."
            )
        if count == 1:
            return dict.fromkeys(items, first)
        buckets = (hash_texts(items, self.salt) % np.uint64(count)).tolist()
        return {item: first + bucket for item, bucket in zip(items, buckets, strict=True)}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "oov_method": "floormod", "encoding": self.encoding}
