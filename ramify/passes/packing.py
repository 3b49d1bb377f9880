"""Kernels in the order in which they are read: oneDNN's own for convolutions that run there, else channels last.

The functions of `torch.ops.mkldnn` are those that `torch.compile` writes its code with. Where a torch has none, or
oneDNN is switched off, the convolutions stay what they are.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import fx

from ramify.passes.program import Program, is_call, is_static, shape_of

_Ints = tuple[int, ...]


def has_onednn() -> bool:
    """Whether torch has the functions that run a convolution with an activation in oneDNN."""
    if not torch.backends.mkldnn.is_available() or not torch.backends.mkldnn.enabled:
        return False
    needed = ("_convolution_pointwise", "_convolution_pointwise_", "_reorder_convolution_weight")
    return all(hasattr(torch.ops.mkldnn, name) for name in needed)


def is_onednn(node: Any) -> bool:
    """Whether a node is a convolution that torch would run in oneDNN."""
    if not is_call(node, torch.conv2d) or node.kwargs or len(node.args) < 7 or not has_onednn():
        return False
    x, kernel, _, stride, padding, dilation, groups = node.args[:7]
    sizes, filters = shape_of(x), shape_of(kernel)
    if sizes is None or filters is None or node.meta.get("dtype") is not torch.float32 or isinstance(padding, str):
        return False
    if not node.meta.get("cpu", True) or 0 in sizes:
        return False
    # torch's own rule (aten::_select_conv_backend), asked on tensors without memory that count as being on the CPU.
    probe = torch.empty((1,)).as_strided(sizes, (0,) * len(sizes))
    weight = torch.empty((1,)).as_strided(filters, (0,) * len(filters))
    backend = torch._C._select_conv_backend(  # noqa: SLF001 - there is no public way to ask
        probe, weight, None, list(stride), list(padding), list(dilation), False, [0, 0], groups, None
    )
    return "mkldnn" in str(backend).lower()


def convolve(
    x: torch.Tensor,
    kernel: torch.Tensor,
    bias: torch.Tensor | None,
    padding: _Ints,
    stride: _Ints,
    dilation: _Ints,
    groups: int,
    activation: str,
) -> torch.Tensor:
    """A convolution and an activation in one kernel of oneDNN; ``"none"`` for none."""
    result: torch.Tensor = torch.ops.mkldnn._convolution_pointwise.default(  # noqa: SLF001 - what torch.compile calls
        x, kernel, bias, padding, stride, dilation, groups, activation, [], None
    )
    return result


def convolve_onto(
    target: torch.Tensor,
    x: torch.Tensor,
    kernel: torch.Tensor,
    bias: torch.Tensor | None,
    padding: _Ints,
    stride: _Ints,
    dilation: _Ints,
    groups: int,
    activation: str | None,
) -> torch.Tensor:
    """Add a convolution to a tensor, in place, and apply ``"relu"`` or nothing, in one kernel of oneDNN."""
    result: torch.Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(
        target, x, kernel, bias, padding, stride, dilation, groups, "add", None, activation, [], None
    )
    return result


def pack(
    kernel: torch.Tensor, padding: _Ints, stride: _Ints, dilation: _Ints, groups: int, size: _Ints
) -> torch.Tensor:
    """A kernel in oneDNN's order for inputs of a size; nothing else can read it."""
    result: torch.Tensor = torch.ops.mkldnn._reorder_convolution_weight(  # noqa: SLF001 - as above
        kernel, padding, stride, dilation, groups, list(size)
    )
    return result


def in_channels_last(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel ``(out, in, height, width)`` with the channels next to each other in memory."""
    return kernel.contiguous(memory_format=torch.channels_last)


def packing(program: Program) -> None:
    """Put the kernels of all convolutions in order once, and not at every call."""
    known: dict[fx.Node, bool] = {}
    count = 0
    for node in program.nodes:
        if is_onednn(node) and is_static(node.args[1], known):
            x, kernel, bias, stride, padding, dilation, groups = node.args[:7]
            arguments = (x, kernel, bias, padding, stride, dilation, groups, "none")
            program.replace(node, program.insert(node, convolve, *arguments, like=node))
    for node in program.nodes:
        if is_call(node, convolve) and is_static(node.args[1], known):
            x, kernel, bias, padding, stride, dilation, groups, _ = node.args
            packed = program.insert(node, pack, kernel, padding, stride, dilation, groups, shape_of(x))
            node.update_arg(1, packed)
            count += 1
        elif is_call(node, torch.conv2d) and is_static(node.args[1], known):
            kernel = node.args[1]
            if math.prod(shape_of(kernel) or (0,)) > 1:
                node.update_arg(1, program.insert(node, in_channels_last, kernel, like=kernel))  # type: ignore[arg-type]
                count += 1
    if count:
        program.note("packing", f"{count} kernels")
