"""`Embedding`: a table of vectors, looked up by integers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import InputError
from ramify.layers.arguments import own_arguments, settle
from ramify.layers.layer import Layer
from ramify.layers.low_rank import LowRank
from ramify.quantizers import packed
from ramify.quantizers.layers import QuantizedMatrix
from ramify.registry import serializable


@serializable("keras.layers")
class Embedding(LowRank, QuantizedMatrix, Layer):
    """Row ``i`` of a trained table for every integer ``i`` in the input.

    Args:
        input_dim: number of rows; inputs lie in ``0 ... input_dim - 1``.
        output_dim: size of a row.
        embeddings_initializer: how the table of shape ``(input_dim, output_dim)`` starts.
        embeddings_regularizer: penalty on the table.
        embeddings_constraint: applied to the table after every update.
        mask_zero: whether 0 marks padding: the output then carries a mask that is false where the input is 0.
        weights: the table itself, as an array or a list of one.
        lora_rank: rank of a low-rank update that is trained in place of the table (Hu et al., 2021, "LoRA").
        lora_alpha: the update is scaled by ``lora_alpha / lora_rank``; `lora_rank` when not given.
        quantization_config: how `quantize` goes about it when it is told nothing else.

    Shapes:
        ``(batch, ...)`` of any integer dtype -> ``(batch, ..., output_dim)``. Floats are cut to integers.

    Raises:
        ArgumentError: a size that is not positive.
        InputError: an integer outside the table (when called; on the CPU).

    Example:

    >>> import ramify
    >>> Embedding(1000, 64)(ramify.Input(shape=(10,), dtype="int32")).shape
    (None, 10, 64)
    """

    left_out_of_config = ("weights",)
    input_dim: int
    output_dim: int

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # Keras 2's; sequences of any length are taken
        super().__init__(**kwargs)
        settle(self, {name: value for name, value in own_arguments(locals()).items() if name != "weights"})
        self.supports_masking = self.makes_mask = mask_zero
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Make the table; it is the same for every shape."""
        del input_shape
        if self.built:
            return
        self.embeddings = self.add_weight_of("embeddings", (self.input_dim, self.output_dim))
        self.build_lora()
        self.build_quantized(None)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rows."""
        if inputs.dtype is not torch.int64 and inputs.dtype is not torch.int32:
            inputs = inputs.to(torch.int32)
        try:
            if self.is_quantized:
                outputs = packed.restored_rows(self, inputs.to(torch.int64))
            else:
                outputs = F.embedding(inputs, self.embeddings)
        except IndexError:
            raise InputError(
                f"{self.describe()} has the rows 0 to {self.input_dim - 1}, but received integers from "
                f"{inputs.min().item()} to {inputs.max().item()}. Raise `input_dim` to the largest integer plus 1, or "
                "map unknown integers to one that exists."
            ) from None
        if self.lora_enabled:
            a, b = self.lora_factors()
            outputs = outputs + F.embedding(inputs, a) @ b
        return outputs

    # ---- quantization: every row has a scale ----

    matrix_name = "embeddings"
    modes = ("int8", "int4")
    summed_axes = (1,)
    stands_by_rows = True

    @property
    def matrix_columns(self) -> int:
        """Numbers in a row."""
        return self.output_dim

    def as_matrix(self, weight: torch.Tensor) -> torch.Tensor:
        """The table, a column for every row."""
        return weight.t()

    quantized_call = call

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """False where the input is 0, if `mask_zero`."""
        del previous_mask
        return torch.ne(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, without the table and, where it has none, the low-rank update."""
        return {"activity_regularizer": None, **super().get_config()}
