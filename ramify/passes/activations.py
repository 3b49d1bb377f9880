"""Activations run in the kernel of the convolution before them, where oneDNN has one for both."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from ramify.passes.packing import convolve, is_onednn
from ramify.passes.program import Program, is_call, only_user

_NAMES: dict[Any, str] = {
    torch.relu: "relu", torch.sigmoid: "sigmoid", torch.tanh: "tanh", torch.nn.functional.silu: "swish",
    torch.nn.functional.hardswish: "hardswish",
}  # fmt: skip
"""Functions, and oneDNN's names for them."""


def activations(program: Program) -> None:
    """Let convolutions that run in oneDNN apply the activation that follows, while the results are at hand."""
    for node in program.nodes:
        source: Any = node.args[0] if node.op == "call_function" and node.args else None
        if not is_call(node, *_NAMES) or only_user(source) is not node or not is_onednn(source):
            continue
        if node.kwargs or len(node.args) > 1:
            continue
        joined = program.insert(node, convolve, *_arguments(source), _NAMES[node.target], like=node)
        program.note("activations", f"{node.meta.get('layer')} into {source.meta.get('layer')}")
        program.replace(node, joined)
        program.graph.erase_node(source)


def _arguments(source: fx.Node) -> tuple[Any, ...]:
    x, kernel, bias, stride, padding, dilation, groups = source.args[:7]
    return x, kernel, bias, padding, stride, dilation, groups
