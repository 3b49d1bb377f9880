"""The rows of a summary: one per layer and operation, nested models opened where that is asked for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ramify.errors import ArgumentError, RamifyError
from ramify.graph import Graph, Node, SymbolicValue, calls_of
from ramify.layers.core.input_layer import InputLayer
from ramify.visualize.costs import Cost, costs_of, total
from ramify.visualize.facts import count, graph_of, is_layer, kind_of, shown_calls, trained_of, weights_of
from ramify.visualize.words import shape_text, shapes_in


@dataclass
class Row:
    """One line of a summary.

    Attributes:
        target: the layer, or the node of an operation.
        name: its name, unique among its siblings.
        kind: its class, or ``operation``.
        depth: how many models it is nested in.
        shapes: what it returns, as text.
        sources: names of what it reads.
        calls: how often it is called.
        flops: floating-point operations of all its calls; ``None`` where they were not counted or are not known.
        memory: bytes of what all its calls return; likewise.
    """

    target: Any
    name: str
    kind: str
    depth: int
    shapes: list[str]
    sources: list[str]
    calls: int = 1
    flops: int | None = None
    memory: int | None = None

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer rather than an operation."""
        return isinstance(self.target, torch.nn.Module)

    @property
    def built(self) -> bool:
        """Whether its weights exist."""
        return bool(getattr(self.target, "built", True))

    @property
    def params(self) -> int:
        """The number of its weights' values."""
        return count(weights_of(self.target)) if self.is_layer else 0

    @property
    def trainable(self) -> str:
        """``Y`` where training changes its weights, ``N`` where not, ``-`` where it has none."""
        if not self.is_layer or not weights_of(self.target):
            return "-"
        return "Y" if trained_of(self.target) else "N"


def rows_of(
    model: Any, expand_nested: bool = False, layer_range: Sequence[str] | None = None, batch_size: int | None = None
) -> list[Row]:
    """The rows of a model's summary, in the order of its layers.

    Args:
        model: any model.
        expand_nested: whether models in the model show their layers below them.
        layer_range: names, or patterns of names, of the first and the last layer to show.
        batch_size: the batch that operations and memory are counted for; they are not counted when not given.

    Raises:
        ArgumentError: `layer_range` names no layers of the model.
    """
    top = _level(model, 0, batch_size)
    waiting = list(reversed(_within(top, layer_range, model)))
    rows: list[Row] = []
    while waiting:
        row = waiting.pop()
        rows.append(row)
        if expand_nested and getattr(row.target, "layers", None) and hasattr(row.target, "has_graph"):
            waiting.extend(reversed(_level(row.target, row.depth + 1, batch_size)))
    return rows


def _level(model: Any, depth: int, batch_size: int | None) -> list[Row]:
    graph = graph_of(model)
    if graph is None:
        return [Row(one, one.name, kind_of(one), depth, [_last_shape(one)], []) for one in model.layers]
    layers = model.layers
    listed = set(layers)
    rows = _graph_rows(graph, layers, depth, {} if batch_size is None else costs_of(graph, batch_size))
    return [row for row in rows if row.target in listed or not isinstance(row.target, InputLayer)]


def _graph_rows(graph: Graph, layers: Sequence[Any], depth: int, costs: Mapping[Node, Cost]) -> list[Row]:
    reads = shown_calls(graph)
    calls: dict[Any, list[Node]] = defaultdict(list)
    for node in reads:
        calls[node.target if is_layer(node) else node].append(node)
    names = _names(graph, calls)
    starts = {value: tensor.name for value, tensor in zip(graph.inputs, graph.inputs, strict=True)}
    order: dict[Any, tuple[int, int]] = {layer: (i, -1) for i, layer in enumerate(layers)}
    anchor: dict[Node, int] = {}
    for node, values in reads.items():  # an operation stands after the latest layer that it reads from
        before = [anchor.get(value.node, order.get(value.node.target, (0, 0))[0]) for value in values]
        anchor[node] = order[node.target][0] if is_layer(node) and node.target in order else max(before, default=0)
        if not is_layer(node):
            order[node] = (anchor[node], node.serial)
    rows = []
    for target in sorted(order, key=order.__getitem__):
        made = calls.get(target, [])
        shapes = [text for node in made for text in [_shapes(node.outputs)] if text]
        if not made:
            shapes = [_last_shape(target)]
        sources = [_source(value, names, calls, starts) for node in made for value in reads[node]]
        kind = kind_of(target) if isinstance(target, torch.nn.Module) else "operation"
        row = Row(target, names.get(target, target.name), kind, depth, _once(shapes), sources, len(made))
        if made and costs:
            row.flops, row.memory = (total(getattr(costs[node], fact) for node in made) for fact in Cost._fields)
        rows.append(row)
    return rows


def _names(graph: Graph, calls: dict[Any, list[Node]]) -> dict[Any, str]:
    names: dict[Any, str] = {layer: layer.name for layer in graph.layers}
    taken = set(names.values())
    numbers: dict[str, int] = defaultdict(int)
    for target in calls:
        if target in names:
            continue
        name = target.name
        while name in taken:
            numbers[target.name] += 1
            name = f"{target.name}_{numbers[target.name]}"
        taken.add(name)
        names[target] = name
    return names


def _source(value: SymbolicValue, names: dict[Any, str], calls: dict[Any, list[Node]], starts: dict[Any, str]) -> str:
    """A value's name: its layer's, with the number of the call and of the result where there are several."""
    if value in starts:
        return starts[value]
    node = value.node
    key = node.target if is_layer(node) else node
    made = calls[key]
    text = names[key]
    if len(made) > 1:
        text += f" #{made.index(node) + 1}"
    outputs = node.output_values
    return f"{text}[{outputs.index(value)}]" if len(outputs) > 1 else text


def _shapes(outputs: Any) -> str:
    shapes = shapes_in(outputs)
    return "\n".join(_once([shape_text(shape) for shape in shapes])) if shapes else "size"


def _once(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _last_shape(layer: Any) -> str:
    """What a layer last returned, as far as that is known without running it on data."""
    graph = graph_of(layer)
    if graph is not None:
        return _shapes(graph.output_structure)
    calls = calls_of(layer)
    if calls:
        return _shapes(calls[-1].outputs)
    shapes = getattr(layer, "__dict__", {}).get("_build_shapes")
    if not shapes or not getattr(layer, "built", False):
        return "?"
    try:
        return shape_text(layer.compute_output_shape(*shapes.values()))
    except (RamifyError, RuntimeError, TypeError, ValueError):  # a user's call may take more than a shape
        return "?"


def _within(rows: list[Row], layer_range: Sequence[str] | None, model: Any) -> list[Row]:
    if layer_range is None:
        return rows
    if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
        raise ArgumentError(f"layer_range={layer_range!r} is no range. Give the names of the first and last layer.")
    found = []
    for pattern in layer_range:
        exact = [i for i, row in enumerate(rows) if row.name == pattern]
        found.append(exact or [i for i, row in enumerate(rows) if re.match(pattern, row.name)])
    if not all(found):
        missing = [name for name, at in zip(layer_range, found, strict=True) if not at]
        raise ArgumentError(
            f"layer_range names {', '.join(map(repr, missing))}, which no layer of '{model.name}' is called. "
            f"The layers are {', '.join(row.name for row in rows[:12])}{', ...' if len(rows) > 12 else ''}."
        )
    ends = (min(found[0]), max(found[1])) if min(found[0]) <= max(found[1]) else (min(found[1]), max(found[0]))
    return rows[ends[0] : ends[1] + 1]
