"""`Hashing`: categories without a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.layers.preprocessing.encoding import VECTOR_MODES, checked_mode, encode, refuse_sparse
from ramify.layers.preprocessing.hashed import buckets_of, checked_salt
from ramify.layers.preprocessing.texts import TextLayer, Texts
from ramify.registry import serializable


@serializable("keras.layers")
class Hashing(TextLayer):
    """Integers or strings as numbers of buckets, by a hash that is the same everywhere (and the same as Keras's).

    The hash is FarmHash's 64-bit fingerprint; with a salt, SipHash-2-4 with the salt as key. An integer has the hash of
    its decimal digits.

    Args:
        num_bins: number of buckets, the one for `mask_value` included.
        mask_value: value that goes to bucket 0, which nothing else then goes to.
        salt: one integer, or two.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``, as in `CategoryEncoding`.
        sparse: not supported, must be false.

    Shapes:
        Any -> the same for ``"int"``, in int64 unless `dtype` says otherwise. Strings come in arrays or lists.

    Raises:
        ArgumentError: `num_bins` below 1, a salt that is no integer, an unknown mode.

    Example:

    >>> Hashing(num_bins=3)([["A"], ["B"]]).flatten()
    tensor([1, 0])
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: int | Sequence[int] | None = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else dtypes.floatx()
        super().__init__(**kwargs)
        refuse_sparse(sparse, "Hashing")
        if not isinstance(num_bins, int) or num_bins < 1:
            raise ArgumentError(f"Hashing needs one bucket or more, received num_bins={num_bins}. Pass an integer.")
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = checked_salt(salt, "Hashing")
        self.output_mode = checked_mode(output_mode, ("int", *VECTOR_MODES), "Hashing")
        self.sparse = False

    def call(self, inputs: Any) -> torch.Tensor:
        """Buckets, or vectors of them."""
        if self.mask_value is None:
            found = buckets_of(inputs, self.num_bins, self.salt)
        elif self.num_bins == 1:
            found = torch.zeros_like(inputs, dtype=torch.int64) if isinstance(inputs, torch.Tensor) else _zeros(inputs)
        else:
            found = torch.where(self._masked(inputs), 0, buckets_of(inputs, self.num_bins - 1, self.salt) + 1)
        if self.output_mode == "int":
            return found.to(self.compute_torch_dtype)
        return encode(found, self.output_mode, self.num_bins, self.compute_torch_dtype)

    def _masked(self, inputs: Any) -> torch.Tensor:
        if isinstance(inputs, Texts):
            return torch.tensor([item == self.mask_value for item in inputs.items]).reshape(inputs.shape)
        return inputs == self.mask_value


def _zeros(texts: Texts) -> torch.Tensor:
    return torch.from_numpy(np.zeros(texts.shape, dtype=np.int64))
