"""What summaries and pictures say of a call: its kind, its weights, what it reads, and whether it is a graph itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

from ramify import dtypes
from ramify.graph import Graph, Node, SymbolicValue
from ramify.graph.structure import flatten
from ramify.layers.layer import Layer


def kind_of(target: Any) -> str:
    """The class of a layer; a wrapped `torch.nn.Module` answers with its own."""
    name = type(target).__name__
    if name == "TorchModuleWrapper" and isinstance(inner := getattr(target, "module", None), torch.nn.Module):
        return type(inner).__name__
    return name


def graph_of(target: Any) -> Graph | None:
    """The graph that a model is, or ``None`` for what is no graph."""
    return target.graph if hasattr(type(target), "has_graph") and target.has_graph else None


def weights_of(target: Any) -> list[torch.Tensor]:
    """The weights of a layer or module, each once; none of a function."""
    if isinstance(target, Layer):
        return list(target.weights)
    if isinstance(target, torch.nn.Module):
        return list({id(w): w for w in (*target.parameters(), *target.buffers())}.values())
    return []


def trained_of(target: Any) -> list[torch.Tensor]:
    """The weights that training changes."""
    if isinstance(target, Layer):
        return list(target.trainable_weights)
    return [weight for weight in weights_of(target) if weight.requires_grad]


def is_trained(target: Any, weights: list[torch.Tensor]) -> bool:
    """Whether training changes any of a layer's or module's weights."""
    return getattr(target, "trainable", True) is not False and any(weight.requires_grad for weight in weights)


def count(weights: Iterable[Any]) -> int:
    """The number of values in tensors, or in what has a shape as they do."""
    return sum(math.prod(weight.shape) for weight in weights)


def size_in_bytes(weights: Iterable[Any]) -> int:
    """The memory of tensors, in bytes."""
    return sum(math.prod(weight.shape) * dtypes.to_torch(weight.dtype).itemsize for weight in weights)


def readable_size(size: float) -> str:
    """Bytes in words.

    >>> readable_size(4936), readable_size(12)
    ('4.82 KB', '12.00 B')
    """
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


def readable_number(number: float) -> str:
    """A large number in words, to stand before its unit.

    >>> readable_number(7_715_946_496) + "FLOPs", readable_number(12)
    ('7.72 GFLOPs', '12 ')
    """
    for unit in ("", "k", "M", "G", "T"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} P"


def read_by(node: Node) -> list[SymbolicValue]:
    """The values that a call was given, in order; masks that were filled in for it are left out."""
    given = [*node.args, *(value for name, value in node.kwargs.items() if name not in node.implicit)]
    return [leaf for leaf in leaves_of(given) if isinstance(leaf, SymbolicValue)]


def made_by(node: Node) -> list[SymbolicValue]:
    """The values that a call returns, in order."""
    return [node.outputs] if isinstance(node.outputs, SymbolicValue) else node.output_values


def leaves_of(given: Iterable[Any]) -> list[Any]:
    """What `flatten` finds in arguments, sooner where most of them hold nothing."""
    found: list[Any] = []
    for value in given:
        if isinstance(value, (list, tuple, dict, slice)):
            found += flatten(value)
        else:
            found.append(value)
    return found


def shown_calls(graph: Graph) -> dict[Node, list[SymbolicValue]]:
    """The calls of a graph that its outputs need, in order, and what each reads; not those that only make masks."""
    starts = set(graph.inputs)
    reads: dict[Node, list[SymbolicValue]] = {}
    stack = [value.node for value in graph.outputs if value not in starts]
    while stack:
        node = stack.pop()
        if node not in reads:
            reads[node] = read_by(node)
            stack.extend(value.node for value in reads[node] if value not in starts)
    return {node: reads[node] for node in graph.nodes if node in reads}


def is_layer(node: Node) -> bool:
    """Whether a call is of a layer, rather than of a function."""
    return isinstance(node.target, torch.nn.Module)
