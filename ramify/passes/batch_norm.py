"""Batch normalization for inference is a scale and a shift per channel, and moves into the weights before it.

Source: Jacob et al., 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 3.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from ramify.passes.program import Program, is_call, is_static, only_user

_CONVOLUTIONS = (torch.conv1d, torch.conv2d, torch.conv3d)
_DENSE = (torch.addmm, torch.nn.functional.linear)
_DTYPES = {torch.float32, torch.float64}


def batch_norm(program: Program) -> None:
    """Fold batch normalization into the convolution or dense layer that it follows, if nothing else reads that."""
    known: dict[fx.Node, bool] = {}
    before = len(program.fired)
    for node in program.nodes:
        if not is_call(node, torch.batch_norm) or node.kwargs or node.args[5] is not False:
            continue
        source: Any = node.args[0]
        if only_user(source) is not node or not is_call(
            source, *_CONVOLUTIONS, torch.addmm, torch.nn.functional.linear
        ):
            continue
        if not _fits(source, node, known):
            continue
        _fold(program, node, source)
        program.note("batch_norm", f"{node.meta.get('layer')} into {source.meta.get('layer')}")
    if len(program.fired) > before:
        program.sort()  # the numbers of a normalization stand after the layer that they moved into


def _fits(source: fx.Node, norm: fx.Node, known: dict[fx.Node, bool]) -> bool:
    """Whether all numbers are weights, of one dtype, and the channels are the same axis for both."""
    if source.kwargs:
        return False
    x = source.args[1] if is_call(source, torch.addmm) else source.args[0]
    weights = [one for one in (*source.args, *norm.args[1:5]) if isinstance(one, fx.Node) and one is not x]
    if not all(is_static(one, known) for one in weights):
        return False
    shape = source.meta.get("shape")
    dense = not is_call(source, *_CONVOLUTIONS)
    kinds = {one.meta.get("dtype") for one in (*weights, source)}
    return (
        shape is not None
        and (not dense or len(shape) == 2)
        and len(kinds) == 1
        and kinds <= {torch.float32, torch.float64}
    )


def _fold(program: Program, norm: fx.Node, source: fx.Node) -> None:
    _, gamma, beta, mean, variance, _, _, epsilon, _ = norm.args

    def add(target: Any, *args: Any, like: Any = mean) -> fx.Node:
        new: fx.Node = program.insert(source, target, *args, like=like)
        return new

    scale = add(torch.rsqrt, add(torch.add, variance, epsilon))
    scale = scale if gamma is None else add(torch.mul, scale, gamma)
    shift = add(torch.neg, add(torch.mul, mean, scale))
    shift = shift if beta is None else add(torch.add, shift, beta)
    is_addmm = is_call(source, torch.addmm)
    kernel: Any = source.args[2] if is_addmm else source.args[1]
    bias = source.args[0] if is_addmm else source.args[2] if len(source.args) > 2 else None
    wide = scale if is_addmm else add(torch.reshape, scale, (-1,) + (1,) * (len(kernel.meta["shape"]) - 1))
    kernel = add(torch.mul, kernel, wide, like=kernel)
    shift = shift if bias is None else add(torch.addcmul, shift, bias, scale)
    source.args = (shift, source.args[1], kernel) if is_addmm else (source.args[0], kernel, shift, *source.args[3:])
    program.replace(norm, source)
