"""Shape inference: run the call itself on tensors without data, once per probe (see `dims`).

There is no second definition of any shape, but for the few rules in `quick`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ramify.graph.dims import hide_probes
from ramify.graph.quick import META, QUICK
from ramify.graph.structure import flatten, map_leaves, unflatten

Tensor = torch.Tensor


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
        return torch.empty_strided(leaf.shape, leaf.stride(), dtype=leaf.dtype, device=META)
    return leaf


class _Probe(TorchFunctionMode):
    """Within it every torch function sees meta tensors in place of real ones, so no weight is read or written."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _state.paused:
            return func(*args, **kwargs)
        quick = QUICK.get(func)
        if quick is not None:
            result = quick(*args, **kwargs)
            if result is not None:
                return result
        if func in _FACTORIES and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": META}
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


def run_probe(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call with meta tensors among the arguments; no gradient is recorded and no real tensor is touched."""
    before = _state.active, _state.paused
    _state.active, _state.paused = True, False
    try:
        with torch.no_grad(), _Probe():
            return call(*args, **kwargs)
    finally:
        _state.active, _state.paused = before


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
