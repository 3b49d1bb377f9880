"""`GroupQueryAttention`."""

from __future__ import annotations

from typing import Any

from ramify.errors import ArgumentError
from ramify.layers.arguments import own_arguments
from ramify.layers.attention.headed import HeadedAttention
from ramify.registry import serializable


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
