"""Operations on tensors under Keras's names, thin over torch."""

from ramify.ops import numpy
from ramify.ops.numpy import *  # noqa: F403
from ramify.ops.numpy import __all__ as _numpy

__all__ = ["numpy", *_numpy]
