"""The layout of images is chosen once: views that turn them there and back between layers meet and vanish.

Layers take channels last, torch's kernels channels first on channels-last memory. So each convolution turns its input
and its output, which is no work, but a call of torch each. Turns move down through what acts on single numbers, until
they meet their opposite.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx
from torch.nn import functional as F

from ramify.passes.program import Program, is_call, shape_of

UNARY = {
    torch.relu, torch.sigmoid, torch.tanh, torch.exp, torch.abs, torch.neg, torch.square, torch.sqrt, torch.rsqrt,
    torch.clamp, F.leaky_relu, F.gelu, F.relu6,
    F.elu, F.silu, F.selu, F.hardtanh, F.softplus,
    F.hardswish, F.hardsigmoid, F.mish,
}  # fmt: skip
"""Functions of single numbers whose first argument is the only tensor."""

BINARY = {torch.add, torch.sub, torch.mul, torch.div, torch.maximum, torch.minimum}
"""Functions of pairs of numbers; either may be a number of Python."""

_REDUCTIONS = {torch.mean, torch.sum, torch.amax}


def layout(program: Program) -> None:
    """Move turns (`torch.permute`) down and let opposite ones cancel."""
    moved = 0
    for node in program.nodes:
        if node.op != "call_function" or node.meta.get("opaque"):
            continue
        if is_call(node, torch.permute):
            moved += _join(program, node)
            continue
        sources = _turned(node)
        if sources:
            moved += _sink(program, node, sources)
    for node in reversed(program.nodes):
        if is_call(node, torch.permute) and not node.users:
            program.graph.erase_node(node)
    if moved:
        program.note("layout", f"{moved} turns")


def _join(program: Program, node: fx.Node) -> int:
    """Two turns, one after the other, are one, or none."""
    first, dims = node.args[0], node.args[1]
    if not is_call(first, torch.permute):
        return 0
    source, inner = first.args  # type: ignore[union-attr]
    both = tuple(inner[d] for d in dims)  # type: ignore[union-attr,index]
    if both == tuple(range(len(both))):
        program.replace(node, source)  # type: ignore[arg-type]
    else:
        node.args = (source, both)
    return 1


def _turned(node: fx.Node) -> list[fx.Node]:
    """The turns that a function reads: all of its tensors are turned the same way, or there are none here."""
    args = node.args[0] if is_call(node, torch.cat) else node.args
    nodes = [one for one in args if isinstance(one, fx.Node)] if isinstance(args, (list, tuple)) else []
    if not nodes or (len(nodes) != len(node.all_input_nodes) and len(set(nodes)) != len(node.all_input_nodes)):
        return []
    if not all(is_call(one, torch.permute) for one in nodes) or len({one.args[1] for one in nodes}) > 1:
        return []
    return nodes


def _sink(program: Program, node: fx.Node, turns: list[fx.Node]) -> int:
    dims: Any = turns[0].args[1]
    target = node.target
    if target in UNARY:
        changed: Any = (turns[0].args[0], *node.args[1:]), node.kwargs
    elif target in BINARY:
        if len({shape_of(one) for one in turns}) > 1:
            return 0
        changed = tuple(one.args[0] if isinstance(one, fx.Node) else one for one in node.args), node.kwargs
    elif target is torch.cat:
        changed = _cat(node, turns, dims)
    elif target is torch.constant_pad_nd:
        changed = (turns[0].args[0], _pads(node.args[1], dims), *node.args[2:]), node.kwargs
    elif target in _REDUCTIONS:
        return _reduce(node, turns[0], dims)
    else:
        return 0
    if changed is None:
        return 0
    shape = shape_of(node)
    inner = program.insert(node, target, *changed[0], like=node, **changed[1])
    outer = program.insert(node, torch.permute, inner, dims, like=node)
    if shape is not None:
        back = [0] * len(dims)
        for i, d in enumerate(dims):
            back[d] = shape[i]
        inner.meta["shape"] = tuple(back)
    program.replace(node, outer)
    return 1


def _cat(node: fx.Node, turns: list[fx.Node], dims: Any) -> Any:
    axis = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
    if not isinstance(axis, int) or set(node.kwargs) - {"dim"}:
        return None
    return ([one.args[0] for one in turns], dims[axis]), {}


def _pads(pads: Any, dims: Any) -> tuple[int, ...]:
    """Padding is told from the last axis on: the same for the axes in their order before the turn."""
    rank = len(dims)
    by_axis = {dims[rank - 1 - i]: pads[2 * i : 2 * i + 2] for i in range(len(pads) // 2)}
    found = [by_axis.get(axis, (0, 0)) for axis in range(rank)]
    while found and tuple(found[0]) == (0, 0):
        found.pop(0)
    return tuple(n for pair in reversed(found) for n in pair)


def _reduce(node: fx.Node, turn: fx.Node, dims: Any) -> int:
    """A sum over some axes of a turned tensor is one over others, if those that stay keep their order."""
    axes = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    axes = (axes,) if isinstance(axes, int) else axes
    if not isinstance(axes, (list, tuple)) or not axes or len(node.args) > 2 or set(node.kwargs) - {"dim"}:
        return 0
    gone = {dims[axis] for axis in axes}
    kept = [d for d in dims if d not in gone]
    if kept != sorted(kept):
        return 0
    node.args = (turn.args[0], tuple(sorted(gone)))
    node.kwargs = {}
    return 1
