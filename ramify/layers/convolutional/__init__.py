"""Convolutions: plain, transposed, depthwise and separable."""

# ruff: noqa: F403 - the lists of the modules are the list
from ramify.layers.convolutional import conv, conv_transpose, depthwise_conv, separable_conv
from ramify.layers.convolutional.conv import *
from ramify.layers.convolutional.conv_transpose import *
from ramify.layers.convolutional.depthwise_conv import *
from ramify.layers.convolutional.separable_conv import *

__all__: list[str] = []
__all__ += conv.__all__
__all__ += conv_transpose.__all__
__all__ += depthwise_conv.__all__
__all__ += separable_conv.__all__
