"""Activations under their names among the operations.

They are those of `ramify.activations`; only the two whose arguments or defaults differ here have a definition of their
own. None needs `op`: on symbolic tensors, the torch functions that they call are recorded.
"""

from __future__ import annotations

from typing import Any

import torch

from ramify import activations
from ramify.activations import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold",
]  # fmt: skip

swish = silu
hard_swish = hard_silu


def relu(x: Any) -> torch.Tensor:
    """``max(x, 0)``.

    >>> relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return activations.relu(x)


def gelu(x: Any, approximate: bool = True) -> torch.Tensor:
    """`ramify.activations.gelu`, by its approximation with ``tanh`` unless told otherwise.

    >>> gelu(torch.tensor([-1.0, 1.0]))
    tensor([-0.1588,  0.8412])
    """
    return activations.gelu(x, approximate)
