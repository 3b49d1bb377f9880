"""Activations that are layers: those with arguments, weights or masks."""

from ramify.layers.activations.rectified import ELU, LeakyReLU, PReLU, ReLU
from ramify.layers.activations.softmax import Softmax

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]
