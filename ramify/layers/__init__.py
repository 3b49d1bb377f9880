"""Layers, one family per folder."""

from ramify.layers.core.dense import Dense
from ramify.layers.core.input_layer import Input, InputLayer
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.layers.merging.elementwise import Add

__all__ = ["Add", "Dense", "Input", "InputLayer", "InputSpec", "Layer"]
