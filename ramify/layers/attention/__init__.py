"""Attention, with and without projections."""

from ramify.layers.attention.attention import AdditiveAttention, Attention
from ramify.layers.attention.grouped_query import GroupQueryAttention
from ramify.layers.attention.multi_head import MultiHeadAttention

__all__ = ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention"]
