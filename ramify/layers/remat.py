"""Computing again in the backward pass what would have been kept for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from ramify.layers.state import state
from ramify.scopes import RematScope
from ramify.seeds import Stream


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that keeps only its arguments for the backward pass, and there computes again.

    Random numbers of torch's global generator are the same the second time; of layers, `RematScope` sees to the rest.

    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> remat(torch.sin)(x).sum().backward()
    >>> torch.equal(x.grad, x.cos())
    True
    """
    return lambda *args, **kwargs: checkpoint(f, *args, use_reentrant=False, **kwargs)


def rematerialized(layer: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Run a layer's call so that the backward pass can repeat it: in the same mode, and with no further effect."""
    scope: RematScope = layer._remat
    if not torch.is_grad_enabled() or not _applies(layer, scope, args, kwargs):
        return run(*args, **kwargs)
    if scope.mode == "activations":
        kept = layer.activation
        layer.__dict__["activation"] = remat(kept)
        try:
            return run(*args, **kwargs)
        finally:
            layer.__dict__["activation"] = kept
    before: list[Any] = []

    def once_or_again(*args: Any, **kwargs: Any) -> Any:
        if not before:
            before.extend(_remember(layer))
            return run(*args, **kwargs)
        with _as_it_was(*before):
            return run(*args, **kwargs)

    return checkpoint(once_or_again, *args, use_reentrant=False, **kwargs)


def _applies(layer: Any, scope: RematScope, args: Any, kwargs: Any) -> bool:
    if scope.mode == "activations":
        return callable(layer.__dict__.get("activation"))
    if scope.mode == "list_of_layers":
        return layer.name in scope.layer_names
    if scope.mode == "larger_than":
        key = tuple(tuple(x.shape) for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor))
        if key not in layer.__dict__.setdefault("_result_sizes", {}):
            shapes = layer.compute_output_shape(tuple(args[0].shape))
            flat = shapes if shapes and isinstance(shapes[0], (tuple, list)) else [shapes]
            layer._result_sizes[key] = max(torch.Size(shape).numel() for shape in flat)
        return bool(layer._result_sizes[key] > scope.output_size_threshold)
    return True


def _remember(layer: Any) -> tuple[Any, ...]:
    """The modules, the mode, the position of every generator, and copies of the state."""
    modules = list(layer.modules())
    streams = [v for m in modules for v in m.__dict__.values() if isinstance(v, Stream)]
    positions = [stream.positions() for stream in streams]
    buffers = [(m, dict(deepcopy(m._buffers))) for m in modules if m._buffers]
    return modules, (state.training, state.scope), list(zip(streams, positions, strict=True)), buffers


@contextmanager
def _as_it_was(modules: Any, outer: Any, streams: Any, buffers: Any) -> Iterator[None]:
    now = [(stream, stream.positions()) for stream, _ in streams]
    losses = [(m, list(m._losses)) for m in modules if hasattr(m, "_losses")]
    held = [(m, dict(m._buffers)) for m, _ in buffers]
    mode, (state.training, state.scope) = (state.training, state.scope), outer
    try:
        for stream, positions in streams:
            stream.rewind(positions)
        for module, values in buffers:
            module._buffers.update(values)
        yield
    finally:
        state.training, state.scope = mode
        for stream, positions in now:
            stream.rewind(positions)
        for module, values in held:
            module._buffers.update(values)
        for module, kept in losses:
            module._losses[:] = kept
