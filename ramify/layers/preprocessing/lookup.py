"""`IndexLookup`: what `IntegerLookup`, `StringLookup` and `TextVectorization` share, a vocabulary and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from ramify import dtype_policies
from ramify.errors import ArgumentError, FileFormatError, NotBuiltError
from ramify.layers.arguments import settle
from ramify.layers.preprocessing.adapting import as_array, batches_of
from ramify.layers.preprocessing.categories import VECTOR_MODES, checked_mode, encode, refuse_sparse
from ramify.layers.preprocessing.hashes import checked_salt
from ramify.layers.preprocessing.texts import TextLayer
from ramify.text.vocabulary import (
    TokenCounts,
    given_tokens,
    read_tokens,
    refuse_path,
    without_special,
    write_tokens,
)

MODES = ("int", *VECTOR_MODES, "tf_idf")


class IndexLookup(TextLayer):
    """A layer with a vocabulary.

    Number 0 is that of the mask token (mode ``"int"`` only); then come those of unknown tokens, then the tokens.

    Subclasses say what a token is (`convert`) and how data becomes numbers (`call`).
    """

    max_tokens: int | None
    num_oov_indices: int
    output_mode: str
    pad_to_max_tokens: bool
    invert: bool = False
    sparse: bool
    mask_token: Any
    oov_token: Any
    salt: Any = None
    input_vocabulary: list[Any] | None
    input_idf_weights: list[float] | None
    _idf_weights: torch.Tensor

    def set_up(self, arguments: Mapping[str, Any]) -> None:
        """Check and keep the arguments that all have, but the vocabulary."""
        who, kept = type(self).__name__, ("vocabulary", "idf_weights", "name", "encoding")
        settle(self, {name: value for name, value in arguments.items() if name not in kept})
        refuse_sparse(self.sparse, who)
        max_tokens, output_mode = self.max_tokens, self.output_mode
        if max_tokens is not None and max_tokens <= 1:
            raise ArgumentError(f"{who} needs room for two tokens or more, received max_tokens={max_tokens}.")
        if self.pad_to_max_tokens and max_tokens is None:
            raise ArgumentError(f"{who}: pad_to_max_tokens=True needs `max_tokens`. Pass it.")
        if self.num_oov_indices < 0:
            raise ArgumentError(f"{who} cannot have num_oov_indices={self.num_oov_indices}. Pass 0 or more.")
        if self.invert and output_mode != "int":
            raise ArgumentError(f"{who}: invert=True needs output_mode='int', received {output_mode!r}.")
        self.output_mode = checked_mode(output_mode, MODES, who)
        self.sparse = False
        self.salt = checked_salt(self.salt, who)
        own = self.__dict__
        own.update(_tokens=None, _static=False, input_vocabulary=None, input_idf_weights=None, _expected_size=None)
        self.reset_state()

    def start_with(self, vocabulary: Any, idf_weights: Any, expected_size: int | None) -> None:
        """Take the vocabulary that the constructor was given, if it was given one."""
        self.__dict__["_expected_size"] = expected_size
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ArgumentError(
                f"{self.describe()} takes `idf_weights` where output_mode is 'tf_idf'; it is {self.output_mode!r}."
            )
        if vocabulary is None:
            return
        self.set_vocabulary(vocabulary, idf_weights)
        own = self.__dict__
        is_file = isinstance(vocabulary, (str, Path))
        own["input_vocabulary"] = list(own["_tokens"]) if is_file else self._converted(vocabulary)
        own["input_idf_weights"] = own["_idf"]

    def convert(self, token: Any) -> Any:
        """A token in its right type."""
        return token

    def _converted(self, vocabulary: Any) -> list[Any]:
        return given_tokens(vocabulary, self.describe(), self.convert, self.encoding)

    # ---- the vocabulary ----

    @property
    def special_tokens(self) -> list[Any]:
        """The tokens in front of the vocabulary."""
        masked = self.mask_token is not None and self.output_mode == "int"
        return [*([self.mask_token] if masked else []), *[self.oov_token] * self.num_oov_indices]

    @property
    def first_oov(self) -> int:
        """The number of the first unknown token."""
        return int(self.mask_token is not None and self.output_mode == "int")

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary.

        Args:
            vocabulary: tokens in a list or array, or the path of a text file with one in each line; special tokens may
                stand in front.
            idf_weights: one number for each token that is not special, for ``"tf_idf"``.

        Raises:
            ArgumentError: an empty vocabulary, too many tokens, tokens that occur twice, weights missing or too many.
        """
        who = self.describe()
        tokens = self._converted(vocabulary)
        special = self.special_tokens
        if self.first_oov == 0 and self.mask_token is not None and tokens[:1] == [self.mask_token]:
            special = [self.mask_token, *special]
        tokens = without_special(tokens, special, self.mask_token, who)
        self._take(tokens, None if idf_weights is None else np.asarray(idf_weights, dtype=np.float64).tolist())
        self.__dict__["_static"] = True

    def _take(self, tokens: list[Any], idf: list[float] | None) -> None:
        who, size = self.describe(), len(tokens) + len(self.special_tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ArgumentError(f"{who}: the vocabulary has {size} tokens, but max_tokens={self.max_tokens}. Raise it.")
        if self.output_mode == "tf_idf" and (idf is None or len(idf) != len(tokens)):
            count = "none" if idf is None else len(idf)
            raise ArgumentError(f"{who}: 'tf_idf' needs an idf weight for each of {len(tokens)} tokens, got {count}.")
        own = self.__dict__
        own["_tokens"], own["_idf"] = tokens, idf if self.output_mode == "tf_idf" else None
        start = len(self.special_tokens)
        own["_numbers"] = {token: start + i for i, token in enumerate(tokens)}
        if self.mask_token is not None:
            own["_numbers"][self.mask_token] = 0 if self.first_oov else -1
        if own["_idf"] is not None:
            unknown = [sum(own["_idf"]) / len(own["_idf"])] * self.num_oov_indices
            padded = [*unknown, *own["_idf"]]
            padded += [0.0] * (self.depth() - len(padded))
            self.register_buffer("_idf_weights", torch.tensor(padded, dtype=torch.float32), persistent=False)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers; with the mask token and one for each number of unknown tokens."""
        tokens = self.__dict__["_tokens"] or []
        return [*self.special_tokens, *tokens] if include_special_tokens else list(tokens)

    def vocabulary_size(self) -> int:
        """The number of tokens, special ones included."""
        return len(self.special_tokens) + len(self.__dict__["_tokens"] or ())

    def depth(self) -> int:
        """The length of vectors.

        Raises:
            NotBuiltError: there is no vocabulary yet.
        """
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        if self.__dict__["_tokens"] is None:
            if self.__dict__["_expected_size"] is None:
                self.tokens_or_raise()
            return int(self.__dict__["_expected_size"])
        return self.vocabulary_size()

    def tokens_or_raise(self) -> list[Any]:
        """The tokens that are not special.

        Raises:
            NotBuiltError: there are none yet.
        """
        tokens: list[Any] | None = self.__dict__["_tokens"]
        if tokens is None:
            raise NotBuiltError(f"{self.describe()} has no vocabulary yet. Call `adapt`, or pass one.")
        return tokens

    # ---- learning it ----

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary from data, the most frequent tokens first; what was learned before is forgotten.

        Args:
            data: array, tensor, list, or an iterable of batches.
            steps: number of batches to take.

        Raises:
            ArgumentError: the vocabulary was given.
        """
        self.reset_state()
        for batch in batches_of(data, self.describe(), steps=steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of one batch; a row is a document."""
        if self.__dict__["_static"]:
            raise ArgumentError(f"{self.describe()} was given its vocabulary. Leave it out to learn one by `adapt`.")
        self.__dict__["_counts"].add(self.documents_in(data))

    def documents_in(self, data: Any) -> list[list[Any]]:
        """The tokens of each row."""
        array = as_array(data)
        array = array.reshape(-1, 1) if array.ndim < 2 else array.reshape(-1, array.shape[-1])
        return [[self.convert(token) for token in row] for row in array.tolist()]

    def finalize_state(self) -> None:
        """Make the vocabulary out of what was counted."""
        counts: TokenCounts = self.__dict__["_counts"]
        if self.__dict__["_static"] or not counts.documents:
            return
        room = None if self.max_tokens is None else self.max_tokens - len(self.special_tokens)
        tokens = counts.most_common(room)
        self._take(tokens, counts.inverse_frequencies(tokens))

    def reset_state(self) -> None:
        """Forget what was counted."""
        if not self.__dict__["_static"]:
            self.__dict__["_counts"] = TokenCounts((self.mask_token, self.oov_token))

    # ---- results ----

    def vectors(self, numbers: torch.Tensor) -> torch.Tensor:
        """Numbers of tokens as the output mode says."""
        if self.output_mode == "int":
            return numbers
        if self.output_mode != "tf_idf":
            return encode(numbers, self.output_mode, self.depth(), self.compute_torch_dtype)
        counts = encode(numbers, "count", self.depth(), self.compute_torch_dtype)
        if self.__dict__["_tokens"] is None:
            return counts  # only shapes are asked for: a file's vocabulary comes after its graph
        return counts * self._idf_weights.to(counts.dtype)

    # ---- files ----

    def save_assets(self, dir_path: str | Path) -> None:
        """Write a vocabulary that is not in the config into a folder."""
        if self.input_vocabulary is None and self.__dict__["_tokens"] is not None:
            write_tokens(dir_path, self.get_vocabulary(), self.__dict__["_idf"])

    def load_assets(self, dir_path: str | Path) -> None:
        """Read what `save_assets` wrote, here or in Keras.

        Raises:
            FileFormatError: the files are damaged.
        """
        if self.input_vocabulary is not None:
            return
        tokens, idf = read_tokens(dir_path, self.describe())
        if tokens is None or tokens == [""]:
            return
        try:
            self.set_vocabulary(tokens, idf)
        except ArgumentError as error:
            raise FileFormatError(f"The vocabulary in the file does not fit: {error}") from None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and the size of the vocabulary; one that was learned is not in it."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": False,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": self.input_idf_weights,
            "vocabulary": self.input_vocabulary,
            "vocabulary_size": None if self.__dict__["_tokens"] is None else self.vocabulary_size(),
            "salt": self.salt,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described.

        Raises:
            UnsafeFileError: the config names a file to read.
        """
        refuse_path(dict(config), f"{cls.__name__} '{config.get('name')}'")
        return super().from_config(config)
