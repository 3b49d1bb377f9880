"""The names of a model's layers and outputs."""

from __future__ import annotations

from collections.abc import Container, Sequence

from ramify.errors import DuplicateNameError
from ramify.graph import Graph
from ramify.layers.layer import Layer
from ramify.naming import to_snake_case


def output_names(graph: Graph) -> list[str]:
    """One name per output of a graph."""
    structure = graph.output_structure
    if isinstance(structure, dict) and not any(isinstance(v, (dict, list, tuple)) for v in structure.values()):
        return [str(key) for key in structure]
    return [tensor.name for tensor in graph.outputs]


def unique(name: str, taken: Container[str]) -> str:
    """The name itself, or with the first number that makes it one of its own.

    >>> unique("tower", {"tower", "tower_1"})
    'tower_2'
    """
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def settle_names(layers: Sequence[Layer]) -> None:
    """Give automatic names that depend on this model alone; names that a user gave stay, and must differ.

    Models inside may have been given the same name, as two of one function often are: later ones get a number.

    Raises:
        DuplicateNameError: two layers were given the same name.
    """
    taken: dict[str, Layer] = {}
    given = {layer.name for layer in layers if getattr(layer, "_name_is_given", True)}
    for layer in layers:
        if not getattr(layer, "_name_is_given", True):
            continue
        if layer.name in taken and hasattr(type(layer), "has_graph"):
            layer.name = unique(layer.name, given)
            given.add(layer.name)
        if layer.name in taken:
            raise DuplicateNameError(
                f"Two layers are named '{layer.name}' ({type(taken[layer.name]).__name__} and {type(layer).__name__}). "
                "Give each layer of a model a name of its own, or none."
            )
        taken[layer.name] = layer
    waiting = []
    for layer in layers:
        if not layer._name_is_given and layer._name_is_settled and layer.name not in taken:
            taken[layer.name] = layer
        elif not layer._name_is_given:
            waiting.append(layer)
    counts: dict[str, int] = {}
    for layer in sorted(waiting, key=lambda one: one._serial):
        base = to_snake_case(type(layer).__name__)
        number = counts.get(base, 0)
        while (name := f"{base}_{number}" if number else base) in taken:
            number += 1
        counts[base] = number + 1
        taken[name] = layer
        layer.name = name
