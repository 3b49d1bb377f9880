"""Shape inference: run the call itself on tensors without data, once per probe (see `dims`).

There is no second definition of any shape. The few rules in `_QUICK` answer for functions whose way through PyTorch's
meta kernels was measured at 0.3 to 0.9 ms a call (torch 2.13); they answer in a few microseconds and only in the plain
cases, leaving everything else to the kernels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from ramify.graph.dims import Probe, hide_probes
from ramify.graph.structure import flatten, map_leaves, unflatten

Tensor = torch.Tensor
_META = torch.device("meta")


@dataclass(frozen=True, slots=True)
class Spec:
    """What inference found for one leaf of a result: its shape under each probe, and its dtype (None: a size)."""

    probes: tuple[Any, ...]
    dtype: torch.dtype | None


class _State(threading.local):
    active = False
    paused = False


_state = _State()


def is_probing() -> bool:
    """Whether the code that asks runs inside a probe, on tensors without data."""
    return _state.active and not _state.paused


def visible_shape(shape: torch.Size) -> tuple[int | None, ...]:
    """A real tensor's shape; inside a probe, with unknown sizes as ``None``."""
    return hide_probes(shape) if is_probing() else tuple(shape)


@contextmanager
def paused() -> Iterator[None]:
    """Leave the probe for a while: what runs inside makes real tensors (weights that a sublayer builds)."""
    before, _state.paused = _state.paused, True
    try:
        yield
    finally:
        _state.paused = before


def _to_meta(leaf: Any) -> Any:
    if isinstance(leaf, Tensor) and leaf.device.type != "meta":
        return torch.empty_strided(leaf.shape, leaf.stride(), dtype=leaf.dtype, device=_META)
    return leaf


class _Probe(TorchFunctionMode):
    """Within it every torch function sees meta tensors in place of real ones, so no weight is read or written."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _state.paused:
            return func(*args, **kwargs)
        quick = _QUICK.get(func)
        if quick is not None:
            result = quick(*args, **kwargs)
            if result is not None:
                return result
        if func in _FACTORIES and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": _META}
        args = tuple(
            _to_meta(a)
            if isinstance(a, Tensor)
            else map_leaves(_to_meta, a)
            if isinstance(a, (list, tuple, dict))
            else a
            for a in args
        )
        if kwargs:
            kwargs = map_leaves(_to_meta, kwargs)
        return func(*args, **kwargs)


_FACTORIES = {
    torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.ones, torch.rand, torch.randint,
    torch.randn, torch.randperm, torch.tensor, torch.zeros, torch.as_tensor, torch.tril_indices, torch.triu_indices,
}  # fmt: skip


def _same(x: Any, *_: Any, **__: Any) -> Tensor | None:
    """One floating tensor in, one of the same shape and dtype out."""
    if isinstance(x, Tensor) and x.is_floating_point():
        return torch.empty(x.shape, dtype=x.dtype, device=_META)
    return None


def _softmax(x: Any, dim: Any = None, *_: Any, dtype: Any = None, **__: Any) -> Tensor | None:
    return _same(x) if dtype is None and isinstance(dim, int) and -x.ndim <= dim < x.ndim else None


def _binary(x: Any, y: Any, **options: Any) -> Tensor | None:
    if options:
        return None
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        if x.dtype == y.dtype and x.shape == y.shape and x.is_floating_point():
            return torch.empty(x.shape, dtype=x.dtype, device=_META)
    elif isinstance(x, Tensor) and isinstance(y, (int, float)):
        return _same(x)
    elif isinstance(y, Tensor) and isinstance(x, (int, float)):
        return _same(y)
    return None


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor | None:
    if x.ndim < 1 or weight.ndim != 2 or x.shape[-1] != weight.shape[1] or x.dtype != weight.dtype:
        return None
    if bias is not None and bias.shape != weight.shape[:1]:
        return None
    return torch.empty((*x.shape[:-1], weight.shape[0]), dtype=x.dtype, device=_META)


def _addmm(bias: Tensor, x: Tensor, weight: Tensor, **options: Any) -> Tensor | None:
    if options or x.ndim != 2 or bias.shape != weight.shape[1:]:
        return None
    return _linear(x, weight.t())


def _batch_norm(
    x: Tensor, mean: Any, var: Any, weight: Any = None, bias: Any = None, *_: Any, **__: Any
) -> Tensor | None:
    fits = all(t is None or t.shape == x.shape[1:2] for t in (mean, var, weight, bias))
    return _same(x) if fits else None


def _normalized(x: Tensor, sizes: Any, *_: Any, **__: Any) -> Tensor | None:
    return _same(x) if 0 < len(sizes) <= x.ndim and tuple(x.shape[-len(sizes) :]) == tuple(sizes) else None


def _group_norm(x: Tensor, groups: int, *_: Any, **__: Any) -> Tensor | None:
    return _same(x) if x.ndim > 1 and groups > 0 and x.shape[1] % groups == 0 else None


_QUICK: dict[Any, Callable[..., Tensor | None]] = {
    F.linear: _linear,
    torch.addmm: _addmm,
    F.batch_norm: _batch_norm,
    torch.batch_norm: _batch_norm,
    torch.layer_norm: _normalized,
    torch.rms_norm: _normalized,
    torch.group_norm: _group_norm,
    torch.softmax: _softmax,
    F.softmax: _softmax,
}
for _name in "relu sigmoid tanh exp log sqrt rsqrt square abs neg sin cos erf log1p expm1 selu".split():
    _QUICK[getattr(torch, _name)] = _QUICK[getattr(Tensor, _name, None)] = _same
for _name in "relu gelu silu elu selu softplus leaky_relu mish relu6 hardswish hardsigmoid logsigmoid dropout".split():
    _QUICK[getattr(F, _name)] = _same
for _name in "add sub mul div maximum minimum true_divide".split():
    _QUICK[getattr(torch, _name)] = _QUICK[getattr(Tensor, _name)] = _binary
for _name in "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__".split():
    _QUICK[getattr(Tensor, _name)] = _binary
_QUICK.pop(None, None)


def run_probe(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call with meta tensors among the arguments; no gradient is recorded and no real tensor is touched."""
    before = _state.active, _state.paused
    _state.active, _state.paused = True, False
    try:
        with torch.no_grad(), _Probe():
            return call(*args, **kwargs)
    finally:
        _state.active, _state.paused = before


def meta(probe: Probe, dtype: torch.dtype) -> Tensor:
    """A tensor without data."""
    return torch.empty(probe, dtype=dtype, device=_META)


def combine(results: list[Any]) -> Any:
    """One structure of `Spec` and constants out of the results of several probes.

    Raises:
        ValueError: the results differ in structure or dtype, so the call branches on an unknown size.
    """
    flat = [flatten(result) for result in results]
    if len({len(leaves) for leaves in flat}) > 1:
        raise ValueError("it returns results of different structure for different sizes")
    specs: list[Any] = []
    for leaves in zip(*flat, strict=True):
        first = leaves[0]
        if isinstance(first, Tensor):
            if any(not isinstance(t, Tensor) or t.dtype != first.dtype or t.ndim != first.ndim for t in leaves):
                raise ValueError("it returns tensors of different rank or dtype for different sizes")
            specs.append(Spec(tuple(tuple(t.shape) for t in leaves), first.dtype))
        elif type(first) is int and any(leaf != first for leaf in leaves):
            specs.append(Spec(leaves, None))
        else:
            specs.append(first)
    return unflatten(results[0], specs)
