"""Shapes of convolutions, pooling and embeddings, by the formulas in torch's documentation.

PyTorch's kernels for tensors without data know them, too, but the first of these calls in a process imports sympy and
the compiler: 0.6 s and more, half of what building a ResNet-50 took. As in `ramify.graph.quick`, the rules answer in
plain cases only and return ``None`` otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor


def slid(sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool = False) -> list[int] | None:
    """The sizes that a window leaves which slides over some axes; ``None`` where it does not fit.

    With `ceil`, a last window may reach over the end, if it begins before it.

    >>> slid((32, 32), (3, 3), 2, (1, 1), 1)
    [16, 16]
    """
    given = [(v,) * len(sizes) if isinstance(v, int) else v for v in (kernel, stride, padding, dilation)]
    if any(not isinstance(v, (tuple, list)) or len(v) != len(sizes) for v in given) or min(given[1]) < 1:
        return None
    found = []
    for n, k, s, p, d in zip(sizes, *given, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        steps = -(-room // s) if ceil else room // s
        if room < 0:
            return None
        found.append(steps if ceil and steps * s >= n + p else steps + 1)
    return found if min(found) > 0 else None


def _convolved(
    x: Tensor, filters: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor | None:
    fits = filters.ndim == x.ndim and filters.dtype == x.dtype and x.is_floating_point() and groups > 0
    if not fits or x.shape[1] != filters.shape[1] * groups or filters.shape[0] % groups:
        return None
    sizes = slid(tuple(x.shape[2:]), tuple(filters.shape[2:]), stride, padding, dilation)
    if sizes is None or not (bias is None or bias.shape == filters.shape[:1]):
        return None
    return torch.empty((x.shape[0], filters.shape[0], *sizes), dtype=x.dtype, device="meta")


def _pooled(
    x: Tensor,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    **more: Any,
) -> Tensor | None:
    halved = padding if isinstance(padding, int) else max(padding)
    least = kernel if isinstance(kernel, int) else min(kernel)
    plain = x.ndim == 4 and x.is_floating_point() and not any(more.values()) and 2 * halved <= least
    if not plain:
        return None
    sizes = slid(tuple(x.shape[2:]), kernel, kernel if stride is None else stride, padding, dilation, ceil_mode)
    return None if sizes is None else torch.empty((*x.shape[:2], *sizes), dtype=x.dtype, device="meta")


def _embedded(indices: Tensor, weight: Tensor, *_: Any, **options: Any) -> Tensor | None:
    plain = weight.ndim == 2 and indices.dtype in (torch.int32, torch.int64) and options.get("max_norm") is None
    return torch.empty((*indices.shape, weight.shape[1]), dtype=weight.dtype, device="meta") if plain else None


WINDOWS: dict[Any, Callable[..., Tensor | None]] = {
    F.conv1d: _convolved,
    F.conv2d: _convolved,
    F.conv3d: _convolved,
    F.max_pool2d: _pooled,
    torch.max_pool2d: _pooled,
    F.embedding: _embedded,
}
