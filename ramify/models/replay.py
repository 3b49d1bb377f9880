"""Run a graph call by call: on real tensors that carry masks, or on symbolic ones to record it anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify.graph import Graph, SymbolicValue
from ramify.graph.structure import map_leaves, pick


def run_graph(graph: Graph, values: Sequence[Any]) -> Any:
    """Run a graph by calling what it calls, one after the other; on symbolic values this records it anew.

    Args:
        graph: the graph.
        values: one value per input, real or symbolic.

    Returns:
        The outputs in their structure.
    """
    results: dict[Any, Any] = dict(zip(graph.inputs, values, strict=True))

    def value_of(leaf: Any) -> Any:
        if isinstance(leaf, SymbolicValue) and leaf not in results:
            results[leaf] = pick(results[leaf.node], leaf.path)
        return results[leaf] if isinstance(leaf, SymbolicValue) else leaf

    for node in graph.nodes:
        # Masks that were filled in belong to the graph's own inputs; here they travel with the tensors.
        kwargs = {name: value for name, value in node.kwargs.items() if name not in node.implicit}
        result = node.target(*map_leaves(value_of, node.args), **map_leaves(value_of, kwargs))
        results[node] = result
        if isinstance(node.outputs, SymbolicValue):
            results[node.outputs] = result
    return map_leaves(value_of, graph.output_structure)
