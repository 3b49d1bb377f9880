"""Layers that make training harder, so that what is learned holds elsewhere."""

from ramify.layers.regularization.dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from ramify.layers.regularization.noise import ActivityRegularization, AlphaDropout, GaussianDropout, GaussianNoise

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip
