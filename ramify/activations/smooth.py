"""Activations without kinks."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ramify.activations.convert import Tensor, to_tensor
from ramify.registry import serializable

_MODULE = "keras.activations"


@serializable(_MODULE)
def linear(x: Tensor) -> Tensor:
    """`x` itself.

    >>> linear(torch.tensor([-1.0, 2.0]))
    tensor([-1.,  2.])
    """
    return x


@serializable(_MODULE)
def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``.

    >>> sigmoid(torch.tensor([-100.0, 0.0, 100.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return torch.sigmoid(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def log_sigmoid(x: Tensor) -> Tensor:
    """``log(sigmoid(x))``, without the underflow of computing it so.

    >>> log_sigmoid(torch.tensor([-1000.0, 1000.0]))
    tensor([-1000., 0.])
    """
    return F.logsigmoid(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent.

    >>> tanh(torch.tensor([-100.0, 0.0, 100.0]))
    tensor([-1.,  0.,  1.])
    """
    return torch.tanh(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def tanh_shrink(x: Tensor) -> Tensor:
    """``x - tanh(x)``.

    >>> tanh_shrink(torch.tensor([-100.0, 0.0, 100.0]))
    tensor([-99.,   0.,  99.])
    """
    return F.tanhshrink(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def exponential(x: Tensor) -> Tensor:
    """``exp(x)``.

    >>> exponential(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return torch.exp(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))`` (Glorot et al., 2011, "Deep sparse rectifier neural networks"); `x` itself above 20.

    >>> softplus(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    return F.softplus(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def softsign(x: Tensor) -> Tensor:
    """``x / (1 + abs(x))``.

    >>> softsign(torch.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5000,  0.0000,  0.7500])
    """
    return F.softsign(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE, "swish")
def silu(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``, also called swish (Ramachandran et al., 2017, https://arxiv.org/abs/1710.05941).

    >>> silu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return F.silu(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """`x` times the standard normal distribution function of `x` (Hendrycks & Gimpel, 2016, https://arxiv.org/abs/1606.08415).

    Args:
        x: tensor of any shape, of a float dtype.
        approximate: use ``0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))`` instead.

    Returns:
        A tensor of the same shape and dtype.

    >>> gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    return F.gelu(x if isinstance(x, Tensor) else to_tensor(x), approximate="tanh" if approximate else "none")


@serializable(_MODULE)
def mish(x: Tensor) -> Tensor:
    """``x * tanh(softplus(x))`` (Misra, 2019, https://arxiv.org/abs/1908.08681).

    >>> mish(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return F.mish(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """``(x + sqrt(x**2 + b)) / 2`` (Barron, 2021, https://arxiv.org/abs/2112.11687).

    Computed so that neither the square of a large number overflows nor the small results on the left lose their digits.

    Args:
        x: tensor of any shape, of a float dtype.
        b: width of the bend, not negative; with 0, this is `relu`.

    Returns:
        A tensor of the same shape and dtype.

    >>> squareplus(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([1.0000e-03, 1.0000e+00, 1.0000e+03])
    """
    if not isinstance(x, Tensor):
        x = to_tensor(x)
    if b == 0:
        return torch.relu(x)
    root = torch.hypot(x, torch.full_like(x, b**0.5))
    # (root + x)(root - x) = b: on the left, the quotient takes the place of a difference of near equals.
    return torch.where(x < 0, 0.5 * b / (root - x.clamp(max=0)), 0.5 * root + 0.5 * x)
