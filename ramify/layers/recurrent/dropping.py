"""Dropout as factors, so that the same parts can be dropped at every step."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ramify.seeds import Stream


def dropout_mask(stream: Stream, like: torch.Tensor, rate: float) -> torch.Tensor:
    """Factors of the shape of `like`: 0 with probability `rate`, else ``1 / (1 - rate)``."""
    if stream.is_global:
        return F.dropout(torch.ones_like(like), rate)
    if rate >= 1:
        return torch.zeros_like(like)
    return stream.bernoulli(like, like.shape, 1 - rate) / (1 - rate)
