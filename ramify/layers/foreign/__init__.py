"""Layers around models of other frameworks; each needs the optional package of its framework, and nothing else does."""

from ramify.layers.foreign.flax_layer import FlaxLayer
from ramify.layers.foreign.jax_layer import JaxLayer
from ramify.layers.foreign.tfsm_layer import TFSMLayer

__all__ = ["FlaxLayer", "JaxLayer", "TFSMLayer"]
