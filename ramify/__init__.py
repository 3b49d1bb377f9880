"""Neural networks that branch: the Keras Functional API, native on PyTorch."""

from ramify.startup import uncollected as _uncollected

with _uncollected():
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
        quantizers,
        random,
        regularizers,
        saving,
        tree,
        utils,
        visualization,
        wrappers,
    )
    from ramify.constraints import Constraint
    from ramify.dtype_policies import DTypePolicy, FloatDTypePolicy
    from ramify.graph import SymbolicTensor
    from ramify.initializers import Initializer
    from ramify.layers import Input, InputSpec, Layer
    from ramify.layers.operation import Operation
    from ramify.layers.remat import remat
    from ramify.losses import Loss
    from ramify.metrics import Metric
    from ramify.models import Function, Functional, Model, Sequential
    from ramify.optimizers import Optimizer
    from ramify.quantizers import Quantizer
    from ramify.regularizers import Regularizer
    from ramify.scopes import RematScope, StatelessScope, SymbolicScope, device, name_scope
    from ramify.variables import Variable
    from ramify.version import __version__, version

KerasTensor = SymbolicTensor

__all__ = [
    "Constraint",
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "Functional",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Quantizer",
    "Regularizer",
    "RematScope",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
    "SymbolicTensor",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "device",
    "dtype_policies",
    "errors",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "quantizers",
    "random",
    "regularizers",
    "remat",
    "saving",
    "tree",
    "utils",
    "version",
    "visualization",
    "wrappers",
]
