"""Numbers of categories as vectors: one-hot, multi-hot, counts. And the arguments that several layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.registry import serializable

VECTOR_MODES = ("one_hot", "multi_hot", "count")


def checked_mode(mode: Any, allowed: Sequence[str], who: str) -> str:
    """An output mode that the layer has.

    Raises:
        ArgumentError: it has no such mode.
    """
    if mode not in allowed:
        raise ArgumentError(f"{who} has no output_mode={mode!r}. Use one of {', '.join(map(repr, allowed))}.")
    return str(mode)


def refuse_sparse(sparse: Any, who: str) -> None:
    """Sparse tensors are not made here.

    Raises:
        ArgumentError: they were asked for.
    """
    if sparse:
        raise ArgumentError(f"{who} does not return sparse tensors. Leave `sparse` out.")


def encode(
    indices: torch.Tensor, mode: str, depth: int, dtype: torch.dtype, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Vectors of length `depth` in place of numbers of categories; negative numbers count for nothing.

    Args:
        indices: integers ``(..., n)``.
        mode: ``"one_hot"`` gives ``(..., n, depth)``, without the axis `n` where it is 1; ``"multi_hot"`` and
            ``"count"`` sum it up in ``(..., depth)``.
        depth: number of categories.
        dtype: dtype of the result.
        weights: what each index counts for, of the shape of `indices`; one if not given.

    Raises:
        ArgumentError: an index is `depth` or more (seen on the CPU; a GPU reports it later, in its own words).
    """
    places = indices.long()
    if mode == "one_hot":
        if places.ndim == 0:
            places = places.unsqueeze(0)
        if places.ndim == 1 or places.shape[-1] != 1:
            places = places.unsqueeze(-1)
    elif places.ndim == 0:
        places = places.unsqueeze(0)
    # One place more, in front, takes what counts for nothing.
    vectors = torch.zeros((*places.shape[:-1], depth + 1), dtype=dtype, device=places.device)
    places = (places + 1).clamp_min(0)
    try:
        if mode == "count":
            amounts = torch.ones_like(places, dtype=dtype) if weights is None else weights.to(dtype)
            vectors = vectors.scatter_add(-1, places, amounts.expand(places.shape))
        else:
            vectors = vectors.scatter(-1, places, 1)
    except RuntimeError as error:
        raise ArgumentError(
            f"There are {depth} categories, numbered from 0 to {depth - 1}, but the data has larger numbers ({error}). "
            "Give the layer as many as there are."
        ) from None
    return vectors.narrow(-1, 1, depth)


@serializable("keras.layers")
class CategoryEncoding(Layer):
    """Integers from 0 to ``num_tokens - 1`` as vectors of length `num_tokens`.

    Args:
        num_tokens: number of categories.
        output_mode: ``"one_hot"`` makes a vector of each integer; ``"multi_hot"`` one of each row, with ones for what
            is in the row; ``"count"`` one of each row, with the number of times.
        sparse: not supported, must be false.

    Shapes:
        ``(..., n)`` -> ``(..., n, num_tokens)`` for ``"one_hot"`` (without the axis `n` where it is 1), else
        ``(..., num_tokens)``.

    Raises:
        ArgumentError: `num_tokens` is missing, an unknown mode; in a call: weights in another mode than ``"count"``,
            integers that are too large.

    Example:

    >>> CategoryEncoding(4, output_mode="count")(torch.tensor([[0, 1, 1]]))
    tensor([[1., 2., 0., 0.]])
    """

    left_out_of_config = ("sparse",)

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if num_tokens is None or num_tokens < 1:
            raise ArgumentError(
                f"CategoryEncoding needs the number of categories, received num_tokens={num_tokens}. Pass it, or use "
                "`IntegerLookup`, which learns it."
            )
        refuse_sparse(sparse, "CategoryEncoding")
        self.num_tokens = num_tokens
        self.output_mode = checked_mode(output_mode, VECTOR_MODES, "CategoryEncoding")

    def call(self, inputs: torch.Tensor, count_weights: Any = None) -> torch.Tensor:
        """Vectors in place of integers.

        Args:
            inputs: integers.
            count_weights: what each integer counts for, where the mode is ``"count"``; of the shape of `inputs`.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(
                f"{self.describe()} takes `count_weights` only where output_mode is 'count'; it is "
                f"{self.output_mode!r}. Leave them out."
            )
        return encode(inputs, self.output_mode, self.num_tokens, self.compute_torch_dtype, count_weights)
