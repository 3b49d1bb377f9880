"""Layers, one family per folder: what a family lists in its `__all__` is public here, too."""

# ruff: noqa: F403 - the lists of the families are the list
from ramify.layers import (
    activations,
    attention,
    convolutional,
    core,
    foreign,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
)
from ramify.layers.activations import *
from ramify.layers.attention import *
from ramify.layers.convolutional import *
from ramify.layers.core import *
from ramify.layers.foreign import *
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.layers.merging import *
from ramify.layers.normalization import *
from ramify.layers.pooling import *
from ramify.layers.preprocessing import *
from ramify.layers.recurrent import *
from ramify.layers.regularization import *
from ramify.layers.reshaping import *
from ramify.layers.serialization import deserialize, serialize

__all__ = ["InputSpec", "Layer", "deserialize", "serialize"]
__all__ += activations.__all__
__all__ += attention.__all__
__all__ += convolutional.__all__
__all__ += core.__all__
__all__ += foreign.__all__
__all__ += merging.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
__all__ += preprocessing.__all__
__all__ += recurrent.__all__
__all__ += regularization.__all__
__all__ += reshaping.__all__
