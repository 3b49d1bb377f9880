"""`Node`: the frozen record of one call, and `SymbolicValue`, the common part of what calls return."""

from __future__ import annotations

import itertools
import weakref
from dataclasses import dataclass, field
from typing import Any

import torch

from ramify.graph.structure import Path, by_keys, flatten, walk

_serial = itertools.count()
# An index beside the layers, not in them: recording a call changes no layer.
_calls: weakref.WeakKeyDictionary[torch.nn.Module, list[weakref.ref[Node]]] = weakref.WeakKeyDictionary()


class SymbolicValue:
    """A value that will exist when the graph runs; it knows the node that makes it.

    Attributes:
        node: the call that returns this value.
        path: keys and indices that lead to it in the nested result of the call; empty when it is the result itself.
    """

    __slots__ = ("__weakref__", "node", "path")
    node: Node
    path: Path


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Node:
    """One call: what was called, with which arguments, and what it returned.

    Attributes:
        target: a layer (any `torch.nn.Module`) or a function.
        args: positional arguments, nested as they were given, with symbolic values as leaves.
        kwargs: keyword arguments, likewise.
        label: a short word for the call.
        implicit: names of the keyword arguments that were filled in rather than given (masks).
        is_input: whether the call is where data enters (an `Input`).
        outputs: the nested result, with symbolic values (and constants) as leaves. Set once, when the call is made.
        serial: rises with every call made in the process; an order of creation.
    """

    target: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    label: str
    implicit: tuple[str, ...] = ()
    is_input: bool = False
    outputs: Any = None
    serial: int = field(default_factory=lambda: next(_serial))

    @property
    def name(self) -> str:
        """The layer's name, for a call of a layer; else the label."""
        return str(getattr(self.target, "name", self.label)) if isinstance(self.target, torch.nn.Module) else self.label

    @property
    def inputs(self) -> list[SymbolicValue]:
        """The symbolic values among the arguments, in order (dicts by their keys), each as often as it is used."""
        given = (self.args, self.kwargs) if self.kwargs else self.args
        return [leaf for leaf in by_keys(given) if isinstance(leaf, SymbolicValue)]

    @property
    def output_values(self) -> list[SymbolicValue]:
        """The symbolic values in the result, in order."""
        return [leaf for leaf in flatten(self.outputs) if isinstance(leaf, SymbolicValue)]

    def finish(self, outputs: Any) -> Any:
        """Give the node its result and the values in it their node; called once."""
        for path, leaf in walk(outputs):
            if isinstance(leaf, SymbolicValue):
                leaf.node, leaf.path = self, path
        object.__setattr__(self, "outputs", outputs)
        if isinstance(self.target, torch.nn.Module):
            _calls.setdefault(self.target, []).append(weakref.ref(self))
        return outputs

    def describe(self) -> str:
        """A short description for messages, such as ``Dense 'dense_1'``."""
        kind = type(self.target).__name__ if isinstance(self.target, torch.nn.Module) else "operation"
        return f"{kind} '{self.name}'"


def calls_of(target: torch.nn.Module | None = None) -> list[Node]:
    """Every call recorded of a layer (of all layers, without one) that something still refers to, in order."""
    if target is None:
        return [node for layer in list(_calls) for node in calls_of(layer)]
    alive = [(ref, node) for ref in _calls.get(target, []) if (node := ref()) is not None]
    if alive:
        _calls[target] = [ref for ref, _ in alive]
    return [node for _, node in alive]


def unlist(node: Node) -> None:
    """Leave a call out of `calls_of`: the layer's `output` stays what it was before the call."""
    _calls[node.target] = [ref for ref in _calls.get(node.target, []) if ref() is not node]
