"""The functions of `ramify.ops` that follow NumPy, one file for each family; all public as `ramify.ops.<name>` too."""

# ruff: noqa: F403 - the lists of the modules are the list
from ramify.ops.numpy import (
    arithmetic,
    creation,
    indexing,
    joining,
    linear,
    logic,
    missing,
    padding,
    reductions,
    scans,
    shaping,
    sorting,
    statistics,
    trigonometry,
    unary,
    vectorizing,
    windows,
)
from ramify.ops.numpy.arithmetic import *
from ramify.ops.numpy.creation import *
from ramify.ops.numpy.indexing import *
from ramify.ops.numpy.joining import *
from ramify.ops.numpy.linear import *
from ramify.ops.numpy.logic import *
from ramify.ops.numpy.missing import *
from ramify.ops.numpy.padding import *
from ramify.ops.numpy.reductions import *
from ramify.ops.numpy.scans import *
from ramify.ops.numpy.shaping import *
from ramify.ops.numpy.sorting import *
from ramify.ops.numpy.statistics import *
from ramify.ops.numpy.trigonometry import *
from ramify.ops.numpy.unary import *
from ramify.ops.numpy.vectorizing import *
from ramify.ops.numpy.windows import *

__all__: list[str] = []
__all__ += arithmetic.__all__
__all__ += creation.__all__
__all__ += indexing.__all__
__all__ += joining.__all__
__all__ += linear.__all__
__all__ += logic.__all__
__all__ += missing.__all__
__all__ += padding.__all__
__all__ += reductions.__all__
__all__ += scans.__all__
__all__ += shaping.__all__
__all__ += sorting.__all__
__all__ += statistics.__all__
__all__ += trigonometry.__all__
__all__ += unary.__all__
__all__ += vectorizing.__all__
__all__ += windows.__all__
