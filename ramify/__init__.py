"""Neural networks that branch: the Keras Functional API, native on PyTorch."""

from ramify import activations, constraints, dtype_policies, errors, initializers, layers, models, regularizers
from ramify.dtype_policies import DTypePolicy
from ramify.graph import SymbolicTensor
from ramify.layers import Input, InputSpec, Layer
from ramify.models import Functional, Model, Sequential
from ramify.version import __version__

KerasTensor = SymbolicTensor


__all__ = [
    "DTypePolicy",
    "Functional",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Model",
    "Sequential",
    "SymbolicTensor",
    "__version__",
    "activations",
    "constraints",
    "dtype_policies",
    "errors",
    "initializers",
    "layers",
    "models",
    "regularizers",
]
