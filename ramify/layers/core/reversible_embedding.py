"""`ReversibleEmbedding`: integers to vectors, and vectors back to a score for every integer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph import SymbolicTensor
from ramify.layers.core.embedding import Embedding
from ramify.registry import serializable


@serializable("keras.layers")
class ReversibleEmbedding(Embedding):
    """An `Embedding` whose table also turns vectors into scores, as at the two ends of a language model.

    See Press & Wolf, *Using the Output Embedding to Improve Language Models*, 2017.

    Args:
        input_dim: number of integers.
        output_dim: size of a vector.
        tie_weights: whether both ways share one table; else the way back has one of its own.
        embeddings_initializer: how the tables start.
        embeddings_regularizer: of the table.
        embeddings_constraint: on the table.
        mask_zero: whether 0 means that there is nothing.
        reverse_dtype: dtype of the way back; the layer's when not given.
        logit_soft_cap: scores ``s`` become ``tanh(s / cap) * cap``.
        **kwargs: what every `Embedding` takes.

    Shapes:
        integers ``(batch, ...)`` -> ``(batch, ..., output_dim)``; with ``reverse=True``,
        ``(batch, ..., output_dim)`` -> ``(batch, ..., input_dim)``.

    Raises:
        ArgumentError: a soft cap that is not positive.

    Example:

    >>> layer = ReversibleEmbedding(9, 4)
    >>> vectors = layer(torch.tensor([[1, 2, 3]]))
    >>> layer(vectors, reverse=True).shape
    torch.Size([1, 3, 9])
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        if logit_soft_cap is not None and logit_soft_cap <= 0:
            raise ArgumentError(f"ReversibleEmbedding takes a positive logit_soft_cap, but received {logit_soft_cap}.")
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap
        self.autocast = False  # integers come in, and what comes back has its own dtype

    def build(self, input_shape: Any = None) -> None:
        """Make the table, or both."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer, name="reverse_embeddings"
            )

    def call(self, inputs: torch.Tensor, reverse: bool = False) -> torch.Tensor:
        """The rows; with `reverse`, the products with every row."""
        if not reverse:
            return super().call(inputs).to(self.compute_torch_dtype)
        if self.reverse_dtype:
            kind = dtypes.to_torch(self.reverse_dtype)
        else:  # inputs are not cast: the wider of the two dtypes, as in Keras
            kind = torch.promote_types(inputs.dtype, self.compute_torch_dtype)
        table = self._way_back()
        scores = F.linear(inputs.to(kind), table.to(kind))
        cap = self.logit_soft_cap
        return scores if cap is None else torch.tanh(scores / cap) * cap

    def begin_quantization(self, config: Any, type_check: bool = True) -> None:
        """Refuse a layer with two tables: only the one that both ways share can be quantized."""
        if not self.tie_weights:
            raise ArgumentError(f"{self.describe()} has two tables, which are not quantized. Tie its weights.")
        super().begin_quantization(config, type_check)

    def _way_back(self) -> torch.Tensor:
        """A row for every integer, as the way back multiplies by them."""
        return self.updated_weight() if self.tie_weights else self.reverse_embeddings.t()

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """False where an integer is 0, if `mask_zero`; of vectors, their own mask."""
        floating = isinstance(inputs, (torch.Tensor, SymbolicTensor)) and inputs.dtype.is_floating_point
        return previous_mask if floating else super().compute_mask(inputs, previous_mask)
