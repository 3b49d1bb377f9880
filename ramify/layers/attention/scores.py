"""From queries, keys and values to a weighted mean of the values: the computation that all attention layers share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ramify.ops.nn.attention import bias_of, causal_mask, kernels_for
from ramify.seeds import Stream


@dataclass(frozen=True)
class Dropping:
    """How much of the weights to drop (0 outside training), and where the randomness comes from."""

    rate: float
    stream: Stream


def combine(*masks: torch.Tensor | None) -> torch.Tensor | None:
    """What all given boolean masks allow, by broadcasting; ``None`` where there is none."""
    found: torch.Tensor | None = None
    for mask in masks:
        if mask is not None:
            found = mask if found is None else found & mask
    return found


def window_mask(queries: int, keys: int, device: torch.device, size: int) -> torch.Tensor:
    """True where a key is fewer than `size` steps away from the query, ``(queries, keys)``."""
    allowed = torch.ones((queries, keys), dtype=torch.bool, device=device)
    return allowed.tril(size - 1) & allowed.triu(1 - size)


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    causal: bool,
    scale: float,
    dropping: Dropping,
    flash: bool | None = None,
) -> torch.Tensor:
    """Scaled dot-product attention in one of torch's fused kernels (Vaswani et al., 2017).

    Args:
        query: ``(batch, heads, queries, size)``.
        key: ``(batch, key heads, keys, size)``; `heads` is a multiple of the key heads.
        value: ``(batch, key heads, keys, value size)``.
        mask: boolean, broadcast to ``(batch, heads, queries, keys)``.
        causal: whether a query sees no later key.
        scale: factor of the scores.
        dropping: what to drop of the weights.
        flash: see `kernels_for`.

    Returns:
        ``(batch, heads, queries, value size)``.
    """
    if dropping.rate and not dropping.stream.is_global:
        return attend_with_weights(query, key, value, mask, causal, scale, dropping)[0]
    if causal and mask is not None:
        mask, causal = mask & causal_mask(query.shape[-2], key.shape[-2], query.device), False
    bias = None if mask is None else bias_of(mask, query.dtype)
    grouped = query.shape[1] != key.shape[1]
    with kernels_for(flash):
        return F.scaled_dot_product_attention(
            query, key, value, bias, dropping.rate, causal, scale=scale, enable_gqa=grouped
        )


def attend_with_weights(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    causal: bool,
    scale: float,
    dropping: Dropping,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same, step by step; also returns the weights ``(batch, heads, queries, keys)``, as they are before dropping.

    A query with nothing to attend to has weights of zero here.
    """
    if query.shape[1] != key.shape[1]:
        times = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
    scores = (query * scale) @ key.transpose(-2, -1)
    if causal:
        mask = combine(mask, causal_mask(query.shape[-2], key.shape[-2], query.device))
    if mask is None:
        weights = torch.softmax(scores, -1)
    else:
        weights = torch.where(mask, torch.softmax(scores + bias_of(mask, scores.dtype), -1), 0.0)
    return drop(weights, dropping) @ value, weights


def drop(weights: torch.Tensor, dropping: Dropping) -> torch.Tensor:
    """Drop weights and scale up the rest."""
    if not dropping.rate:
        return weights
    if dropping.stream.is_global:
        return F.dropout(weights, dropping.rate)
    keep = 1.0 - dropping.rate
    return weights * dropping.stream.bernoulli(weights, weights.shape, keep) / keep
