"""Cross-entropies and the like, number by number: nothing is averaged over the batch."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes
from ramify.errors import ShapeError
from ramify.ops.convert import floating, like
from ramify.ops.op import op

__all__ = ["binary_crossentropy", "categorical_crossentropy", "psnr", "sparse_categorical_crossentropy"]

Tensor = torch.Tensor


def _pair(target: Any, output: Any, who: str) -> tuple[Tensor, Tensor]:
    target, output = like(target, output)
    if target.shape != output.shape:
        shapes = f"{tuple(target.shape)} and {tuple(output.shape)}"
        raise ShapeError(f"{who} takes a target and an output of one shape, but received {shapes}.")
    output = floating(output)
    return target.to(output.dtype), output


def _log_probabilities(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return torch.log_softmax(output, axis)
    small = dtypes.epsilon()
    return (output / output.sum(axis, keepdim=True)).clamp(small, 1.0 - small).log()


@op
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Minus the sum of ``target * log(output)`` over the classes.

    Args:
        target: probabilities (or ones and zeros) of shape ``(..., classes)``.
        output: probabilities, which are divided by their sum and clipped to ``[epsilon, 1 - epsilon]``, or logits.
        from_logits: whether they are logits.
        axis: the axis of the classes.

    Returns:
        A tensor without that axis.

    >>> categorical_crossentropy(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5]))
    tensor(0.6931)
    """
    target, output = _pair(target, output, "categorical_crossentropy")
    return -(target * _log_probabilities(output, from_logits, axis)).sum(axis)


@op
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Minus the logarithm of the probability of one class.

    Args:
        target: whole numbers, the shape of `output` without the classes (or with one in their place).
        output: probabilities or logits of shape ``(..., classes)``, as in `categorical_crossentropy`.
        from_logits: whether they are logits.
        axis: the axis of the classes.

    Returns:
        A tensor without that axis.

    >>> sparse_categorical_crossentropy(torch.tensor(1), torch.tensor([0.5, 0.5]))
    tensor(0.6931)
    """
    target, output = like(target, output)
    output = floating(output)
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = target.squeeze(axis)
    rest = [size for i, size in enumerate(output.shape) if i != axis % output.ndim]
    if list(target.shape) != rest:
        shapes = f"{tuple(target.shape)} and {tuple(output.shape)}"
        raise ShapeError(f"sparse_categorical_crossentropy takes one target for all classes, but received {shapes}.")
    chosen = _log_probabilities(output, from_logits, axis).gather(axis, target.long().unsqueeze(axis))
    return -chosen.squeeze(axis)


@op
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """``-(t log p + (1 - t) log(1 - p))``, number by number.

    Args:
        target: numbers from 0 to 1.
        output: probabilities, which are clipped to ``[epsilon, 1 - epsilon]``, or logits; of the same shape.
        from_logits: whether they are logits.

    Returns:
        A tensor of the same shape.

    >>> binary_crossentropy(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]))
    tensor([0.6931, 0.6931])
    """
    target, output = _pair(target, output, "binary_crossentropy")
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    small = dtypes.epsilon()
    return F.binary_cross_entropy(output.clamp(small, 1.0 - small), target, reduction="none")


@op
def psnr(x1: Any, x2: Any, max_val: float) -> Tensor:
    """Peak signal-to-noise ratio in decibels, ``20 log10(max_val) - 10 log10(mean((x1 - x2)**2))``.

    Args:
        x1: tensor of any shape.
        x2: tensor of the same shape.
        max_val: the largest value that there can be.

    Returns:
        A scalar.

    >>> psnr(torch.zeros(2), torch.ones(2), 1.0)
    tensor(0.)
    """
    x1, x2 = _pair(x1, x2, "psnr")
    peak = torch.as_tensor(max_val, dtype=x2.dtype, device=x2.device)
    return 20.0 * torch.log10(peak) - 10.0 * torch.log10((x1 - x2).square().mean())
