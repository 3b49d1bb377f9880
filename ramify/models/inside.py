"""Tensors inside nested models: a slice that ends in one is made by opening the calls of the models around it.

A model's own graph begins at its own inputs, so a tensor in it is not connected to whatever the model was called on.
Where exactly one call connects them, the calls inside are recorded anew in place of that call: one computation, with
both the inner tensor and everything after the model in it, so that gradients flow from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from ramify.errors import GraphError
from ramify.graph import Graph, Node, SymbolicValue, calls_of, unlist
from ramify.graph.structure import flatten, map_leaves, pick


def opened(inputs: Any, outputs: Any) -> Any:
    """The outputs, with the calls of nested models opened that lead from the inputs to tensors inside those models.

    Args:
        inputs: symbolic tensors, nested.
        outputs: symbolic tensors, nested, of which some lie inside models that are called after the inputs.

    Returns:
        Tensors in the structure of `outputs` that the inputs reach; ``None`` where no nested model connects them.

    Raises:
        GraphError: a model on the way was called several times, so there is more than one such tensor.
    """
    starts = set(flatten(inputs))
    calls = _connecting_calls(starts, flatten(outputs))
    if not calls:
        return None
    return _Rewriting(starts, calls).of(outputs)


def _connecting_calls(starts: set[Any], outputs: list[SymbolicValue]) -> dict[Node, Node]:
    """For every inner `Input` that the outputs need: the one call of its model that the inputs reach."""
    chosen: dict[Node, Node] = {}
    waiting: list[tuple[Node, tuple[Node, ...]]] = [(entry, ()) for entry in _foreign_inputs(starts, outputs)]
    while waiting:
        entry, around = waiting.pop()
        if entry in chosen:
            continue
        found = [call for call in _calls_around(entry) if call not in around and _leads_back(starts, call, around)]
        if not found:
            return {}
        if len(found) > 1:
            model = found[0].target
            raise GraphError(
                f"The tensor inside {model.describe()} exists once for each of the {len(found)} calls of that model "
                "that the inputs lead to, so it is ambiguous. Start from the inputs of one call alone, or call the "
                "model's layers again where the tensor is wanted."
            )
        call = found[0]
        chosen.update(dict.fromkeys((tensor.node for tensor in call.target.graph.inputs if tensor.node.is_input), call))
        waiting += [(deeper, (*around, call)) for deeper in _foreign_inputs(starts, call.inputs)]
    return chosen


def _leads_back(starts: set[Any], call: Node, around: tuple[Node, ...]) -> bool:
    """Whether what a call was fed comes from the starts, be it through further models."""
    waiting = [(entry, (*around, call)) for entry in _foreign_inputs(starts, call.inputs)]
    while waiting:
        entry, path = waiting.pop()
        further = [c for c in _calls_around(entry) if c not in path]
        if not further:
            return False
        waiting += [(deeper, (*path, c)) for c in further for deeper in _foreign_inputs(starts, c.inputs)]
    return True


def _calls_around(entry: Node) -> list[Node]:
    """The calls of every model whose graph begins at an `Input`."""
    return [
        call
        for call in calls_of()
        if (graph := getattr(call.target, "inlined_graph", None)) is not None and entry.outputs in graph.inputs
    ]


def _foreign_inputs(starts: set[Any], values: list[SymbolicValue]) -> list[Node]:
    """The `Input`s that values need beside the starts."""
    stack, seen, found = [v for v in values if v not in starts], set[Node](), []
    while stack:
        node = stack.pop().node
        if node not in seen:
            seen.add(node)
            if node.is_input:
                found.append(node)
            stack += [value for value in node.inputs if value not in starts]
    return found


class _Rewriting:
    """Records anew what lies inside the opened calls, or after them; everything else stays as it is."""

    def __init__(self, starts: set[Any], calls: dict[Node, Node]) -> None:
        self.starts = starts
        self.calls = calls
        self.opened = set(calls.values())
        self.fed: dict[Node, Any] = {}
        self.modes: dict[Node, Any] = {}
        for call in self.opened:
            graph: Graph = call.target.graph
            given = call.args[0] if call.args else next(iter(call.kwargs.values()))
            self.fed.update({t.node: v for t, v in zip(graph.inputs, graph.match_inputs(given), strict=True)})
            if call.kwargs.get("training") is not None:
                self.modes.update(dict.fromkeys(graph.nodes, call.kwargs["training"]))
        self.results: dict[Node, Any] = {}

    def of(self, outputs: Any) -> Any:
        """The rewritten outputs; the walk keeps its own stack, so depth is no limit."""
        stack = [value.node for value in flatten(outputs) if value not in self.starts]
        while stack:
            node = stack[-1]
            missing = [] if node in self.results else [n for n in self._needs(node) if n not in self.results]
            if missing:
                stack += missing
                continue
            if node not in self.results:
                self.results[node] = self._again(node)
            stack.pop()
        return map_leaves(self._value, outputs)

    def _needs(self, node: Node) -> Iterator[Node]:
        if node in self.opened:
            values: list[Any] = node.target.graph.outputs
        elif node in self.fed:
            values = [self.fed[node]]
        else:
            values = node.inputs
        return (value.node for value in values if isinstance(value, SymbolicValue) and value not in self.starts)

    def _value(self, leaf: Any) -> Any:
        if not isinstance(leaf, SymbolicValue) or leaf in self.starts:
            return leaf
        return pick(self.results[leaf.node], leaf.path)

    def _again(self, node: Node) -> Any:
        """The result of a call: of its model's graph, of what an inner `Input` was fed, or of the call made again."""
        if node in self.opened:
            return map_leaves(self._value, node.target.graph.output_structure)
        if node in self.fed:
            return self._value(self.fed[node])
        kwargs = {name: value for name, value in node.kwargs.items() if name not in node.implicit}
        args, kwargs = map_leaves(self._value, (node.args, kwargs))
        mode = self.modes.get(node)
        if mode is not None and kwargs.get("training") is None and getattr(node.target, "uses_training", False):
            kwargs["training"] = mode
        same = mode is None and all(self._value(value) is value for value in node.inputs)
        if same or node.is_input:
            return node.outputs
        result = node.target(*args, **kwargs)
        for made in {value.node for value in flatten(result) if isinstance(value, SymbolicValue)}:
            if isinstance(made.target, torch.nn.Module):
                unlist(made)
        return result
