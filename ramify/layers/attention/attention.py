"""`Attention` and `AdditiveAttention`: attention without projections."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError, InputError, ShapeError
from ramify.layers.attention.scores import Dropping, attend, combine, drop
from ramify.layers.layer import Layer
from ramify.ops.nn.attention import bias_of, causal_mask
from ramify.registry import serializable
from ramify.seeds import Stream


@serializable("keras.layers")
class Attention(Layer):
    """Every query's mean of the values, weighted by the softmax of its scores with the keys (Luong et al., 2015).

    Args:
        use_scale: whether a trained factor multiplies the scores.
        score_mode: ``"dot"``: ``q · k``; ``"concat"``: ``w * sum(tanh(q + k))`` with a trained ``w``.
        dropout: share of the weights to drop in training.
        seed: start of a private stream of randomness for dropping.

    Shapes:
        ``[query, value]`` or ``[query, value, key]`` of ``(batch, queries, size)``, ``(batch, keys, value size)`` and
        ``(batch, keys, size)`` -> ``(batch, queries, value size)``, and weights ``(batch, queries, keys)`` with
        ``return_attention_scores=True``.

    Raises:
        ArgumentError: an unknown `score_mode`, or a `dropout` outside 0 to 1.

    Example:

    >>> import ramify
    >>> query, value = ramify.Input(shape=(5, 16)), ramify.Input(shape=(9, 16))
    >>> Attention()([query, value]).shape
    (None, 5, 16)
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ArgumentError(f"Attention takes score_mode='dot' or 'concat', but received {score_mode!r}.")
        if not 0 <= dropout <= 1:
            raise ArgumentError(f"{type(self).__name__} takes a dropout between 0 and 1, but received {dropout!r}.")
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self._stream = Stream(seed, type(self).__name__)
        self.supports_masking = True
        self.makes_mask = False

    scale: Any
    concat_score_weight: Any

    def build(self, input_shape: Any) -> None:
        """Make the trained factors."""
        _check_inputs(input_shape, self)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        concat = self.score_mode == "concat"
        self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight") if concat else None

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Attend.

        Args:
            inputs: ``[query, value]`` or ``[query, value, key]``.
            mask: ``[query mask, value mask]``, each boolean ``(batch, length)`` or ``None``. Results of queries that do
                not count are zero; values that do not count are not attended to.
            training: whether to drop.
            return_attention_scores: whether to return the weights too.
            use_causal_mask: whether a query sees no later key.
        """
        query_mask, value_mask = self._masks(mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        allowed = None if value_mask is None else value_mask.to(torch.bool).unsqueeze(-2)
        dropping = Dropping(self.dropout if training else 0.0, self._stream)
        weights: Any = None
        if self._is_fused and allowed is None and not return_attention_scores:
            # Not under a mask: torch 2.13's kernel for the CPU has wrong gradients for queries without any key.
            scaled = query if self.scale is None else query * self.scale
            heads = (scaled.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1))
            result = attend(*heads, None, use_causal_mask, 1.0, dropping).squeeze(1)
        else:
            scores = self._scores(query, key)
            if use_causal_mask:
                allowed = combine(allowed, causal_mask(scores.shape[-2], scores.shape[-1], scores.device))
            scores = scores if allowed is None else scores + bias_of(allowed, scores.dtype)
            weights = drop(torch.softmax(scores, -1), dropping)
            result = weights @ value
        if query_mask is not None:
            result = result * query_mask.unsqueeze(-1).to(result.dtype)
        return (result, weights) if return_attention_scores else result

    @property
    def _is_fused(self) -> bool:
        """Whether one of torch's kernels computes this."""
        return self.score_mode == "dot"

    def _scores(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        if self.score_mode == "dot":
            scores = query @ key.transpose(-2, -1)
            return scores if self.scale is None else scores * self.scale
        sums = query.unsqueeze(-2) + key.unsqueeze(-3)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * torch.tanh(sums).sum(-1)

    def _masks(self, mask: Any) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3:
            raise InputError(f"{self.describe()} takes a list of masks, [query mask, value mask]; either may be None.")
        return mask[0], mask[1]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The query's mask."""
        del inputs
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else None


@serializable("keras.layers")
class AdditiveAttention(Attention):
    """Attention with scores ``sum(scale * tanh(q + k))`` (Bahdanau et al., 2015).

    Args:
        use_scale: whether `scale`, of the size of queries and keys, is trained; it is 1 otherwise.
        dropout: share of the weights to drop in training.
        **kwargs: `seed`, and what every layer takes.

    Shapes:
        As of `Attention`.

    Example:

    >>> import ramify
    >>> query, value = ramify.Input(shape=(5, 16)), ramify.Input(shape=(9, 16))
    >>> AdditiveAttention()([query, value]).shape
    (None, 5, 16)
    """

    _is_fused = False

    left_out_of_config = ("score_mode",)

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        _check_inputs(input_shape, self)
        size = input_shape[0][-1]
        self.scale = self.add_weight((size,), "glorot_uniform", name="scale") if self.use_scale else None

    def _scores(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        sums = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))
        return sums.sum(-1) if self.scale is None else sums @ self.scale


def _check_inputs(shapes: Any, layer: Layer) -> None:
    """Refuse anything but two or three tensors.

    Raises:
        ShapeError: one tensor, or another number of them.
    """
    if not isinstance(shapes, list) or not 2 <= len(shapes) <= 3:
        raise ShapeError(
            f"{layer.describe()} takes a list of two or three tensors, but received shape(s) {shapes}. "
            "Call it on [query, value] or [query, value, key]."
        )
