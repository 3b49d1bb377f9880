"""Helpers that stand beside models."""

from ramify.visualize.plot import plot_model

__all__ = ["plot_model"]
