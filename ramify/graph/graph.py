"""`Graph`: the slice of recorded calls between some inputs and some outputs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import cached_property
from keyword import iskeyword
from typing import Any

import torch
import torch.fx

from ramify.errors import DisconnectedError, DuplicateNameError, GraphError, InputError
from ramify.graph import flat
from ramify.graph.node import Node, SymbolicValue
from ramify.graph.structure import flatten, walk
from ramify.graph.tensor import SymbolicTensor
from ramify.naming import unique


class Graph:
    """The calls needed to get from `inputs` to `outputs`, checked and in order.

    Args:
        inputs: symbolic tensors, nested as they will be fed. They need not be `Input`s: a graph may start anywhere.
        outputs: symbolic tensors, nested as they will be returned.

    Attributes:
        inputs: the input tensors, flat.
        outputs: the output tensors, flat.
        nodes: every call between them, in the order in which the calls were made (so each after what it reads).

    Raises:
        DisconnectedError: an output depends on an `Input` that is not given.
        InputError: something that is no symbolic tensor among the inputs or outputs.
        GraphError: one tensor given twice as an input.

    Example:

    >>> import ramify
    >>> a = ramify.Input((4,), name="a")
    >>> Graph(a, {"double": a * 2}).nodes[0].name
    'mul'
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.input_structure = _checked(inputs, "inputs")
        self.output_structure = _checked(outputs, "outputs")
        self.inputs: list[SymbolicTensor] = flatten(inputs)
        self.outputs: list[SymbolicTensor] = flatten(outputs)
        if len(set(map(id, self.inputs))) < len(self.inputs):
            raise GraphError("The same tensor is given twice in `inputs`. Give every input once.")
        masks = [out.mask for out in self.outputs if out.mask is not None]
        self._postorder = _reach(self.inputs, self.outputs)
        try:
            reached = _reach(self.inputs, [*self.outputs, *masks]) if masks else self._postorder
            self.output_masks = [out.mask for out in self.outputs]
        except DisconnectedError:  # a graph cut out of the middle has no way to the masks before it
            reached = self._postorder
            self.output_masks = [None] * len(self.outputs)
        self.nodes = sorted((n for n in reached if not n.is_input), key=lambda n: n.serial)

    # ---- names ----

    @cached_property
    def input_names(self) -> list[str]:
        """One name per input, in order: the key in a dict of inputs, else the tensor's name."""
        named = isinstance(self.input_structure, dict)
        names = [path[0] if named and len(path) == 1 else leaf.name for path, leaf in walk(self.input_structure)]
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise DuplicateNameError(f"Two inputs are named '{twice[0]}'. Give each `Input` a name of its own.")
        return names

    @cached_property
    def layers(self) -> list[Any]:
        """The distinct layers of the graph, input layers included: deepest first, as Keras orders them."""
        depth: dict[Any, int] = {}
        node_depth: dict[Node, int] = {}
        for node in reversed(self._postorder):
            own = max(node_depth.get(node, 0), depth.get(_key(node), 0))
            depth[_key(node)] = node_depth[node] = own
            for value in node.inputs:
                if value not in self._input_set:
                    node_depth[value.node] = max(own + 1, node_depth.get(value.node, 0))
                elif value.node.is_input:
                    depth[_key(value.node)] = max(own + 1, depth.get(_key(value.node), 0))
        for tensor in self.inputs:
            if tensor.node.is_input:
                depth.setdefault(_key(tensor.node), 0)
        rank = {key: i for i, key in enumerate(self._preorder_keys)}
        order = sorted(depth, key=lambda key: (-depth[key], rank.get(key, -1)))
        return [key for key in order if isinstance(key, torch.nn.Module)]

    @cached_property
    def _input_set(self) -> set[SymbolicValue]:
        return set(self.inputs)

    @cached_property
    def _preorder_keys(self) -> list[Any]:
        """Targets in the order in which a walk back from the outputs first meets them."""
        seen: dict[Any, None] = {}
        done: set[Node] = set()
        stack: list[SymbolicValue] = list(reversed(self.outputs))
        while stack:
            node = (value := stack.pop()).node
            if node in done:
                continue
            seen.setdefault(_key(node), None)
            if value in self._input_set:
                continue
            done.add(node)
            stack.extend(reversed(node.inputs))
        return list(seen)

    @cached_property
    def module_names(self) -> dict[Any, str]:
        """Layer -> the attribute name under which a module can hold it; unique within the graph."""
        names: dict[Any, str] = {}
        taken: set[str] = set()
        for layer in self.layers:
            base = str(getattr(layer, "name", type(layer).__name__)).replace(".", "_") or "layer"
            base = f"{base}_" if hasattr(torch.fx.GraphModule, base) or iskeyword(base) else base
            names[layer] = unique(base, taken)
        return names

    # ---- feeding ----

    def match_inputs(self, given: Any) -> list[Any]:
        """The values for the inputs, in order, out of what a caller passed.

        Args:
            given: one value, a list or tuple in the order of the inputs, a dict by their names (more keys than needed
                are ignored), or the nested structure that the graph was made with.

        Raises:
            InputError: values are missing, or there are too many of them.
        """
        if isinstance(given, Mapping):
            return self._match_names(given)
        if len(self.inputs) == 1 and not isinstance(given, (list, tuple)):
            return [given]
        values = given if isinstance(given, (list, tuple)) else [given]
        if any(isinstance(value, (list, tuple, dict)) for value in values):
            values = flatten(values) if len(flatten(values)) == len(self.inputs) else values
        if len(values) != len(self.inputs):
            raise InputError(
                f"The model takes {len(self.inputs)} input(s) ({', '.join(self.input_names)}), "
                f"but {len(values)} were given. Pass a list in this order or a dict by these names."
            )
        return list(values)

    def _match_names(self, given: Mapping[Any, Any]) -> list[Any]:
        structure = self.input_structure
        if isinstance(structure, dict) and any(isinstance(value, (dict, list, tuple)) for value in structure.values()):
            return [_follow(given, path, self.input_names) for path, _ in walk(self.input_structure)]
        values = []
        for name, tensor in zip(self.input_names, self.inputs, strict=True):
            key = name if name in given else tensor.name
            if key not in given and not getattr(tensor.node.target, "optional", False):
                raise InputError(
                    f"No value for the input '{name}': the dict has the keys {sorted(map(str, given))}, "
                    f"the inputs are {self.input_names}. Add the missing key."
                )
            values.append(given.get(key))
        return values

    # ---- copying ----

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        return _restored(copy.deepcopy(flat.dump(self), memo))

    def __reduce__(self) -> Any:
        return _restored, (flat.dump(self),)


def _restored(state: dict[str, Any]) -> Graph:
    return Graph(*flat.load(state))


def _key(node: Node) -> Any:
    """What counts as one and the same when layers are listed: the layer, or the call of a function."""
    return node.target if isinstance(node.target, torch.nn.Module) else node


def _follow(given: Any, path: tuple[Any, ...], names: list[str]) -> Any:
    try:
        for key in path:
            given = given[key]
    except (KeyError, IndexError, TypeError):
        raise InputError(f"No value for the input at {path}; the inputs are {names}. Add it.") from None
    return given


def _checked(structure: Any, what: str) -> Any:
    leaves = list(walk(structure))
    if not leaves:
        raise InputError(f"`{what}` is empty. Pass the symbolic tensors that the model starts from and ends in.")
    for path, leaf in leaves:
        if isinstance(leaf, SymbolicTensor):
            continue
        where = f"`{what}`" + "".join(f"[{key!r}]" for key in path)
        if isinstance(leaf, torch.nn.Module):
            raise InputError(
                f"{where} is the layer '{getattr(leaf, 'name', type(leaf).__name__)}' itself, which was never called "
                "here. Pass what it returns: `layer(x)`."
            )
        if leaf is None:
            raise InputError(f"{where} is missing (None). A functional model needs both `inputs` and `outputs`.")
        raise InputError(
            f"{where} is {_article(leaf)}, not a symbolic tensor. Start from `ramify.Input(shape=...)` and pass what "
            "layers return; data is fed later, in `fit` or by calling the model."
        )
    return structure


def _article(value: Any) -> str:
    kind = {"ndarray": "NumPy array"}.get(type(value).__name__, type(value).__name__)
    shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else f" ({value!r:.40})"
    return f"a{'n' if kind[0].lower() in 'aeiou' else ''} {kind}{shape}"


def _reach(inputs: Iterable[SymbolicValue], outputs: Iterable[SymbolicValue]) -> list[Node]:
    """Every node that the outputs need, each after the ones it reads (post-order of a walk back)."""
    starts = set(inputs)
    order: list[Node] = []
    seen: set[Node] = set()
    users: dict[Node, Node | None] = {}
    stack: list[tuple[Node, bool]] = []
    for value in outputs:
        if value in starts or value.node in seen:
            continue
        users.setdefault(value.node, None)
        stack.append((value.node, False))
        while stack:
            node, expanded = stack.pop()
            if expanded:
                order.append(node)
                continue
            if node in seen:
                continue
            seen.add(node)
            if node.is_input:
                raise _disconnected(node, users, starts)
            stack.append((node, True))
            for parent in reversed(node.inputs):
                if parent not in starts and parent.node not in seen:
                    users[parent.node] = node
                    stack.append((parent.node, False))
    return order


def _disconnected(node: Node, users: Mapping[Node, Node | None], starts: set[SymbolicValue]) -> DisconnectedError:
    steps: list[str] = []
    user = users.get(node)
    while user is not None and len(steps) < 20:
        steps.append(user.describe())
        user = users.get(user)
    path = " -> ".join([f"Input '{node.name}'", *steps, "output"])
    shape = getattr(node.outputs, "shape", None)
    given = ", ".join(f"'{getattr(v, 'name', '?')}'" for v in starts) or "none"
    return DisconnectedError(
        f"An output needs the input '{node.name}' of shape {shape}, which is not among the model's inputs ({given}). "
        f"Path: {path}. Add '{node.name}' to `inputs`, or take the output from tensors that the given inputs reach."
    )
