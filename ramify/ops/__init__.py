"""Operations on tensors under Keras's names, thin over torch. All take symbolic tensors too."""

# ruff: noqa: F403 - the lists of the modules are the list
from ramify.ops import control, convert, fourier, image, indexing, linalg, math, nn, numpy, patterns
from ramify.ops.control import *
from ramify.ops.convert import *
from ramify.ops.fourier import *
from ramify.ops.indexing import *
from ramify.ops.linalg import *
from ramify.ops.math import *
from ramify.ops.nn import *
from ramify.ops.numpy import *
from ramify.ops.patterns import *

__all__ = ["image", "linalg", "nn", "numpy"]
__all__ += control.__all__
__all__ += convert.__all__
__all__ += fourier.__all__
__all__ += indexing.__all__
__all__ += linalg.__all__
__all__ += math.__all__
__all__ += nn.__all__
__all__ += numpy.__all__
__all__ += patterns.__all__
