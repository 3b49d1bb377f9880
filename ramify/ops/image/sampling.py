"""Resampling along one axis with a kernel, as a product with a matrix of weights.

Source: Keys, 1981, "Cubic convolution interpolation for digital image processing"; Duchon, 1979, "Lanczos filtering in
one and two dimensions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Tensor = torch.Tensor


def _linear(x: Tensor) -> Tensor:
    return (1 - x).clamp(min=0)


def _cubic(x: Tensor) -> Tensor:
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))


def _lanczos(radius: float) -> Callable[[Tensor], Tensor]:
    def kernel(x: Tensor) -> Tensor:
        return torch.where(x <= radius, torch.sinc(x) * torch.sinc(x / radius), 0.0)

    return kernel


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {
    **dict.fromkeys(("linear", "bilinear", "trilinear"), _linear),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic),
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
}


def resampled(x: Tensor, axis: int, length: int, scale: Any, shift: Any, method: str, antialias: bool) -> Tensor:
    """A tensor scaled and moved along one axis.

    Args:
        x: float tensor.
        axis: which axis.
        length: its size in the result.
        scale: the factor.
        shift: how far to move, in elements of the result.
        method: name of a kernel.
        antialias: whether the kernel grows with the reduction.
    """
    size = x.shape[axis]
    inverse = 1.0 / torch.as_tensor(scale, dtype=x.dtype, device=x.device)
    width = inverse.clamp(min=1.0) if antialias else torch.ones_like(inverse)
    middle = (torch.arange(length, dtype=x.dtype, device=x.device) + 0.5) * inverse - shift * inverse - 0.5
    distance = (middle - torch.arange(size, dtype=x.dtype, device=x.device).unsqueeze(1)).abs() / width
    weights = KERNELS[method](distance)
    total = weights.sum(0, keepdim=True)
    small = 1000.0 * torch.finfo(x.dtype).eps
    weights = torch.where(total.abs() > small, weights / torch.where(total != 0, total, 1.0), 0.0)
    inside = (middle >= -0.5) & (middle <= size - 0.5)
    return torch.tensordot(x, torch.where(inside, weights, 0.0), ([axis], [0])).movedim(-1, axis)
