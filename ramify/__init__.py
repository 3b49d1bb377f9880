"""Neural networks that branch: the Keras Functional API, native on PyTorch."""

from ramify import activations, constraints, dtype_policies, errors, initializers, layers, models, regularizers
from ramify.dtype_policies import DTypePolicy
from ramify.graph import SymbolicTensor
from ramify.layers import Input, InputSpec, Layer
from ramify.models import Functional, Model, Sequential

KerasTensor = SymbolicTensor
__version__ = "0.1.0"

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
    "activations",
    "constraints",
    "dtype_policies",
    "errors",
    "initializers",
    "layers",
    "models",
    "regularizers",
]
