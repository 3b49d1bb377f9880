"""Shape rules for a few functions, because a measurement says that they pay.

With torch 2.13, most element-wise functions take 0.3 to 0.9 ms through PyTorch's meta kernels, and the first call of
some imports the compiler, which takes 1.3 s. These rules take microseconds. Each answers in the plain cases only and
returns ``None`` otherwise, so that everything else, errors included, is left to the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from ramify.window_shapes import WINDOWS

Tensor = torch.Tensor
META = torch.device("meta")


def _empty(shape: Any, like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=META)


def _same(x: Any, *_: Any, **__: Any) -> Tensor | None:
    """One floating tensor in, one of the same shape and dtype out."""
    return _empty(x.shape, x) if isinstance(x, Tensor) and x.is_floating_point() else None


def _softmax(x: Any, dim: Any = None, *_: Any, dtype: Any = None, **__: Any) -> Tensor | None:
    return _same(x) if dtype is None and isinstance(dim, int) and -x.ndim <= dim < x.ndim else None


def _binary(x: Any, y: Any, **options: Any) -> Tensor | None:
    if options:
        return None
    if not isinstance(y, Tensor):
        return _same(x) if isinstance(y, (int, float)) else None
    if not isinstance(x, Tensor):
        return _same(y) if isinstance(x, (int, float)) else None
    if x.dtype != y.dtype or not x.is_floating_point():
        return None
    if x.shape == y.shape:
        return _empty(x.shape, x)
    try:
        return _empty(torch.broadcast_shapes(x.shape, y.shape), x)  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None


def _cat(tensors: Any, dim: int = 0, **options: Any) -> Tensor | None:
    first = tensors[0]
    if options or not isinstance(dim, int) or not -first.ndim <= dim < first.ndim:
        return None
    axis, total, shape = dim % first.ndim, 0, list(first.shape)
    for t in tensors:
        if t.dtype != first.dtype or [*t.shape[:axis], *t.shape[axis + 1 :]] != shape[:axis] + shape[axis + 1 :]:
            return None
        total += t.shape[axis]
    return _empty((*shape[:axis], total, *shape[axis + 1 :]), first)


def _stack(tensors: Any, dim: int = 0, **options: Any) -> Tensor | None:
    first = tensors[0]
    if options or any(t.shape != first.shape or t.dtype != first.dtype for t in tensors):
        return None
    if not -first.ndim <= dim + 1 <= first.ndim + 1:
        return None
    shape = list(first.shape)
    shape.insert(dim if dim >= 0 else dim + first.ndim + 1, len(tensors))
    return _empty(shape, first)


def _reduced(x: Any, dim: Any = None, keepdim: bool = False, **options: Any) -> Tensor | None:
    """The mean or the sum over some axes of a floating tensor."""
    axes = (dim,) if isinstance(dim, int) else dim
    if options or not x.is_floating_point() or not isinstance(axes, (tuple, list)) or not axes:
        return None
    if any(not -x.ndim <= axis < x.ndim for axis in axes):
        return None
    gone = {axis % x.ndim for axis in axes}
    sizes = [1 if i in gone else size for i, size in enumerate(x.shape) if keepdim or i not in gone]
    return _empty(sizes, x)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor | None:
    if x.ndim < 1 or weight.ndim != 2 or x.shape[-1] != weight.shape[1] or x.dtype != weight.dtype:
        return None
    fits = bias is None or bias.shape == weight.shape[:1]
    return _empty((*x.shape[:-1], weight.shape[0]), x) if fits else None


def _addmm(bias: Tensor, x: Tensor, weight: Tensor, **options: Any) -> Tensor | None:
    plain = not options and x.ndim == weight.ndim == 2 and bias.shape == weight.shape[1:] and x.dtype == weight.dtype
    return _empty((x.shape[0], weight.shape[1]), x) if plain and x.shape[1] == weight.shape[0] else None


def _batch_norm(x: Tensor, mean: Any, var: Any, weight: Any = None, bias: Any = None, *_: Any, **__: Any) -> Any:
    fits = all(t is None or t.shape == x.shape[1:2] for t in (mean, var, weight, bias))
    return _same(x) if fits else None


def _normalized(x: Tensor, sizes: Any, *_: Any, **__: Any) -> Tensor | None:
    return _same(x) if 0 < len(sizes) <= x.ndim and tuple(x.shape[-len(sizes) :]) == tuple(sizes) else None


def _group_norm(x: Tensor, groups: int, *_: Any, **__: Any) -> Tensor | None:
    return _same(x) if x.ndim > 1 and groups > 0 and x.shape[1] % groups == 0 else None


def _attention(q: Tensor, k: Tensor, v: Tensor, *_: Any, **options: Any) -> Tensor | None:
    same = q.ndim == 4 and q.shape[:2] == k.shape[:2] == v.shape[:2] and q.dtype == k.dtype == v.dtype
    fits = same and k.ndim == v.ndim == 4 and q.shape[3] == k.shape[3] and k.shape[2] == v.shape[2]
    return _empty((*q.shape[:3], v.shape[3]), q) if fits and not options.get("enable_gqa") else None


def _sampled(x: Tensor, grid: Tensor, *_: Any, **__: Any) -> Tensor | None:
    fits = x.ndim == grid.ndim == 4 and x.shape[0] == grid.shape[0] and grid.shape[3] == 2 and x.dtype == grid.dtype
    return _empty((*x.shape[:2], *grid.shape[1:3]), x) if fits else None


def _resized(x: Tensor, size: Any = None, scale_factor: Any = None, **__: Any) -> Tensor | None:
    plain = scale_factor is None and isinstance(size, tuple) and x.ndim == len(size) + 2 and min(size) > 0
    return _empty((*x.shape[:2], *size), x) if plain and x.is_floating_point() else None


QUICK: dict[Any, Callable[..., Tensor | None]] = WINDOWS | {
    F.linear: _linear,
    torch.addmm: _addmm,
    F.batch_norm: _batch_norm,
    torch.batch_norm: _batch_norm,
    torch.layer_norm: _normalized,
    torch.rms_norm: _normalized,
    torch.group_norm: _group_norm,
    F.softmax: _softmax,
    F.scaled_dot_product_attention: _attention,
    F.grid_sample: _sampled,
    F.interpolate: _resized,
}
_RULES: list[tuple[Callable[..., Any], list[Any], str]] = [
    (_same, [torch, Tensor], "relu sigmoid tanh exp log sqrt rsqrt square abs neg sin cos erf log1p expm1 selu"),
    (_same, [F], "relu gelu silu elu selu softplus leaky_relu mish relu6 hardswish hardsigmoid logsigmoid dropout"),
    (_binary, [torch, Tensor], "add sub mul div maximum minimum true_divide"),
    (_binary, [Tensor], "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__"),
    (_reduced, [torch, Tensor], "mean sum"),
    (_softmax, [torch, Tensor], "softmax log_softmax"),
    (_cat, [torch], "cat concat concatenate"),
    (_stack, [torch], "stack"),
]
# What is known of a tensor, real or not, needs no tensor without data in its place.
QUICK |= {ask: ask for ask in (Tensor.ndim.__get__, Tensor.shape.__get__, Tensor.dtype.__get__)}  # type: ignore[attr-defined]
for _rule, _spaces, _names in _RULES:
    QUICK |= {getattr(space, name): _rule for space in _spaces for name in _names.split() if hasattr(space, name)}
