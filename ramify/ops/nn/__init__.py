"""Operations of neural networks."""

# ruff: noqa: F403 - the lists of the modules are the list
from ramify.ops.nn import activations, attention, ctc, encoding, losses, normalization, pooling
from ramify.ops.nn.activations import *
from ramify.ops.nn.attention import *
from ramify.ops.nn.conv import conv, conv_transpose, depthwise_conv, separable_conv
from ramify.ops.nn.ctc import *
from ramify.ops.nn.encoding import *
from ramify.ops.nn.losses import *
from ramify.ops.nn.normalization import *
from ramify.ops.nn.pooling import *

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]
__all__ += activations.__all__
__all__ += attention.__all__
__all__ += ctc.__all__
__all__ += encoding.__all__
__all__ += losses.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
