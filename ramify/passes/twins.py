"""Layers that are applied to several inputs run once, on all of them as one batch."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import fx

from ramify.passes.layout import UNARY
from ramify.passes.program import Program, is_call, is_static, item, places, shape_of

LIMIT = 2**17
"""Numbers in one input up to which joining the inputs costs less than the calls that it saves."""

_WEIGHTED = {torch.addmm: 1, torch.nn.functional.linear: 0, torch.conv2d: 0, torch.embedding: 1}
"""Functions that act on each sample alone with weights, and where the samples stand among their arguments."""

_SAMPLEWISE = {torch.batch_norm: 0, torch.layer_norm: 0, **dict.fromkeys(UNARY, 0), **_WEIGHTED}


def twins(program: Program) -> None:
    """Join calls with the same weights on inputs of the same shape that do not depend on one another."""
    known: dict[fx.Node, bool] = {}
    start = True
    while start:
        start = False
        before = _dependencies(program)
        groups: dict[Any, list[fx.Node]] = defaultdict(list)
        for node in program.nodes:
            key = _key(node, known)
            if key is not None and all(not before[node] >> before_index(one) & 1 for one in groups[key]):
                groups[key].append(node)
        for group in groups.values():
            if len(group) > 1 and _pays(group):
                program.note("twins", places(group))
                _join(program, group, known)
                program.sort()
                start = True
                break


def before_index(node: fx.Node) -> int:
    """The place of a node in the order that `_dependencies` saw."""
    return int(node.meta["place"])


def _dependencies(program: Program) -> dict[fx.Node, int]:
    """For each node, what it depends on: a set of places, as the bits of a number."""
    found: dict[fx.Node, int] = {}
    for i, node in enumerate(program.nodes):
        node.meta["place"] = i
        bits = 0
        for one in node.all_input_nodes:
            bits |= found[one] | 1 << one.meta["place"]
        found[node] = bits
    return found


def _samples(node: fx.Node) -> Any:
    return node.args[_SAMPLEWISE[node.target]]  # type: ignore[index]


def _rest(node: fx.Node) -> tuple[Any, ...]:
    at = _SAMPLEWISE[node.target]  # type: ignore[index]
    return (*node.args[:at], *node.args[at + 1 :])


def _key(node: fx.Node, known: dict[fx.Node, bool], targets: Any = None) -> Any:
    """What calls that can be one have in common; ``None`` for those that cannot be one with others."""
    if not is_call(node, *(_WEIGHTED if targets is None else targets)) or node.kwargs:
        return None
    x, rest = _samples(node), _rest(node)
    if not isinstance(x, fx.Node) or shape_of(x) is None or shape_of(node) is None or is_static(x, known):
        return None
    if not all(_is_fixed(one, known) for one in rest) or (
        is_call(node, torch.batch_norm) and node.args[5] is not False
    ):
        return None
    shape = shape_of(x) or ()
    if len(shape) < 2 and not is_call(node, torch.embedding):
        return None
    return node.target, shape, x.meta["dtype"], tuple(_hashable(one) for one in rest)


def _is_fixed(value: Any, known: dict[fx.Node, bool]) -> bool:
    return not isinstance(value, fx.Node) or is_static(value, known)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _pays(group: list[fx.Node]) -> bool:
    return all(math.prod(shape_of(_samples(one)) or (LIMIT,)) < LIMIT for one in group)


def _join(program: Program, group: list[fx.Node], known: dict[fx.Node, bool]) -> None:
    """One call for a group, and for whatever follows each of its members in the same way."""
    last = group[-1]
    sizes = [(shape_of(one) or (0,))[0] for one in group]
    x = program.insert(last, torch.cat, [_samples(one) for one in group], 0, like=_samples(last))
    _grow(x, sum(sizes))
    while True:
        at = _SAMPLEWISE[group[0].target]  # type: ignore[index]
        args = list(group[0].args)
        args[at] = x
        x = program.insert(last, group[0].target, *args, like=group[0], **group[0].kwargs)  # type: ignore[arg-type]
        _grow(x, sum(sizes))
        following = _following(group, known)
        if following is None:
            break
        last = max((last, *following), key=lambda one: one.meta.get("place", -1))
        group = following
    parts = program.insert(last, torch.split, x, sizes, 0)
    for i, node in enumerate(group):
        node.replace_all_uses_with(program.insert(last, item, parts, i, like=node))
    for node in group:
        _erase(program, node)


def _following(group: list[fx.Node], known: dict[fx.Node, bool]) -> list[fx.Node] | None:
    """The calls that read the members of a group, one each and all alike."""
    if any(len(one.users) != 1 for one in group):
        return None
    users = [next(iter(one.users)) for one in group]
    keys = [_key(one, known, _SAMPLEWISE) for one in users]
    alike = keys[0] is not None and all(key == keys[0] for key in keys) and len(set(users)) == len(users)
    return users if alike and all(_samples(u) is one for u, one in zip(users, group, strict=True)) else None


def _grow(node: fx.Node, size: int) -> None:
    node.meta["shape"] = (size, *node.meta["shape"][1:])


def _erase(program: Program, node: Any) -> None:
    """Take away a node that nobody reads any more, and what it alone read."""
    stack = [node]
    while stack:
        one = stack.pop()
        if not one.users and one.op == "call_function" and not one.meta.get("opaque"):
            sources = one.all_input_nodes
            program.graph.erase_node(one)
            stack.extend(sources)
