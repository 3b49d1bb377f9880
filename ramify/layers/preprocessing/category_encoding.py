"""`CategoryEncoding`: numbers of categories as vectors."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.layers.preprocessing.encoding import VECTOR_MODES, checked_mode, encode, refuse_sparse
from ramify.registry import serializable


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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, without `sparse`."""
        config = super().get_config()
        config.pop("sparse", None)
        return config
