"""Activations made of straight lines and exponentials: the family of `relu`, and what cuts values off."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ramify.activations.convert import Tensor, to_tensor
from ramify.registry import serializable

_MODULE = "keras.activations"


@serializable(_MODULE)
def relu(x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Rectified linear unit: ``max(x, 0)`` (Nair & Hinton, 2010), with options.

    Args:
        x: tensor of any shape.
        negative_slope: values up to `threshold` become ``negative_slope * (x - threshold)``.
        max_value: values above `threshold` are cut off at 0 and here.
        threshold: values above it stay what they are.

    Returns:
        A tensor of the same shape and dtype.

    >>> relu(torch.tensor([-1.0, 0.5, 9.0]), max_value=6.0)
    tensor([0.0000, 0.5000, 6.0000])
    """
    if not isinstance(x, Tensor):
        x = to_tensor(x)
    if threshold == 0 and max_value is None:
        return F.leaky_relu(x, negative_slope) if negative_slope else torch.relu(x)
    y = F.threshold(x, threshold, 0) if threshold else torch.relu(x)
    if max_value is not None:
        y = y.clamp(0, max_value)
    return y - negative_slope * torch.relu(threshold - x) if negative_slope else y


@serializable(_MODULE)
def relu6(x: Tensor) -> Tensor:
    """`relu` cut off at 6: ``min(max(x, 0), 6)`` (Krizhevsky, 2010, "Convolutional deep belief networks on CIFAR-10").

    >>> relu6(torch.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """
    return F.relu6(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """`x` above zero, ``negative_slope * x`` below (Maas et al., 2013, "Rectifier nonlinearities").

    Args:
        x: tensor of any shape.
        negative_slope: slope below zero.

    Returns:
        A tensor of the same shape and dtype.

    >>> leaky_relu(torch.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """
    return F.leaky_relu(x if isinstance(x, Tensor) else to_tensor(x), negative_slope)


@serializable(_MODULE)
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` above zero, ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016, https://arxiv.org/abs/1511.07289).

    Args:
        x: tensor of any shape, of a float dtype.
        alpha: minus the limit on the left.

    Returns:
        A tensor of the same shape and dtype.

    >>> elu(torch.tensor([-100.0, 2.0]))
    tensor([-1.,  2.])
    """
    return F.elu(x if isinstance(x, Tensor) else to_tensor(x), alpha)


@serializable(_MODULE)
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """`x` above zero, ``alpha * (exp(x / alpha) - 1)`` below (Barron, 2017, https://arxiv.org/abs/1704.07483).

    Args:
        x: tensor of any shape, of a float dtype.
        alpha: minus the limit on the left, not zero.

    Returns:
        A tensor of the same shape and dtype, with a slope of 1 at zero whatever alpha is.

    >>> celu(torch.tensor([-100.0, 2.0]), alpha=0.5)
    tensor([-0.5000,  2.0000])
    """
    return torch.celu(x if isinstance(x, Tensor) else to_tensor(x), alpha)


@serializable(_MODULE)
def selu(x: Tensor) -> Tensor:
    """`elu` scaled so that mean 0 and variance 1 are kept (Klambauer et al., 2017, https://arxiv.org/abs/1706.02515).

    Meant for weights from `LecunNormal`, and `AlphaDropout`.

    >>> selu(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.0507])
    """
    return torch.selu(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """`x` where it is above a threshold, another value elsewhere.

    Args:
        x: tensor of any shape.
        threshold: what stays must be above it.
        default_value: what takes the place of the rest.

    Returns:
        A tensor of the same shape and dtype.

    >>> threshold(torch.tensor([1.0, 3.0]), 2.0, -1.0)
    tensor([-1.,  3.])
    """
    return F.threshold(x if isinstance(x, Tensor) else to_tensor(x), threshold, default_value)


@serializable(_MODULE)
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Zero within plus and minus a threshold, `x` outside.

    >>> hard_shrink(torch.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return F.hardshrink(x if isinstance(x, Tensor) else to_tensor(x), threshold)


@serializable(_MODULE)
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """`x` moved towards zero by a threshold, and zero within it.

    >>> soft_shrink(torch.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    return F.softshrink(x if isinstance(x, Tensor) else to_tensor(x), threshold)


@serializable(_MODULE)
def hard_tanh(x: Tensor) -> Tensor:
    """`x` cut off at -1 and 1.

    >>> hard_tanh(torch.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return F.hardtanh(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def hard_sigmoid(x: Tensor) -> Tensor:
    """``x / 6 + 1 / 2``, cut off at 0 and 1.

    >>> hard_sigmoid(torch.tensor([-3.0, 0.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return F.hardsigmoid(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE, "hard_swish")
def hard_silu(x: Tensor) -> Tensor:
    """``x * hard_sigmoid(x)`` (Howard et al., 2019, "MobileNetV3", https://arxiv.org/abs/1905.02244).

    >>> hard_silu(torch.tensor([-3.0, 0.0, 3.0]))
    tensor([-0., 0., 3.])
    """
    return F.hardswish(x if isinstance(x, Tensor) else to_tensor(x))


@serializable(_MODULE)
def sparse_sigmoid(x: Tensor) -> Tensor:
    """``(x + 1) / 2``, cut off at 0 and 1.

    >>> sparse_sigmoid(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return F.hardtanh(x if isinstance(x, Tensor) else to_tensor(x)) * 0.5 + 0.5


@serializable(_MODULE)
def sparse_plus(x: Tensor) -> Tensor:
    """Zero up to -1, ``(x + 1)**2 / 4`` from there to 1, `x` beyond: the integral of `sparse_sigmoid`.

    >>> sparse_plus(torch.tensor([-2.0, 0.0, 2.0]))
    tensor([0.0000, 0.2500, 2.0000])
    """
    if not isinstance(x, Tensor):
        x = to_tensor(x)
    return torch.where(x >= 1, x, (F.hardtanh(x) * 0.5 + 0.5).square())
