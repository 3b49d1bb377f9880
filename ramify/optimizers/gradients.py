"""What is done to gradients before the step: made fit for the kernels, clipped. All on whole lists of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

Tensors = list[torch.Tensor]


def prepare(grads: Sequence[Any], variables: Sequence[torch.Tensor]) -> Tensors:
    """Gradients of the variables' dtypes, dense, and in memory as the variables are.

    torch's fused kernels walk over memory, so that a transposed gradient would be added in the wrong places.
    """
    out: Tensors = []
    for grad, variable in zip(grads, variables, strict=True):
        g = grad if isinstance(grad, torch.Tensor) else torch.as_tensor(grad, device=variable.device)
        if g.layout != torch.strided:
            g = g.to_dense()
        if g.dtype != variable.dtype:
            g = g.to(variable.dtype)
        out.append(g if g.stride() == variable.stride() else _like(g, variable))
    return out


def _like(grad: torch.Tensor, variable: torch.Tensor) -> torch.Tensor:
    """The gradient in memory as the variable is; steps along axes of one do not matter."""
    if grad.shape != variable.shape:
        return grad.contiguous()
    steps = zip(grad.shape, grad.stride(), variable.stride(), strict=True)
    if all(size == 1 or one == other for size, one, other in steps):
        return grad
    return torch.empty_like(variable).copy_(grad)


def clip_each_norm(grads: Tensors, limit: float) -> Tensors:
    """Each gradient scaled down to a norm of at most `limit`."""
    norms = torch._foreach_norm(grads)
    factors = [torch.where(norm > limit, limit / norm, 1.0).to(g.dtype) for norm, g in zip(norms, grads, strict=True)]
    return list(torch._foreach_mul(grads, factors))


def clip_global_norm(grads: Tensors, limit: float) -> Tensors:
    """All gradients scaled down by one factor, so that their norm together is at most `limit`."""
    norms = torch._foreach_norm(grads)
    device = norms[0].device
    total = torch.stack([norm.to(device, torch.float32) for norm in norms]).norm()
    # An infinite norm gives NaN, as it should: a diverged step must not pass for a small one.
    factor = limit * torch.minimum(1.0 / total, total.new_tensor(1.0 / limit)) + (total - total)
    return [g * factor.to(g.device, g.dtype) for g in grads]


def clip_values(grads: Tensors, limit: float) -> Tensors:
    """Every number clipped to ``[-limit, limit]``."""
    clipped = torch._foreach_clamp_max(grads, limit)
    torch._foreach_clamp_min_(clipped, -limit)
    return list(clipped)
