"""Layers side by side that read the same tensor are one matrix product or convolution with more columns or filters."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import fx

from ramify.passes.layout import UNARY
from ramify.passes.program import Program, is_call, is_static, item, only_user, places, shape_of

_LINEAR = torch.nn.functional.linear
LIMIT = 2**20
"""Numbers in the results of a group up to which one call for all pays: beyond it, the work outweighs the calls."""


def siblings(program: Program) -> None:
    """Join dense layers and convolutions that read the same tensor, and the activation that follows all of them."""
    known: dict[fx.Node, bool] = {}
    groups: dict[Any, list[fx.Node]] = defaultdict(list)
    for node in program.nodes:
        key = _key(node, known)
        if key is not None:
            groups[key].append(node)
    joined = False
    for group in groups.values():
        if len(group) > 1 and sum(math.prod(shape_of(one) or (LIMIT,)) for one in group) <= LIMIT:
            program.note("siblings", places(group))
            _join(program, group)
            joined = True
    if joined:
        program.sort()


def _key(node: fx.Node, known: dict[fx.Node, bool]) -> Any:
    """What nodes that can be one have in common; ``None`` for those that cannot be one with others."""
    if not is_call(node, torch.addmm, _LINEAR, torch.conv2d) or node.kwargs or shape_of(node) is None:
        return None
    if is_call(node, torch.addmm):
        bias, x, kernel = node.args
        rest: Any = ()
    else:
        x, kernel, bias, *rest = [*node.args, *[None] * (3 - len(node.args))]  # type: ignore[misc]  # a node, then lists
    if not isinstance(x, fx.Node) or not is_static(kernel, known) or not is_static(bias, known):
        return None
    if is_call(node, torch.conv2d):
        if len(rest) < 4 or rest[3] != 1:
            return None
        sizes = shape_of(kernel)
        if sizes is None:
            return None
        rest = (*map(_fixed, rest), sizes[1:])
    elif isinstance(bias, fx.Node) and len(shape_of(bias) or (0, 0)) != 1:
        return None
    if is_static(x, known):
        return None
    return node.target, x, bias is None, tuple(rest), node.meta.get("dtype")


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _join(program: Program, group: list[fx.Node]) -> None:
    first = group[0]
    axis = 1 if is_call(first, torch.conv2d) else -1
    at_bias, at_kernel = (0, 2) if is_call(first, torch.addmm) else (2, 1)
    args = list(first.args)
    kernel_axis = 1 if is_call(first, torch.addmm) else 0
    args[at_kernel] = program.insert(first, torch.cat, [one.args[at_kernel] for one in group], kernel_axis)
    if len(args) > at_bias and args[at_bias] is not None:
        args[at_bias] = program.insert(first, torch.cat, [one.args[at_bias] for one in group], 0)
    sizes = [shape_of(one)[axis] for one in group]  # type: ignore[index]
    whole = program.insert(first, first.target, *args, like=first)  # type: ignore[arg-type]
    shape = list(shape_of(first) or ())
    shape[axis] = sum(sizes)
    whole.meta.update(shape=tuple(shape), layer=places(group))
    users = [only_user(one) for one in group]
    if all(one is not None and _same_activation(one, users[0]) for one in users):
        after: Any = users[0]
        whole = program.insert(first, after.target, whole, *after.args[1:], like=whole, **after.kwargs)
        old: Any = users
    else:
        old = group
    parts = program.insert(first, torch.split, whole, sizes, axis)
    for i, node in enumerate(old):
        part = program.insert(first, item, parts, i, like=node)
        node.replace_all_uses_with(part)
    for node in (*(old if old is not group else ()), *group):
        program.graph.erase_node(node)


def _same_activation(node: fx.Node, other: Any) -> bool:
    return (
        node.target in UNARY
        and node.target is other.target
        and node.args[1:] == other.args[1:]
        and node.kwargs == other.kwargs
    )
