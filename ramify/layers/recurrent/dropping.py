"""Dropout as factors, so that the same parts can be dropped at every step."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ramify.graph import is_probing
from ramify.layers.layer import Layer


def dropout_mask(layer: Layer, like: torch.Tensor, rate: float) -> torch.Tensor:
    """Factors of the shape of `like`: 0 with probability `rate`, else ``1 / (1 - rate)``.

    Draws from torch's global generator, or from the layer's own stream where it has a whole-number `seed`.
    """
    seed = getattr(layer, "seed", None)
    if seed is None or is_probing():
        return F.dropout(torch.ones_like(like), rate)
    if rate >= 1:
        return torch.zeros_like(like)
    streams = layer.__dict__.setdefault("_streams", {})
    stream = streams.get(like.device)
    if stream is None:
        start = seed if isinstance(seed, int) else int(seed.get_config()["seed"])
        stream = streams[like.device] = torch.Generator(like.device).manual_seed(start)
    return torch.empty_like(like).bernoulli_(1 - rate, generator=stream).div_(1 - rate)
