"""Neural networks that branch: the Keras Functional API, native on PyTorch."""

from ramify import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    errors,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from ramify.constraints import Constraint
from ramify.dtype_policies import DTypePolicy
from ramify.graph import SymbolicTensor
from ramify.initializers import Initializer
from ramify.layers import Input, InputSpec, Layer
from ramify.losses import Loss
from ramify.metrics import Metric
from ramify.models import Functional, Model, Sequential
from ramify.optimizers import Optimizer
from ramify.regularizers import Regularizer
from ramify.version import __version__, version

KerasTensor = SymbolicTensor

__all__ = [
    "Constraint",
    "DTypePolicy",
    "Functional",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "SymbolicTensor",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "errors",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "version",
]
