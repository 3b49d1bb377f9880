"""`Program`: what one call of a model does, as a list of torch functions on inputs and weights; passes rewrite it."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

Function = Callable[..., Any]


@dataclass(frozen=True)
class Weight:
    """A tensor that outlives the call, and where it is found: `table[key]` of the module that owns it."""

    table: dict[str, Any]
    key: str
    tensor: torch.Tensor


@dataclass
class Program:
    """Torch functions in order, on tensors of known shapes.

    Nodes of the graph are placeholders, weights (``get_attr``, by their names in `weights`), functions
    (``call_function``), and calls of layers that are left as they are (``call_function`` whose target is the layer;
    ``meta["opaque"]``). ``meta["shape"]`` and ``meta["dtype"]`` say what a node gives where it is one tensor, and
    ``meta["layer"]`` which layer it comes from.

    Attributes:
        graph: the functions.
        weights: the tensors that ``get_attr`` nodes name.
        layers: the layers that were written out, those within others included: the program holds while they stay as
            they are.
        fired: what passes did: (name of the pass, where).
    """

    graph: fx.Graph = field(default_factory=fx.Graph)
    weights: dict[str, Weight] = field(default_factory=dict)
    layers: dict[torch.nn.Module, None] = field(default_factory=dict)
    fired: list[tuple[str, str]] = field(default_factory=list)

    def note(self, name: str, where: str) -> None:
        """Remember that a pass did something."""
        self.fired.append((name, where))

    @property
    def nodes(self) -> list[fx.Node]:
        """The nodes as they stand, in order; the graph may be changed while they are gone through."""
        return list(self.graph.nodes)

    @property
    def output(self) -> fx.Node:
        """The last node."""
        last: fx.Node = self.graph.output_node()
        return last

    def insert(self, before: fx.Node, target: Function, *args: Any, like: fx.Node | None = None, **kwargs: Any) -> Any:
        """A new node in front of another.

        Args:
            before: the node that it stands in front of.
            target: the function.
            *args: its arguments; nodes among them.
            like: the node whose shape, dtype and layer the new one has.
            **kwargs: its keyword arguments.
        """
        with self.graph.inserting_before(before):
            node = self.graph.create_node("call_function", target, args, kwargs, name=name_of(target))
        node.meta.update((like if like is not None else before).meta if like is not None else layer_of(before))
        return node

    def replace(self, old: fx.Node, new: fx.Node) -> None:
        """Let whoever reads one node read another, and take the old one away."""
        old.replace_all_uses_with(new)
        self.graph.erase_node(old)

    def sort(self) -> None:
        """Put the nodes in an order in which each comes after what it reads, as near to the present one as can be."""
        done: set[fx.Node] = set()
        order: list[fx.Node] = []
        for start in self.nodes:
            stack = [start]
            while stack:
                node = stack[-1]
                waiting = [] if node in done else [one for one in node.all_input_nodes if one not in done]
                if waiting:
                    stack.extend(reversed(waiting))
                    continue
                stack.pop()
                if node not in done:
                    done.add(node)
                    order.append(node)
        for before, after in itertools.pairwise(order):
            if before.next is not after:
                before.append(after)


def layer_of(node: fx.Node) -> dict[str, Any]:
    """The part of a node's `meta` that says where it comes from."""
    return {"layer": node.meta.get("layer", "")}


def name_of(target: Any) -> str:
    """A word for a function."""
    owner = getattr(target, "__self__", None)
    if getattr(target, "__name__", "") == "__get__":  # a property of tensors, such as `x.T`
        return f"get_{owner.__name__}"  # type: ignore[union-attr]
    word = str(getattr(target, "__name__", None) or getattr(target, "name", None) or type(target).__name__)
    return word.strip("_").replace(".", "_") or "call"


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of what a node gives, where it is one tensor."""
    return value.meta.get("shape") if isinstance(value, fx.Node) else None


def is_call(value: Any, *targets: Function) -> bool:
    """Whether a value is the result of one of some functions."""
    return isinstance(value, fx.Node) and value.op == "call_function" and value.target in targets


def is_static(value: Any, known: dict[fx.Node, bool]) -> bool:
    """Whether a value depends on weights alone.

    Args:
        value: a node, or anything else (which is static).
        known: the answers so far; shared by the calls of one pass.
    """
    if not isinstance(value, fx.Node):
        return True
    stack = [value]
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
        elif node.op != "call_function" or node.meta.get("opaque"):
            known[stack.pop()] = node.op == "get_attr"
        elif waiting := [one for one in node.all_input_nodes if one not in known]:
            stack.extend(waiting)
        else:
            known[stack.pop()] = all(known[one] for one in node.all_input_nodes)
    return known[value]


def only_user(node: Any) -> fx.Node | None:
    """The one node that reads a node, or ``None`` where there are none or several."""
    return next(iter(node.users)) if isinstance(node, fx.Node) and len(node.users) == 1 else None


def places(nodes: Iterable[fx.Node]) -> str:
    """The layers that nodes come from, each once."""
    return ", ".join(dict.fromkeys(node.meta.get("layer") or node.name for node in nodes))


item = operator.getitem
version_of = operator.attrgetter("_version")  # the only count of changes that there is


def last_reads(nodes: Iterable[fx.Node]) -> dict[fx.Node, list[fx.Node]]:
    """For nodes in the order in which they run: what each of them reads, and none after it."""
    last = {one: node for node in nodes for one in node.all_input_nodes}
    found: dict[fx.Node, list[fx.Node]] = {}
    for one, node in last.items():
        found.setdefault(node, []).append(one)
    return found
