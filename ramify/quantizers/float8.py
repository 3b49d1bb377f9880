"""Products through 8-bit floats, with scales that follow the largest values of the last steps."""

from __future__ import annotations

from typing import Any

import torch

from ramify.quantizers.functional import compute_float8_amax_history, compute_float8_scale, quantize_and_dequantize
from ramify.variables import State

Tensor = torch.Tensor

_PARTS = ("inputs", "kernel", "outputs_grad")
NAMES = tuple(f"{part}_{what}" for part in _PARTS for what in ("scale", "amax_history"))
_FORWARD, _BACKWARD = torch.float8_e4m3fn, torch.float8_e5m2


def add_state(layer: Any) -> None:
    """Give a layer the scales, 1 at first, and the histories of largest values."""
    weight = getattr(layer, layer.matrix_name)
    prefix = weight.path.rpartition("/")[0]
    length = getattr(layer.dtype_policy, "amax_history_length", 1024)
    for name in NAMES:
        start = weight.new_ones(()) if name.endswith("scale") else weight.new_zeros(length)
        setattr(layer, name, State.make(start.detach().to(torch.float32), name, f"{prefix}/{name}"))


def through(layer: Any, x: Tensor, part: str, training: bool) -> Tensor:
    """What is left of inputs or kernel after 8-bit floats; gradients pass unchanged."""
    scale, history = getattr(layer, f"{part}_scale"), getattr(layer, f"{part}_amax_history")
    current = _next_scale(scale, history, _FORWARD) if training else scale
    rounded = quantize_and_dequantize(x.detach(), current, _FORWARD, x.dtype)
    if training:
        _remember(x, scale, history, current)
    return x + (rounded - x.detach())


def gradients_through(layer: Any, outputs: Tensor, training: bool) -> Tensor:
    """The outputs; their gradient goes through 8-bit floats."""
    if not training:
        return outputs
    result: Tensor = _Gradient.apply(outputs, layer.outputs_grad_scale, layer.outputs_grad_amax_history)
    return result


def _next_scale(scale: Tensor, history: Tensor, kind: torch.dtype) -> Tensor:
    return compute_float8_scale(history.amax(), scale, torch.finfo(kind).max)


def _remember(x: Tensor, scale: Tensor, history: Tensor, current: Tensor) -> None:
    with torch.no_grad():
        new = compute_float8_amax_history(x.detach(), history)
        scale.copy_(current)
        history.copy_(new)


class _Gradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, history: Tensor) -> Tensor:
        ctx.state = scale, history
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        scale, history = ctx.state
        current = _next_scale(scale, history, _BACKWARD)
        rounded = quantize_and_dequantize(gradient, current, _BACKWARD, gradient.dtype)
        _remember(gradient, scale, history, current)
        return rounded, None, None
