"""A graph as flat lists and back, so that copying and pickling do not follow the chain of its nodes by recursion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ramify.graph.node import Node, SymbolicValue
from ramify.graph.structure import map_leaves, walk

if TYPE_CHECKING:
    from ramify.graph.graph import Graph


class _Ref:
    """Stands for a symbolic value: the number of its node, and its path in the node's result."""

    def __init__(self, number: int, path: tuple[Any, ...]) -> None:
        self.number, self.path = number, path


class _Blank:
    """A symbolic value without its node."""

    def __init__(self, value: Any) -> None:
        self.cls, self.probes = type(value), value.probes
        self.dtype, self.name = getattr(value, "dtype", None), getattr(value, "_name", None)

    def make(self) -> Any:
        if self.dtype is None:
            return self.cls(self.probes)
        return self.cls((), self.dtype, self.name, self.probes)


def dump(graph: Graph) -> dict[str, Any]:
    """Nodes as a list in order, with numbers in place of references to one another."""
    sources = dict.fromkeys(t.node for t in graph.inputs)
    nodes = [*sources, *(n for n in graph.nodes if n not in sources)]
    number = {node: i for i, node in enumerate(nodes)}

    def flat(node: Node) -> tuple[Any, ...]:
        outputs = map_leaves(lambda v: _Blank(v) if isinstance(v, SymbolicValue) else v, node.outputs)
        if node in sources:
            return (node.target if node.is_input else None), (), {}, node.label, (), True, outputs
        args, kwargs = _refer(node.args, number), _refer(node.kwargs, number)
        return node.target, args, kwargs, node.label, node.implicit, False, outputs

    masks = []
    for node in nodes:
        for value in node.output_values:
            mask = getattr(value, "mask", None)
            if mask is not None and mask.node in number:
                masks.append((number[node], value.path, _refer(mask, number)))
    return {
        "nodes": [flat(node) for node in nodes],
        "masks": masks,
        "inputs": _refer(graph.input_structure, number),
        "outputs": _refer(graph.output_structure, number),
    }


def load(state: dict[str, Any]) -> tuple[Any, Any]:
    """The inputs and outputs of the graph that `dump` wrote, made of new nodes."""
    values: list[dict[Any, Any]] = []

    def back(structure: Any) -> Any:
        return map_leaves(lambda v: values[v.number][v.path] if isinstance(v, _Ref) else v, structure)

    for target, args, kwargs, label, implicit, entry, outputs in state["nodes"]:
        node = Node(target, back(args), back(kwargs), label, implicit, entry)
        node.finish(map_leaves(lambda v: v.make() if isinstance(v, _Blank) else v, outputs))
        values.append(dict(walk(node.outputs)))
    for number, path, mask in state["masks"]:
        values[number][path].mask = back(mask)
    return back(state["inputs"]), back(state["outputs"])


def _refer(structure: Any, number: Mapping[Node, int]) -> Any:
    def one(leaf: Any) -> Any:
        return _Ref(number[leaf.node], leaf.path) if isinstance(leaf, SymbolicValue) and leaf.node in number else leaf

    return map_leaves(one, structure)
