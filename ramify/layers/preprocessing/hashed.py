"""Hashes of integer tensors as operators of torch, so that what holds them can be traced, compiled and exported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.fingerprints import Words, crossed, hash_texts
from ramify.layers.preprocessing.texts import Texts

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
