"""`Hashing` and `HashedCrossing`: numbers in a fixed range for integers and strings.

Hashes of integer tensors are operators of torch, so that what holds them can be traced, compiled and exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.preprocessing.categories import VECTOR_MODES, checked_mode, encode, refuse_sparse
from ramify.layers.preprocessing.texts import TextLayer
from ramify.registry import serializable
from ramify.text.fingerprints import Words, crossed, hash_texts
from ramify.text.texts import Texts

Column = torch.Tensor | Texts


def _words(tensor: torch.Tensor) -> Words:
    values: Words = tensor.detach().cpu().long().numpy().ravel().view(np.uint64)
    return values


def _buckets(words: Words, bins: int, shape: Sequence[int]) -> torch.Tensor:
    return torch.from_numpy((words % np.uint64(bins)).astype(np.int64).reshape(tuple(shape)))


def _hash(x: torch.Tensor, bins: int, salt: list[int] | None) -> torch.Tensor:
    texts = list(map(str, x.detach().cpu().long().ravel().tolist()))  # an integer has its decimal digits' hash
    return _buckets(hash_texts(texts, salt), bins, x.shape).to(x.device)


def _cross(columns: list[torch.Tensor], bins: int) -> torch.Tensor:
    shape = columns[0].shape
    return _buckets(crossed([_words(column) for column in columns]), bins, shape).to(columns[0].device)


# Defined by hand: `torch.library.custom_op` imports the compiler at its first call, which takes seconds.
_LIBRARY = torch.library.Library("ramify", "FRAGMENT")
_LIBRARY.define("hash_integers(Tensor x, int bins, int[]? salt) -> Tensor")
_LIBRARY.define("cross_integers(Tensor[] columns, int bins) -> Tensor")
for _device in ("CPU", "CUDA"):
    _LIBRARY.impl("hash_integers", _hash, _device)
    _LIBRARY.impl("cross_integers", _cross, _device)
_LIBRARY.impl("hash_integers", lambda x, *_: torch.empty_like(x, dtype=torch.int64), "Meta")
_LIBRARY.impl("cross_integers", lambda columns, *_: torch.empty_like(columns[0], dtype=torch.int64), "Meta")
_hash_integers, _cross_integers = torch.ops.ramify.hash_integers, torch.ops.ramify.cross_integers


def buckets_of(data: Column, bins: int, salt: Sequence[int] | None) -> torch.Tensor:
    """The bucket of each integer or string.

    Args:
        data: integers or strings.
        bins: number of buckets.
        salt: two integers for SipHash; without it FarmHash.

    Returns:
        int64, of the shape of `data`.
    """
    if isinstance(data, Texts):
        return _buckets(hash_texts(data.items, salt), bins, data.shape)
    result: torch.Tensor = _hash_integers(data, bins, None if salt is None else list(salt))
    return result


def cross_buckets(columns: Sequence[Column], bins: int) -> torch.Tensor:
    """The bucket of each row of several columns of one shape.

    Args:
        columns: integers or strings.
        bins: number of buckets.

    Returns:
        int64, of the columns' shape.
    """
    if any(isinstance(column, Texts) for column in columns):
        words = [hash_texts(c.items) if isinstance(c, Texts) else _words(c) for c in columns]
        return _buckets(crossed(words), bins, columns[0].shape)
    result: torch.Tensor = _cross_integers(list(columns), bins)
    return result


def checked_salt(salt: int | Sequence[int] | None, who: str) -> list[int] | None:
    """A salt as two integers.

    Raises:
        ArgumentError: it is neither one integer nor two.
    """
    if salt is None:
        return None
    pair = [salt, salt] if isinstance(salt, int) else list(salt) if isinstance(salt, (list, tuple)) else []
    if len(pair) != 2 or not all(isinstance(part, int) for part in pair):
        raise ArgumentError(f"{who} takes one integer or two as `salt`, received {salt!r}. Pass an integer.")
    return pair


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


@serializable("keras.layers")
class HashedCrossing(TextLayer):
    """One bucket for each combination of values of several features; the same as Keras's.

    Args:
        num_bins: number of buckets.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: not supported, must be false.
        name: the layer's name.
        dtype: dtype of the result; int64 for ``"int"``, else floating.

    Shapes:
        Two or more tensors of integers (or arrays of strings), all ``()``, ``(batch,)`` or ``(batch, 1)`` -> the same,
        or ``(batch, num_bins)`` for ``"one_hot"``.

    Raises:
        ArgumentError: fewer than two inputs, inputs of floats, an unknown mode.
        ShapeError: inputs of other or different shapes.

    Example:

    >>> HashedCrossing(num_bins=5)((torch.tensor([1, 2]), ["A", "B"]))
    tensor([2, 3])
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if dtype is None:
            dtype = "int64" if output_mode == "int" else dtypes.floatx()
        kwargs.setdefault("autocast", False)  # floats are refused, not rounded
        super().__init__(name=name, dtype=dtype, **kwargs)
        refuse_sparse(sparse, "HashedCrossing")
        if not isinstance(num_bins, int) or num_bins < 1:
            raise ArgumentError(f"HashedCrossing needs one bucket or more, received num_bins={num_bins}.")
        self.num_bins = num_bins
        self.output_mode = checked_mode(output_mode, ("int", "one_hot"), "HashedCrossing")
        self.sparse = False

    def _wrapped(self, value: Any) -> Any:
        """Each feature alone: some may be strings, some numbers."""
        if isinstance(value, (list, tuple)):
            parts = [super(HashedCrossing, self)._wrapped(part) for part in value]
            return [torch.as_tensor(part) if isinstance(part, (list, tuple)) else part for part in parts]
        return value

    def call(self, inputs: Any) -> torch.Tensor:
        """Buckets, or vectors of them."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ArgumentError(f"{self.describe()} crosses two features or more. Pass them in a tuple.")
        shapes = [tuple(one.shape) for one in inputs]
        if len(set(shapes)) > 1 or len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise ShapeError(
                f"{self.describe()} takes features of one shape, (batch,) or (batch, 1), but received {shapes}."
            )
        for one in inputs:
            if not isinstance(one, Texts) and one.is_floating_point():
                raise ArgumentError(
                    f"{self.describe()} crosses integers and strings, not {one.dtype}. Discretize them."
                )
        found = cross_buckets(inputs, self.num_bins)
        if self.output_mode == "int":
            return found.to(self.compute_torch_dtype)
        return encode(found, "one_hot", self.num_bins, self.compute_torch_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
