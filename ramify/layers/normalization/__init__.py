"""Layers that bring their input to a standard mean, variance or length."""

from ramify.layers.normalization.batch import BatchNormalization
from ramify.layers.normalization.group_norm import GroupNormalization
from ramify.layers.normalization.layer_norm import LayerNormalization
from ramify.layers.normalization.length import RMSNormalization, UnitNormalization
from ramify.layers.normalization.spectral import SpectralNormalization

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization", "SpectralNormalization",
    "UnitNormalization",
]  # fmt: skip
