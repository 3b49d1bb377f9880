"""Memory is written again as soon as nobody reads it: activations and sums in place, everything else let go."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx
from torch.nn import functional as F

from ramify.passes.packing import convolve, convolve_onto
from ramify.passes.program import Program, is_call, is_static, shape_of

_FRESH: set[Any] = {
    torch.addmm, F.linear, torch.conv1d, torch.conv2d, torch.conv3d, torch.batch_norm,
    torch.layer_norm, torch.add, torch.sub, torch.mul, torch.div, torch.mm, torch.bmm, torch.cat, torch.relu,
    torch.sigmoid, torch.tanh, torch.exp, torch.neg, F.gelu, F.silu, torch.embedding,
    torch.mean, torch.sum, torch.maximum, torch.minimum, torch.conv_transpose2d, convolve, torch.softmax,
}  # fmt: skip
"""Functions whose result is new memory, dense and all its own."""

_IN_PLACE: dict[Any, Any] = {
    torch.relu: torch.relu_, torch.sigmoid: torch.sigmoid_, torch.tanh: torch.tanh_, torch.exp: torch.exp_,
    torch.neg: torch.neg_, torch.square: torch.square_,
}  # fmt: skip

_TAKES_OVER: dict[Any, Any] = {torch.add: torch.Tensor.add_, torch.mul: torch.Tensor.mul_}


def reuse(program: Program) -> None:
    """Let a function write into what it reads, where that is new memory that nothing reads later."""
    memory = Memory(program)
    count = sum(memory.write_over(node) for node in program.nodes)
    if count:
        program.note("reuse", f"{count} results written over")


class Memory:
    """Whose memory each result may lie in, and where it is last read.

    Attributes:
        place: where each node stands.
        owners: for each node those whose memory it may lie in, itself included.
        last: where the memory of a node is last read.
    """

    def __init__(self, program: Program) -> None:
        self.known: dict[fx.Node, bool] = {}
        self.place = {node: i for i, node in enumerate(program.nodes)}
        self.owners: dict[fx.Node, set[fx.Node]] = {}
        self.last: dict[fx.Node, int] = {}
        for node, place in self.place.items():
            sources = node.all_input_nodes
            kept = sources[:1] if is_call(node, convolve_onto) else () if is_call(node, *_FRESH) else sources
            self.owners[node] = {node}.union(*(self.owners[one] for one in kept))
            # A layer of the user's may keep what it was given.
            read_at = len(self.place) if node.meta.get("opaque") or node.op == "output" else place
            for one in sources:
                for owner in self.owners[one]:
                    self.last[owner] = max(self.last.get(owner, 0), read_at)
        fresh = (*_FRESH, convolve_onto)
        self.fresh = {node for node in self.place if is_call(node, *fresh) and not is_static(node, self.known)}

    def is_free(self, value: Any, node: fx.Node) -> bool:
        """Whether a value is new memory that nothing reads after a node."""
        return value in self.fresh and self.last[value] <= self.place[node]

    def write_over(self, node: fx.Node) -> bool:
        """Let one function write into what it reads, if it can."""
        if node.op != "call_function" or node.kwargs or node.meta.get("opaque"):
            return False
        if node.target in _IN_PLACE:
            if len(node.args) == 1 and self.is_free(node.args[0], node):
                node.target = _IN_PLACE[node.target]
                return True
        elif node.target in _TAKES_OVER and len(node.args) == 2:
            for mine, other in (node.args, reversed(node.args)):
                if self.is_free(mine, node) and same_kind(mine, node) and mine not in self.owners.get(other, ()):  # type: ignore[arg-type]
                    node.target, node.args = _TAKES_OVER[node.target], (mine, other)
                    return True
        return False


def same_kind(one: Any, other: fx.Node) -> bool:
    """Whether two results have the same shape and dtype."""
    return shape_of(one) is not None and shape_of(one) == shape_of(other) and one.meta["dtype"] == other.meta["dtype"]
