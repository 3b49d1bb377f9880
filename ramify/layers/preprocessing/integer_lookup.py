"""`IntegerLookup`: integers as numbers of a vocabulary."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.graph import is_probing
from ramify.layers.arguments import own_arguments
from ramify.layers.preprocessing.hashes import buckets_of
from ramify.layers.preprocessing.lookup import IndexLookup
from ramify.registry import serializable
from ramify.text.texts import Texts


@serializable("keras.layers")
class IntegerLookup(IndexLookup):
    """Integers, of any size and in any order, as numbers from 0 on; or vectors of them. Runs on the input's device.

    Args:
        max_tokens: most tokens in the vocabulary, special ones included.
        num_oov_indices: how many numbers share unknown integers; with 0 an unknown integer is an error.
        mask_token: integer that stands for "nothing"; has number 0 where output_mode is ``"int"``, else is left out.
        oov_token: what `invert` gives for an unknown number.
        vocabulary: the integers in a list or array, or the path of a text file; learned by `adapt` if not given.
        vocabulary_dtype: must be ``"int64"``.
        idf_weights: for ``"tf_idf"``, inverse document frequencies of the vocabulary.
        invert: numbers to integers, instead of the other way.
        output_mode: ``"int"``; ``"one_hot"``, ``"multi_hot"``, ``"count"`` as in `CategoryEncoding`, or ``"tf_idf"``,
            counts times `idf_weights`.
        sparse: not supported, must be false.
        pad_to_max_tokens: make vectors `max_tokens` long in any case.
        oov_method: how unknown integers share their numbers: ``"floormod"``, the remainder, or ``"farmhash"``.
        salt: for ``"farmhash"``: one integer or two, hashes by SipHash.
        name: the layer's name.

    Shapes:
        Any -> the same for ``"int"``, in int64; vectors have the layer's dtype.

    Raises:
        ArgumentError: arguments that contradict each other.
        NotBuiltError: called before there is a vocabulary.

    Example:

    >>> IntegerLookup(vocabulary=[12, 36])(torch.tensor([[36, 12, 7]]))
    tensor([[2, 1, 0]])
    """

    # The one check that neither waits for a device nor breaks a trace.
    _check: Any = staticmethod(torch._assert_async)  # noqa: SLF001
    _keys: torch.Tensor
    _places: torch.Tensor
    _listed: torch.Tensor

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        if vocabulary_dtype != "int64":
            raise ArgumentError(f"IntegerLookup has int64 tokens only, received {vocabulary_dtype!r}. Leave it out.")
        if oov_method not in ("floormod", "farmhash"):
            raise ArgumentError(f"IntegerLookup has no oov_method={oov_method!r}. Use 'floormod' or 'farmhash'.")
        self.set_up(arguments)
        self.start_with(vocabulary, idf_weights, size)

    def convert(self, token: Any) -> int:
        """A token as an integer."""
        return int(token)

    def _take(self, tokens: list[Any], idf: list[float] | None) -> None:
        super()._take(tokens, idf)
        pairs = sorted(self.__dict__["_numbers"].items())
        self.register_buffer("_keys", torch.tensor([key for key, _ in pairs], dtype=torch.int64), persistent=False)
        self.register_buffer("_places", torch.tensor([n for _, n in pairs], dtype=torch.int64), persistent=False)
        listed = torch.tensor(self.get_vocabulary(), dtype=torch.int64)
        self.register_buffer("_listed", listed, persistent=False)

    def call(self, inputs: Any) -> torch.Tensor:
        """Numbers in place of integers, or vectors; with `invert`, integers in place of numbers."""
        x = self._integers(inputs)
        if is_probing() and self.__dict__["_tokens"] is None:
            return self.vectors(x)  # a file's vocabulary comes after its graph
        self.tokens_or_raise()
        if self.invert:
            known = (x >= 0) & (x < len(self._listed))
            return torch.where(known, self._listed[x.clamp(0, len(self._listed) - 1)], self.oov_token)
        place = torch.searchsorted(self._keys, x.contiguous()).clamp_max(len(self._keys) - 1)
        known = self._keys[place] == x
        return self.vectors(torch.where(known, self._places[place], self._unknown(x, known)))

    def _integers(self, inputs: Any) -> torch.Tensor:
        if not isinstance(inputs, Texts):
            integers: torch.Tensor = inputs.long()
            return integers
        try:
            return torch.tensor([int(item) for item in inputs.items]).reshape(inputs.shape)
        except ValueError as error:
            raise ArgumentError(
                f"{self.describe()} takes integers, but received {error}. Use `StringLookup`."
            ) from None

    def _unknown(self, x: torch.Tensor, known: torch.Tensor) -> Any:
        """The numbers of integers that are not in the vocabulary."""
        count, first = self.num_oov_indices, self.first_oov
        if count == 0:
            if not is_probing():
                try:
                    self._check(known.all(), "an integer is not in the vocabulary")
                except RuntimeError as error:
                    raise ArgumentError(
                        f"{self.describe()}: {error}, and num_oov_indices=0 has no number for it. Raise it to 1."
                    ) from None
            return 0
        if count == 1:
            return first
        if self.oov_method == "farmhash" or self.salt is not None:
            return buckets_of(x, count, self.salt) + first
        return torch.remainder(x, count) + first

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"vocabulary_dtype": self.vocabulary_dtype, "oov_method": self.oov_method}
        return {**super().get_config(), **own}
