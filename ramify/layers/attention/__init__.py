"""Attention, with and without projections."""

from ramify.layers.attention.attention import AdditiveAttention, Attention
from ramify.layers.attention.multi_head import GroupQueryAttention, MultiHeadAttention

__all__ = ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention"]
