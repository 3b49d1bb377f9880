"""Sequences of different lengths."""

from ramify.utils.arrays import pad_sequences

__all__ = ["pad_sequences"]
