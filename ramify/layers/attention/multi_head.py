"""Attention with several heads: of their own keys and values, or sharing them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify.errors import ArgumentError
from ramify.layers.arguments import own_arguments
from ramify.layers.attention.headed import HeadedAttention, Shape
from ramify.registry import serializable


@serializable("keras.layers")
class MultiHeadAttention(HeadedAttention):
    """Every query's weighted mean of values, by several heads at once (Vaswani et al., 2017).

    Each head projects queries, keys and values; its weights are ``softmax(q · k / sqrt(key_dim))``; the heads' means
    are projected to the result. Runs in torch's fused attention kernels, unless the weights are asked for.

    Args:
        num_heads: number of heads.
        key_dim: size of a head's queries and keys.
        value_dim: size of a head's values; `key_dim` when not given.
        dropout: share of the weights to drop in training.
        use_bias: whether the projections add biases.
        output_shape: size(s) of the result's last axis or axes; that of the query's last axis when not given.
        attention_axes: axes to attend over; all but batch and features when not given.
        sliding_window: a query sees only keys fewer than so many steps away.
        flash_attention: ``True``: only flash attention; ``False``: never; ``None``: as torch finds best.
        kernel_initializer: how the projections' kernels start.
        bias_initializer: how their biases start.
        kernel_regularizer: penalty on the kernels.
        bias_regularizer: penalty on the biases.
        activity_regularizer: penalty on the result.
        kernel_constraint: applied to the kernels after every update.
        bias_constraint: applied to the biases after every update.
        use_gate: whether a sigmoid gate, projected from the query, multiplies the heads' means.
        seed: start of a private stream of randomness for dropping.

    Shapes:
        query ``(batch, queries, features)``, value and key ``(batch, keys, features)`` ->
        ``(batch, queries, features)``, and weights ``(batch, num_heads, queries, keys)`` with
        ``return_attention_scores=True``.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(128, 256))
    >>> MultiHeadAttention(num_heads=4, key_dim=64)(x, x, use_causal_mask=True).shape
    (None, 128, 256)
    """

    num_heads: int
    key_dim: int

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)
        for name, size in (("num_heads", num_heads), ("key_dim", key_dim), ("value_dim", value_dim or key_dim)):
            if not isinstance(size, int) or size <= 0:
                raise ArgumentError(f"MultiHeadAttention takes a positive whole {name}, but received {size!r}.")
        self.value_dim = value_dim or key_dim
        shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.output_shape = None if shape is None else tuple(shape)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes

    regularizes_result = False

    def _sizes(self) -> tuple[int, int, int, int]:
        return self.num_heads, self.num_heads, self.key_dim, self.value_dim

    def _result_shape(self, query_shape: Shape) -> tuple[int, ...]:
        return self.output_shape or super()._result_shape(query_shape)

    def _attended(self, rank: int) -> tuple[int, ...]:
        if self.attention_axes is None:
            return super()._attended(rank)
        axes = tuple(axis % rank for axis in self.attention_axes)
        if not axes or 0 in axes or rank - 1 in axes:
            raise ArgumentError(
                f"{self.describe()} cannot attend over attention_axes={self.attention_axes} of inputs with {rank} "
                f"axes. Give axes between 1 and {rank - 2}: neither the batch nor the features."
            )
        return axes


@serializable("keras.layers", "GroupedQueryAttention")
class GroupQueryAttention(HeadedAttention):
    """Multi-head attention whose heads of queries share heads of keys and values (Ainslie et al., 2023, "GQA").

    Args:
        head_dim: size of a head's queries, keys and values.
        num_query_heads: number of heads of queries.
        num_key_value_heads: number of heads of keys and values; divides `num_query_heads`.
        dropout: share of the weights to drop in training.
        use_bias: whether the projections add biases.
        sliding_window: a query sees only keys fewer than so many steps away.
        flash_attention: ``True``: only flash attention; ``False``: never; ``None``: as torch finds best.
        kernel_initializer: how the projections' kernels start.
        bias_initializer: how their biases start.
        kernel_regularizer: penalty on the kernels.
        bias_regularizer: penalty on the biases.
        activity_regularizer: penalty on the result.
        kernel_constraint: applied to the kernels after every update.
        bias_constraint: applied to the biases after every update.
        use_gate: whether a sigmoid gate, projected from the query, multiplies the heads' means.
        seed: start of a private stream of randomness for dropping.

    Shapes:
        query ``(batch, queries, features)``, value and key ``(batch, keys, features)`` ->
        ``(batch, queries, features)``, and weights ``(batch, num_query_heads, queries, keys)`` with
        ``return_attention_scores=True``.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(128, 256))
    >>> GroupQueryAttention(head_dim=32, num_query_heads=8, num_key_value_heads=2)(x, x).shape
    (None, 128, 256)
    """

    head_dim: int
    num_query_heads: int
    num_key_value_heads: int

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)
        counts = {"head_dim": head_dim, "num_query_heads": num_query_heads, "num_key_value_heads": num_key_value_heads}
        for name, count in counts.items():
            if not isinstance(count, int) or count <= 0:
                raise ArgumentError(f"GroupQueryAttention takes a positive whole {name}, but received {count!r}.")
        if num_query_heads % num_key_value_heads:
            raise ArgumentError(
                f"GroupQueryAttention shares heads evenly, but received num_query_heads={num_query_heads} and "
                f"num_key_value_heads={num_key_value_heads}. The first must be a multiple of the second."
            )

    def _sizes(self) -> tuple[int, int, int, int]:
        return self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim
