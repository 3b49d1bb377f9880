"""Scaled dot-product attention."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from ramify.errors import ShapeError
from ramify.ops.convert import floating, like
from ramify.ops.op import op
from ramify.settings import is_flash_attention_enabled

__all__ = ["dot_product_attention"]

Tensor = torch.Tensor
_WITHOUT_FLASH = [SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def causal_mask(queries: int, keys: int, device: torch.device) -> Tensor:
    """True where a key is not later than the query, ``(queries, keys)``."""
    return torch.ones((queries, keys), dtype=torch.bool, device=device).tril()


def bias_of(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What to add to scores: 0 where the mask allows, a very negative number elsewhere.

    Finite, so that a query with nothing to attend to gets the mean of all values, and no NaN.
    """
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill_(~mask, torch.finfo(dtype).min)


def kernels_for(flash: bool | None) -> AbstractContextManager[None]:
    """The choice among torch's attention kernels: free, flash alone, or all but flash.

    The free choice is that of `config.disable_flash_attention` too.
    """
    if flash is None and is_flash_attention_enabled():
        return nullcontext()
    return sdpa_kernel(SDPBackend.FLASH_ATTENTION if flash else _WITHOUT_FLASH)


@op
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """A mean of the values for each query, weighted by how its scores with the keys compare.

    Source: Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; with fewer heads of keys, Ainslie et al., 2023,
    https://arxiv.org/abs/2305.13245.

    Args:
        query: tensor of shape ``(batch, queries, heads, size)``.
        key: tensor of shape ``(batch, keys, key heads, size)``; the heads are a multiple of the key heads.
        value: tensor of shape ``(batch, keys, key heads, value size)``.
        bias: added to the scores; broadcast to ``(batch, heads, queries, keys)``.
        mask: boolean: which keys a query may see; likewise.
        scale: factor of the scores, ``1 / sqrt(size)`` when not given.
        is_causal: whether a query sees no later key.
        flash_attention: insist on torch's flash kernel, or rule it out; free choice when not given.
        attn_logits_soft_cap: scores `s` become ``cap * tanh(s / cap)``.

    Returns:
        A tensor of shape ``(batch, queries, heads, value size)``.

    Raises:
        ShapeError: tensors that do not have four axes.

    >>> q = torch.ones(1, 2, 4, 8)
    >>> dot_product_attention(q, q, q).shape
    torch.Size([1, 2, 4, 8])
    """
    q, k, v = (floating(part) for part in like(query, key, value))
    if {q.ndim, k.ndim, v.ndim} != {4}:
        shapes = ", ".join(str(tuple(part.shape)) for part in (q, k, v))
        raise ShapeError(
            f"dot_product_attention takes (batch, length, heads, size) three times, but received {shapes}."
        )
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    allowed = None if mask is None else like(q, mask)[1].bool()
    added = None if bias is None else like(q, bias)[1].to(q.dtype)
    plain = allowed is None and added is None and attn_logits_soft_cap is None
    if is_causal and not plain:
        causal = causal_mask(q.shape[2], k.shape[2], q.device)
        allowed = causal if allowed is None else allowed & causal
    if allowed is not None:
        masking = bias_of(allowed, q.dtype)
        added = masking if added is None else torch.where(allowed, added, masking)
    if attn_logits_soft_cap is not None:
        return _capped(q, k, v, added, scale, attn_logits_soft_cap).transpose(1, 2)
    grouped = q.shape[1] != k.shape[1]
    with kernels_for(flash_attention):
        out = F.scaled_dot_product_attention(
            q, k, v, added, is_causal=is_causal and plain, scale=scale, enable_gqa=grouped
        )
    return out.transpose(1, 2)


def _capped(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float | None, cap: float) -> Tensor:
    """Attention step by step, for the scores to be bent on the way."""
    if q.shape[1] != k.shape[1]:
        times = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(times, 1), v.repeat_interleave(times, 1)
    scores = (q * (q.shape[-1] ** -0.5 if scale is None else scale)) @ k.transpose(-2, -1)
    scores = cap * torch.tanh(scores / cap)
    return torch.softmax(scores if bias is None else scores + bias, -1) @ v
