"""`HeadedAttention`: what multi-head and grouped-query attention have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ramify import regularizers
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.arguments import settle
from ramify.layers.attention.scores import Dropping, attend, attend_with_weights, combine, window_mask
from ramify.layers.core.einsum_dense import EinsumDense
from ramify.layers.layer import Layer
from ramify.seeds import Stream

Shape = tuple[int | None, ...]
_FREE = "abcdefghijklm"  # letters of the axes that a projection leaves alone
_MADE = "nopqrstuvw"  # letters of the axes that it sums over or makes


class HeadedAttention(Layer):
    """Attention with projections of its inputs to several heads, and one of the result back.

    Axes are told apart in three kinds: *attended* ones, over which the mean is taken; *free* ones, that are treated
    like the batch; and the last, of features.

    Args:
        arguments: the subclass's named arguments.
        further: its other keyword arguments, which every layer takes.
    """

    use_bias: bool
    use_gate: bool
    dropout: float
    sliding_window: int | None
    flash_attention: bool | None
    regularizes_result = True
    """Whether `activity_regularizer` counts for the layer's result beside the results of its projections."""

    def __init__(self, arguments: Mapping[str, Any], further: Mapping[str, Any]) -> None:
        regularizer = arguments["activity_regularizer"]
        super().__init__(activity_regularizer=regularizer if self.regularizes_result else None, **further)
        self._projected_regularizer = regularizers.get(regularizer)
        who = type(self).__name__
        window, dropout = arguments["sliding_window"], arguments["dropout"]
        if window is not None and (not isinstance(window, int) or window < 1):
            raise ArgumentError(f"{who} takes a positive whole sliding_window or None, but received {window!r}.")
        if not 0 <= dropout <= 1:
            raise ArgumentError(f"{who} takes a dropout between 0 and 1, but received dropout={dropout!r}.")
        if arguments["flash_attention"] and dropout:
            raise ArgumentError(f"{who} cannot drop in flash attention. Set dropout=0, or flash_attention=None.")
        settle(self, arguments)
        self._stream = Stream(self.seed, who)
        self.supports_masking = True
        self.makes_mask = False

    # ---- what a subclass says ----

    def _sizes(self) -> tuple[int, int, int, int]:
        """Heads of queries, heads of keys, size of a key, size of a value."""
        raise NotImplementedError  # each subclass has its own

    def _result_shape(self, query_shape: Shape) -> tuple[int, ...]:
        """Sizes of the result's last axes."""
        return (_known(query_shape, self),)

    def _attended(self, rank: int) -> tuple[int, ...]:
        """The attended axes of an input of some rank."""
        return tuple(range(1, rank - 1))

    # ---- building ----

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections, each a layer of its own."""
        query, value = tuple(query_shape), tuple(value_shape)
        key = value if key_shape is None else tuple(key_shape)
        self._check(query, value, key)
        heads, key_heads, size, value_size = self._sizes()
        self._query_dense = self._projection("query", query, (heads, size))
        self._key_dense = self._projection("key", key, (key_heads, size))
        if self.use_gate:
            self._gate_dense = self._projection("gate", query, (heads, value_size), activation="sigmoid")
        self._value_dense = self._projection("value", value, (key_heads, value_size))
        self._output_dense = self._projection(
            "attention_output", (*query[:-1], heads, value_size), self._result_shape(query), summed=2
        )

    def _check(self, query: Shape, value: Shape, key: Shape) -> None:
        if not len(query) == len(value) == len(key) or len(query) < 3:
            raise ShapeError(
                f"{self.describe()} takes query, value and key of one rank, at least 3, but received shapes "
                f"{query}, {value} and {key}. Add or take away axes; the batch axis counts as one."
            )
        if any(a is not None and b is not None and a != b for a, b in zip(value[:-1], key[:-1], strict=True)):
            raise ShapeError(
                f"{self.describe()}: value and key may differ in their last axis alone, but received shapes {value} "
                f"and {key}. Every key belongs to one value."
            )

    def _projection(
        self, name: str, shape: Shape, made: Sequence[int], summed: int = 1, activation: Any = None
    ) -> EinsumDense:
        free = _FREE[: len(shape) - summed]
        inner, outer = _MADE[:summed], _MADE[summed : summed + len(made)]
        dense = EinsumDense(
            f"{free}{inner},{inner}{outer}->{free}{outer}",
            output_shape=(*(None for _ in free[1:]), *made),
            bias_axes=outer if self.use_bias else None,
            activation=activation,
            kernel_initializer=_anew(self.kernel_initializer),
            bias_initializer=_anew(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            name=name,
            dtype=self.__dict__.get("_policy_map", self.dtype_policy),
            trainable=self.trainable,
        )
        _known(shape, self)
        dense.build(shape)
        return dense

    # ---- calling ----

    def call(
        self,
        query: torch.Tensor,
        value: torch.Tensor,
        key: torch.Tensor | None = None,
        query_mask: torch.Tensor | None = None,
        value_mask: torch.Tensor | None = None,
        key_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Attend.

        Args:
            query: ``(batch, ..., queries, features)``.
            value: ``(batch, ..., keys, features)``.
            key: as `value`, which is taken when it is not given.
            query_mask: boolean ``(batch, queries)``: the queries that count.
            value_mask: boolean ``(batch, keys)``: the values that may be attended to.
            key_mask: the same, for the keys.
            attention_mask: boolean ``(batch, queries, keys)``, or of more axes to differ by head: who may attend to
                whom.
            return_attention_scores: whether to return the weights too.
            training: whether to drop.
            use_causal_mask: whether a query sees no later key.

        Returns:
            The result, shaped like `query` up to its last axis; with `return_attention_scores` also the weights
            ``(batch, ..., heads, queries, keys)``.
        """
        key = value if key is None else key
        axes = self._attended(query.ndim)
        plain = query.ndim == 3
        if not plain:
            lengths, keys = [query.shape[a] for a in axes], [key.shape[a] for a in axes]
            order = [a for a in range(query.ndim - 1) if a not in axes] + [*axes, query.ndim - 1]
            query, value, key = (_attended_last(x, order, len(axes)) for x in (query, value, key))
        free = query.shape[1:-2]
        mask = combine(
            None if query_mask is None else _as_bool(query_mask).flatten(1)[:, :, None],
            None if value_mask is None else _as_bool(value_mask).flatten(1)[:, None],
            None if key_mask is None else _as_bool(key_mask).flatten(1)[:, None],
        )
        mask = None if mask is None else mask.reshape(mask.shape[0], *(1 for _ in free), 1, *mask.shape[1:])
        if attention_mask is not None:
            mask = combine(mask, _aligned(attention_mask, len(axes), len(free) + 2))
        if self.sliding_window is not None:
            mask = combine(mask, window_mask(query.shape[-2], key.shape[-2], query.device, self.sliding_window))
        wants_weights = return_attention_scores
        result, weights = self._attend(query, key, value, mask, use_causal_mask, wants_weights, bool(training))
        if not plain:
            result = result.unflatten(len(free) + 1, lengths)
            result = result.permute(_inverse(order[:-1]) + list(range(len(order) - 1, result.ndim)))
            weights = None if weights is None else weights.unflatten(-1, keys).unflatten(-1 - len(keys), lengths)
        return result if weights is None else (result, weights)

    def _attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        causal: bool,
        wants_weights: bool,
        training: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Inputs ``(batch, *free, length, features)``; mask of that rank with the heads before the last two axes."""
        gate = None
        if self.use_gate:
            gate = self._regularized(self._gate_dense(query))
        queries, keys, values = (
            self._regularized(dense(x)).transpose(-3, -2)
            for dense, x in ((self._query_dense, query), (self._key_dense, key), (self._value_dense, value))
        )
        free = queries.shape[:-3]
        if len(free) > 1:
            queries, keys, values = (x.flatten(0, len(free) - 1) for x in (queries, keys, values))
            if mask is not None and mask.ndim > 3:
                mask = mask.expand(*free, *mask.shape[-3:]).flatten(0, len(free) - 1)
        scale = 1.0 / math.sqrt(self._sizes()[2])
        dropping = Dropping(self.dropout if training else 0.0, self._stream)
        weights = None
        if wants_weights:
            result, weights = attend_with_weights(queries, keys, values, mask, causal, scale, dropping)
        else:
            result = attend(queries, keys, values, mask, causal, scale, dropping, self.flash_attention)
        if len(free) > 1:
            result = result.unflatten(0, free)
            weights = None if weights is None else weights.unflatten(0, free)
        result = result.transpose(-3, -2)
        return self._regularized(self._output_dense(result if gate is None else result * gate)), weights

    def _regularized(self, projected: torch.Tensor) -> torch.Tensor:
        """As it is; its regularizer's value is added to the loss, per sample."""
        if self._projected_regularizer is not None:
            self.add_loss(self._projected_regularizer(projected) / projected.shape[0])
        return projected

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The query's mask."""
        del inputs
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the choice of kernels is left to where the layer is loaded."""
        config = super().get_config()
        config["activity_regularizer"] = regularizers.serialize(self._projected_regularizer)
        config.pop("flash_attention", None)
        return config

    # ---- the projections ----

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of queries."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of keys."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of values."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of the result."""
        return self._output_dense


def _attended_last(x: torch.Tensor, order: list[int], count: int) -> torch.Tensor:
    """Free axes first, then the attended ones as one, then features."""
    return x.permute(order).flatten(-1 - count, -2)


def _inverse(order: list[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)


def _as_bool(mask: torch.Tensor) -> torch.Tensor:
    return mask if mask.dtype is torch.bool else mask.to(torch.bool)


def _aligned(mask: torch.Tensor, attended: int, leading: int) -> torch.Tensor:
    """A mask ``(batch, ..., queries..., keys...)`` brought to the rank of the scores.

    Each group of attended axes becomes one; axes of size 1 are put in before them until `leading` axes stand there:
    batch, free axes, heads.
    """
    mask = _as_bool(mask)
    if attended > 1:
        mask = mask.flatten(-attended).flatten(-1 - attended, -2)
    before, lengths = mask.shape[:-2], mask.shape[-2:]
    return mask.reshape(*before, *(1 for _ in range(leading - len(before))), *lengths)


def _anew(initializer: Any) -> Any:
    """The same kind of initializer, so that every projection gets the values that its seed stands for."""
    if not hasattr(initializer, "get_config"):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def _known(shape: Shape, layer: Layer) -> int:
    size = shape[-1]
    if size is None:
        raise ShapeError(
            f"{layer.describe()} needs to know the size of its input's last axis, but received shape {shape}. "
            "Give it in `Input(shape=...)`."
        )
    return size
