"""From a model to a `Picture`."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from typing import Any

from ramify import dtypes
from ramify.errors import ArgumentError, NotBuiltError
from ramify.graph import Graph, Node, SymbolicTensor, SymbolicValue
from ramify.visualize.costs import Meter, inner_batch, total
from ramify.visualize.facts import (
    count,
    graph_of,
    is_layer,
    is_trained,
    kind_of,
    made_by,
    read_by,
    shown_calls,
    weights_of,
)
from ramify.visualize.families import FAMILIES, family_of
from ramify.visualize.picture import Edge, Item, Level, Picture, Share, Tensor
from ramify.visualize.words import activation_word, config_line, operation_words

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def picture_of(
    model: Any, expand_nested: bool = False, costs: bool = True, batch_size: int = 1, depth: int | None = None
) -> Picture:
    """The picture of a model.

    Args:
        model: a model that is a graph, or a subclassed one, of which only the layers can be seen; or the error that a
            call on symbolic tensors raised: then all that led to the call is shown, and the call itself.
        expand_nested: whether models in the model become containers, rather than single cards.
        costs: whether to count floating-point operations and memory.
        batch_size: the batch that they are counted for.
        depth: how many models deep containers go, instead of `expand_nested`.

    Raises:
        ArgumentError: an error that is not of a call on symbolic tensors.
        NotBuiltError: a model that has not seen an input yet and has no layers to show.
    """
    if depth is None:
        depth = sys.maxsize if expand_nested else 0
    builder = _Builder(depth, batch_size if costs else None)
    if isinstance(model, BaseException):
        return _failed(model, builder)
    graph = graph_of(model)
    if graph is None:
        if not model.layers:
            raise NotBuiltError(
                f"'{model.name}' has no graph and no layers yet, so there is nothing to draw. "
                "Call it on data or build it with `model.build(input_shape)` first."
            )
        top, note = builder.listed(model), "Layers in the order in which they were made; their calls are Python code."
    else:
        top, note = builder.level(graph), ""
    builder.mark_shared()
    _name_paths(top)
    picture = Picture(model.name, kind_of(model), count(weights_of(model)), top, note)
    if costs and graph is not None:
        calls = [item for item in top.items if item.role in ("layer", "operation", "group")]
        picture.flops, picture.memory = total(item.flops for item in calls), total(item.memory for item in calls)
    return picture


def _failed(error: BaseException, builder: _Builder) -> Picture:
    """All that led to a call that raised an error."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and not hasattr(cause, "call") and cause not in seen:
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    node = getattr(cause, "call", None)
    if not isinstance(node, Node):
        raise ArgumentError(
            f"This {type(error).__name__} does not come from a call on symbolic tensors, so there is no graph to draw. "
            "Pass a model, or an error that was raised while one was being built."
        )
    read = [value for value in read_by(node) if isinstance(value, SymbolicTensor)]
    top = builder.level(Graph(_sources(read), read)) if read else Level()
    ends = {item.index for item in top.items if item.role == "output"}
    arriving = Counter((edge.source, edge.port) for edge in top.edges if edge.target.index in ends)
    top.items = [item for item in top.items if item.index not in ends]
    card = builder.card(node, None, expanded=False)
    card.role, card.error = "failed", str(error).partition("\n")[0]
    card.inputs = [_tensor(value) for value in read]
    card.outputs = [_tensor(value) for value in made_by(node)]
    top.items.append(card)
    top.edges = [edge for edge in top.edges if edge.target.index not in ends]
    top.edges += [Edge(source, port, card, 0, times) for (source, port), times in arriving.items()]
    builder.mark_shared()
    _name_paths(top)
    params = sum(item.params for item in top.items)
    return Picture(card.name, "Graph up to a failed call", params, top, type(error).__name__)


def _sources(values: list[SymbolicTensor]) -> list[SymbolicTensor]:
    """The inputs that values depend on, in the order in which they were made."""
    nodes: dict[Node, None] = {}
    stack = [value.node for value in values]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes[node] = None
            stack.extend(value.node for value in node.inputs)
    starts = sorted((node for node in nodes if node.is_input), key=lambda node: node.serial)
    return [value for node in starts for value in node.output_values if isinstance(value, SymbolicTensor)]


class _Builder:
    def __init__(self, depth: int, batch: int | None) -> None:
        self.depth, self.batch = depth, batch
        self.meter = Meter()
        self.number = 0
        self.calls: dict[Any, list[Item]] = defaultdict(list)
        self.tensors: dict[SymbolicValue, Tensor] = {}

    def item(self, role: str, kind: str, name: str, family: str, parent: Item | None) -> Item:
        self.number += 1
        return Item(self.number - 1, role, kind, name, FAMILIES[family], parent=parent)

    def tensor(self, value: SymbolicValue) -> Tensor:
        """What a value is to those that make and read it."""
        found = self.tensors.get(value)
        if found is None:
            found = self.tensors[value] = _tensor(value)
        return found

    # ---- levels ----

    def level(self, graph: Graph) -> Level:
        """The outermost level: inputs and outputs are cards. Models within wait on a stack of our own."""
        top = Level()
        env: dict[SymbolicValue, tuple[Item, int]] = {}
        for tensor, name in zip(graph.inputs, graph.input_names, strict=True):
            card = self.item("input", "Input", name, "input", None)
            card.outputs, card.target = [_tensor(tensor)], tensor.node.target
            top.items.append(card)
            env[tensor] = (card, 0)
        waiting = self.fill(top, graph, env, None, self.batch)
        for inside in waiting:  # grows while it is read
            waiting += self.inside(*inside)
        several = len(graph.outputs) > 1
        for tensor, name in zip(graph.outputs, _output_names(graph), strict=True):
            card = self.item("output", "Output", name if several else "", "input", None)
            card.inputs = [_tensor(tensor)]
            top.items.append(card)
            top.edges.append(Edge(*env[tensor], card))
        return top

    def inside(self, group: Item, graph: Graph, batch: int | None) -> list[tuple[Item, Graph, int | None]]:
        """Fill a container."""
        level = group.level = Level()
        env: dict[SymbolicValue, tuple[Item, int]] = {}
        for tensor, name in zip(graph.inputs, graph.input_names, strict=True):
            entry = self.item("entry", "", name, "input", group)
            entry.outputs = [_tensor(tensor)]
            level.entries.append(entry)
            env[tensor] = (entry, 0)
        level.items += level.entries
        waiting = self.fill(level, graph, env, group, batch)
        for tensor in graph.outputs:
            exit_ = self.item("exit", "", tensor.name, "input", group)
            exit_.inputs = [_tensor(tensor)]
            level.exits.append(exit_)
            level.edges.append(Edge(*env[tensor], exit_))
        level.items += level.exits
        return waiting

    def fill(
        self,
        level: Level,
        graph: Graph,
        env: dict[SymbolicValue, tuple[Item, int]],
        parent: Item | None,
        batch: int | None,
    ) -> list[tuple[Item, Graph, int | None]]:
        waiting: list[tuple[Item, Graph, int | None]] = []
        within, outer = 0, parent
        while outer is not None:
            within, outer = within + 1, outer.parent
        for node, values in shown_calls(graph).items():
            inner = graph_of(node.target) if within < self.depth else None
            made = made_by(node)
            item = self.card(node, parent, inner is not None)
            item.inputs = [self.tensor(value) for value in values]
            item.outputs = [self.tensor(value) for value in made]
            if batch is not None:
                item.flops, item.memory = self.meter.cost(node, batch)
            level.items.append(item)
            fed = values if inner is None else _fed(inner, node)
            arriving: dict[tuple[tuple[Item, int], int], Edge] = {}
            for slot, value in enumerate(fed):
                if value in env:
                    key = (env[value], slot if inner else 0)
                    if key in arriving:
                        arriving[key].times += 1
                    else:
                        arriving[key] = Edge(*env[value], item, key[1])
            level.edges += arriving.values()
            for port, value in enumerate(made):
                env[value] = (item, port)
            if inner is not None:
                waiting.append((item, inner, None if batch is None else inner_batch(node, batch)))
        return waiting

    def listed(self, model: Any) -> Level:
        """Layers of a model without a graph, one below the other."""
        level = Level()
        for layer in model.layers:
            level.items.append(self.card_of_layer(layer, None, "layer"))
        level.edges = [Edge(a, 0, b, hidden=True) for a, b in zip(level.items, level.items[1:], strict=False)]
        return level

    # ---- cards ----

    def card(self, node: Node, parent: Item | None, expanded: bool) -> Item:
        if is_layer(node):
            item = self.card_of_layer(node.target, parent, "group" if expanded else "layer")
        else:
            item = self.item("operation", operation_words(node), node.name, "op", parent)
            item.target = node
        return item

    def card_of_layer(self, layer: Any, parent: Item | None, role: str) -> Item:
        name = str(getattr(layer, "name", ""))
        item = self.item(role, kind_of(layer), name, family_of(layer).key, parent)
        item.target = layer
        item.config = _contents(layer) if item.family.key == "model" else config_line(layer)
        item.activation = activation_word(layer)
        weights = weights_of(layer)
        item.params = count(weights)
        item.trainable = is_trained(layer, weights) if weights else None
        self.calls[layer].append(item)
        return item

    def mark_shared(self) -> None:
        """Link the cards of a layer that has weights and several calls; its weights count at the first."""
        letter = 0
        for items in self.calls.values():
            if len(items) < 2 or items[0].trainable is None:
                continue
            whole = all(item.parent is not None and item.parent.share is not None for item in items)
            for number, item in enumerate(items):
                if not whole:  # a container's badge speaks for what is in it
                    item.share = Share(_letter(letter), number + 1, len(items))
                if number:
                    item.params = 0
            letter += not whole


def _name_paths(top: Level) -> None:
    """Give every item its path; calls of one name in one level are numbered from the second on."""
    levels = [("", top)]
    for before, level in levels:  # grows while it is read
        taken: Counter[str] = Counter()
        for item in level.items:
            word = (item.name or item.kind or item.role).lower() if item.role == "output" else item.name or item.kind
            word = f"{'>' if item.role == 'entry' else '<' if item.role == 'exit' else ''}{word}"
            taken[word] += 1
            item.path = before + (word if taken[word] == 1 else f"{word}#{taken[word]}")
            if item.level is not None:
                levels.append((f"{item.path}/", item.level))


def _letter(number: int) -> str:
    letters = _LETTERS[number % 26]
    return letters if number < 26 else f"{letters}{number // 26}"


def _fed(inner: Graph, node: Node) -> list[Any]:
    given = node.args[0] if node.args else next(iter(node.kwargs.values()))
    return inner.match_inputs(given)


def _tensor(value: SymbolicValue) -> Tensor:
    if isinstance(value, SymbolicTensor):
        return Tensor(value.shape, dtypes.name(value.dtype))
    return Tensor(None, "")


def _contents(model: Any) -> str:
    inside = sum(kind_of(layer) != "InputLayer" for layer in model.layers)
    return f"{inside} layer{'' if inside == 1 else 's'}"


def _output_names(graph: Graph) -> list[str]:
    structure = graph.output_structure
    if isinstance(structure, dict) and not any(isinstance(v, (dict, list, tuple)) for v in structure.values()):
        return [str(key) for key in structure]
    return [tensor.name for tensor in graph.outputs]
