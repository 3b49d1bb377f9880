"""What in a model has weights of its own, and under which path files hold it.

A path follows attributes: ``layers/dense_1``, ``encoder/layers/lstm/cell``. Names of attributes are taken in
alphabetical order, private ones last (under the name of a public property that shows them, if there is one); in lists
and dicts of layers, the name is that of the class with a number where it repeats. A layer that can be reached in
several ways is held once, at the first of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ramify.layers.layer import Layer
from ramify.naming import to_snake_case

OPTIMIZER = "optimizer"
# Keras's name for the class, and no properties that show what is in it.
_ELSEWHERE = {"GroupQueryAttention": "grouped_query_attention"}
_OURS = ("ramify.", "torch.", "builtins")


@dataclass
class Part:
    """Something with weights of its own.

    Attributes:
        path: where files hold it; empty for the model itself.
        owner: the layer, or the optimizer.
        container: the path of the list that a layer is in, if it is in one.
        name: the owner's name.
    """

    path: str
    owner: Any
    container: str | None = None
    name: str = ""


def parts_of(root: Layer) -> Iterator[Part]:
    """Every layer in a model, the model first, each once; and its optimizer."""
    seen: set[int] = set()
    stack: list[tuple[str, Any, str | None]] = [("", root, None)]
    while stack:
        path, item, container = stack.pop()
        if isinstance(item, (list, tuple, dict)):
            found = [(join(path, name), child, path) for name, child in named_items(item)]
            stack.extend(reversed(found))
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield Part(path, item, container, getattr(item, "name", ""))
        if isinstance(item, Layer):
            top = item is root
            stack.extend(reversed([(join(path, name), child, None) for name, child in _children(item, top=top)]))


def count_of(model: Layer) -> int:
    """How many groups and arrays a file of a model has."""
    return 2 * sum(1 for _ in parts_of(model)) + len(model.weights)


def join(path: str, name: str) -> str:
    """Two parts of a path."""
    return f"{path}/{name}" if path else name


def named_items(container: Any) -> Iterator[tuple[str, Any]]:
    """The layers and containers of layers in a list or dict, with the names that files give them."""
    counts: dict[str, int] = {}
    for item in container.values() if isinstance(container, dict) else container:
        if isinstance(item, Layer):
            base = _ELSEWHERE.get(type(item).__name__) or to_snake_case(type(item).__name__)
        elif _holds_layers(item):
            base = "container"
        else:
            continue
        count = counts[base] = counts.get(base, -1) + 1
        yield (f"{base}_{count}" if count else base), item


def _holds_layers(item: Any) -> bool:
    if isinstance(item, (list, tuple)):
        return any(isinstance(one, Layer) or _holds_layers(one) for one in item)
    return isinstance(item, dict) and any(isinstance(one, Layer) or _holds_layers(one) for one in item.values())


def _children(layer: Any, *, top: bool) -> list[tuple[str, Any]]:
    """Attribute name -> sublayer or container of them, in the order in which files are written."""
    found: dict[str, Any] = {}
    for name in _attributes(layer):
        held = layer.__dict__.get(name)
        value = held if _holds_layers(held) else layer._modules.get(name)
        if isinstance(value, Layer) or _holds_layers(value):
            found[_shown_name(layer, name)] = value
    found |= _own_properties(layer)
    if _is_network(layer):
        found["layers"] = layer.layers
        optimizer = getattr(layer, OPTIMIZER, None)
        if top and optimizer is not None:
            found[OPTIMIZER] = optimizer
    return sorted(found.items(), key=lambda item: (item[0].startswith("_"), item[0]))


def _is_network(layer: Any) -> bool:
    return hasattr(type(layer), "has_graph")


def _attributes(layer: Any) -> list[str]:
    """Attributes that may hold layers, without those that hold the layers of a graph."""
    names = [*layer._modules, *layer.__dict__.get("_tracked", ())]
    if "_stack" in layer.__dict__:  # a sequential model
        own = set(map(id, layer.__dict__["_stack"]))
        return [name for name in names if id(layer._modules.get(name)) not in own and name != "_stack"]
    if _is_network(layer) and layer.has_graph:
        of_graph = {name: inner for inner, name in layer.graph.module_names.items()}
        return [name for name in names if name not in of_graph or layer._modules.get(name) is not of_graph[name]]
    return names


def _shown_name(layer: Layer, name: str) -> str:
    public = name if type(layer).__name__ in _ELSEWHERE else name.lstrip("_")
    return public if public != name and isinstance(getattr(type(layer), public, None), property) else name


def _own_properties(layer: Layer) -> dict[str, Any]:
    """What public properties of a user's class show of the layers in it."""
    found: dict[str, Any] = {}
    for base in type(layer).__mro__:
        if base.__module__.startswith(_OURS):
            continue
        for name, member in vars(base).items():
            if isinstance(member, property) and not name.startswith("_") and name not in found:
                try:
                    value = inspect.getattr_static(layer, name).fget(layer)
                except Exception:  # noqa: BLE001, S112 - a property that cannot answer now shows nothing
                    continue
                if isinstance(value, Layer) or (isinstance(value, (list, tuple, dict)) and _holds_layers(value)):
                    found[name] = value
    return found


def class_name(part: Part) -> str:
    """A word for messages, such as ``Dense 'dense_1'``."""
    owner = part.owner
    return str(owner.describe()) if isinstance(owner, Layer) else f"{type(owner).__name__} '{part.name}'"
