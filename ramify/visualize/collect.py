"""The outputs of every call of a model, on real data."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import fx

from ramify.graph.structure import flatten, map_leaves
from ramify.visualize.facts import graph_of
from ramify.visualize.measure import in_mode

Found = list[tuple[str, Any, torch.Tensor]]


def outputs_of(model: Any, x: Any) -> Found:
    """Name, layer (or graph node) and tensor of every call's outputs, in the order of the calls.

    Args:
        model: any model; of one that is no graph, the layers it has itself.
        x: a batch of tensors, nested as the model takes it.
    """
    device = model.weights_device
    x = map_leaves(lambda leaf: leaf.to(device) if device is not None else leaf, x)
    with torch.no_grad(), in_mode(training=False):
        return _of_layers(model, x) if graph_of(model) is None else _of_graph(model, x)


def _of_graph(model: Any, x: Any) -> Found:
    runner = _Listening(model.lowered)
    runner.run(*model.fed(x))  # checked and cast just as for a call
    return _named(runner.made)


def _of_layers(model: Any, x: Any) -> Found:
    made: list[tuple[str, Any, Any]] = []
    handles = [
        layer.register_forward_hook(lambda one, _, result: made.append((one.name, one, result)))
        for layer in model.layers
    ]
    try:
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return _named(made)


class _Listening(fx.Interpreter):
    def __init__(self, lowered: fx.GraphModule) -> None:
        super().__init__(lowered)
        self.made: list[tuple[str, Any, Any]] = []

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        node = n.meta.get("node")
        if node is not None:
            group = n.meta["group"]
            target = node.target if isinstance(node.target, torch.nn.Module) else node
            self.made.append((f"{group}.{node.name}" if group else node.name, target, result))
        return result


def _named(made: list[tuple[str, Any, Any]]) -> Found:
    often = Counter(name for name, _, _ in made)
    seen: Counter[str] = Counter()
    found: Found = []
    for name, target, result in made:
        seen[name] += 1
        word = name if often[name] == 1 or seen[name] == 1 else f"{name} #{seen[name]}"
        tensors = [leaf for leaf in flatten(result) if isinstance(leaf, torch.Tensor)]
        for number, tensor in enumerate(tensors):
            found.append((f"{word}[{number}]" if number else word, target, tensor))
    return found
