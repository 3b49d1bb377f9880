"""A functional graph as a config in Keras's layout, and back.

A config lists the layers; each with one entry in ``inbound_nodes`` per call of it, and each argument that comes out of
another call as ``{"class_name": "__keras_tensor__", "config": {"keras_history": [layer, call, output]}}``. Operations
stand among the layers. Two habits of Keras are kept: outputs in a dict are counted in the order of their sorted keys,
and the calls of a nested functional model are counted from 1 where the outer model's outputs name them.
"""

from __future__ import annotations

import heapq
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from ramify import dtypes, registry
from ramify.errors import FileFormatError
from ramify.graph import Graph, Node, SymbolicTensor, SymbolicValue, record
from ramify.graph.structure import by_keys, map_leaves
from ramify.layers.core.input_layer import InputLayer
from ramify.layers.layer import Layer
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.pipeline import Pipeline
from ramify.models import operations

Key = tuple[str, int]
_TENSOR, _TUPLE, _DTYPE = "__keras_tensor__", "__tuple__", "__dtype__"
FUNCTIONAL_KEYS = {"layers", "input_layers", "output_layers"}
# Keras writes `training=False` for every call of these, given or not; and `training=True` for layers on images.
_RECURRENT = {"RNN", "SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}


def is_functional_config(config: Mapping[str, Any]) -> bool:
    """Whether a config describes a graph."""
    return set(config) >= FUNCTIONAL_KEYS


def has_functional_constructor(cls: type) -> bool:
    """Whether a model class is made from `inputs` and `outputs`, so that a graph is all there is to write."""
    names = list(inspect.signature(cls).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in names) and any(p.kind is p.VAR_KEYWORD for p in names):
        return True
    return {"inputs", "outputs"} <= {p.name for p in names}


# ---- a graph to its config ----


def graph_config(graph: Graph, counts_from_one: Callable[[Any], bool]) -> dict[str, Any]:
    """The layers of a graph, how they are called, and where data enters and leaves.

    Args:
        graph: the graph.
        counts_from_one: whether a layer is a functional model, whose calls outputs count from 1.

    Raises:
        ArgumentError: an operation or an argument that cannot be written.
    """
    return _Writer(graph, counts_from_one).config()


class _Writer:
    def __init__(self, graph: Graph, counts_from_one: Callable[[Any], bool]) -> None:
        self.graph = graph
        self.counts_from_one = counts_from_one
        self.place: dict[Node, Key] = {}
        self.calls: dict[Any, list[Node]] = {}
        self.inputs: dict[SymbolicValue, Key] = {}
        self.names: set[str] = {layer.name for layer in graph.layers}

    def config(self) -> dict[str, Any]:
        entries = [self._input(tensor) for tensor in self.graph.inputs]
        for node in self.graph.nodes:
            self._number(node)
        entries += [self._entry(target, calls) for target, calls in self.calls.items()]
        return {
            "layers": entries,
            "input_layers": self._ends(self.graph.input_structure),
            "output_layers": self._ends(self.graph.output_structure),
        }

    def _number(self, node: Node) -> None:
        if isinstance(node.target, torch.nn.Module):
            calls = self.calls.setdefault(node.target, [])
            self.place[node] = (str(node.target.name), len(calls))
            calls.append(node)
        else:
            self.calls[node] = [node]
            self.place[node] = (self._free_name(node.label), 0)

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 0
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.add(name)
        return name

    def _input(self, tensor: SymbolicTensor) -> dict[str, Any]:
        layer = tensor.node.target
        if not tensor.node.is_input:  # a graph that was cut out of another one: its end becomes an input
            layer = InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=self._free_name("input_layer"))
        self.inputs[tensor] = (layer.name, 0)
        return {**registry.serialize_instance(layer), "name": layer.name, "inbound_nodes": []}

    def _entry(self, target: Any, calls: list[Node]) -> dict[str, Any]:
        if isinstance(target, Node):
            data, (args, kwargs) = operations.describe(target.target, target.args, target.kwargs)
            keep_tuples = data["class_name"] == operations.CLASS
            name = self.place[target][0]
            call = {"args": [self._value(a, keep_tuples) for a in args]}
            call["kwargs"] = {key: self._value(value, keep_tuples) for key, value in kwargs.items()}  # type: ignore[assignment]
            data["config"] = {"name": name, **self._value(data["config"], keep_tuples=False)}
            return {**data, "name": name, "inbound_nodes": [call]}
        data = registry.serialize_instance(target)
        data["name"] = target.name
        data["inbound_nodes"] = [self._call(node) for node in calls]
        return data

    def _call(self, node: Node) -> dict[str, Any]:
        kwargs = {key: self._value(v) for key, v in node.kwargs.items() if key not in node.implicit}
        return {"args": [self._value(arg) for arg in node.args], "kwargs": kwargs}

    def _value(self, value: Any, keep_tuples: bool = False) -> Any:
        if isinstance(value, SymbolicValue):
            shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
            history = {"keras_history": list(self._history(value))}
            described = {"shape": shape, "dtype": dtype and dtypes.name(dtype), **history}
            return {"class_name": _TENSOR, "config": described}
        if isinstance(value, (list, tuple)):
            items = [self._value(item, keep_tuples) for item in value]
            return {"class_name": _TUPLE, "config": items} if keep_tuples and isinstance(value, tuple) else items
        if isinstance(value, dict):
            return {key: self._value(item, keep_tuples) for key, item in value.items()}
        if isinstance(value, slice):
            ends = {end: self._value(getattr(value, end)) for end in ("start", "stop", "step")}
            return {"class_name": "__slice__", "config": ends}
        if isinstance(value, torch.dtype):
            return {"class_name": _DTYPE, "config": dtypes.name(value)} if keep_tuples else dtypes.name(value)
        return registry.serialize(value)

    def _history(self, value: SymbolicValue) -> tuple[str, int, int]:
        """Layer, call and output."""
        if value in self.inputs:
            return (*self.inputs[value], 0)
        paths = [leaf for leaf in by_keys(value.node.outputs) if isinstance(leaf, SymbolicValue)]
        return (*self.place[value.node], paths.index(value))

    def _ends(self, structure: Any) -> Any:
        if isinstance(structure, SymbolicValue):
            name, call, output = self._history(structure)
            inner = structure not in self.inputs and self.counts_from_one(structure.node.target)
            return [name, call + inner, output]
        if isinstance(structure, dict):
            return {key: self._ends(item) for key, item in structure.items()}
        return [self._ends(item) for item in structure]


# ---- a config to a graph ----


def graph_from_config(config: Mapping[str, Any], counts_from_one: Callable[[Any], bool]) -> tuple[Any, Any]:
    """Make the layers of a config and call them; returns the graph's inputs and outputs, nested as they were.

    Raises:
        FileFormatError: the config refers to calls that it does not have, or that go in a circle.
    """
    reader = _Reader(counts_from_one)
    with registry.loading():
        for entry in config["layers"]:
            reader.add(entry)
    reader.run()
    return reader.ends(config["input_layers"]), reader.ends(config["output_layers"])


class _Reader:
    def __init__(self, counts_from_one: Callable[[Any], bool]) -> None:
        self.counts_from_one = counts_from_one
        self.targets: dict[str, Any] = {}
        self.calls: dict[Key, Mapping[str, Any]] = {}
        self.made: dict[Key, list[Any]] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        name, calls = entry.get("name"), entry.get("inbound_nodes")
        if not isinstance(name, str) or not isinstance(calls, list):
            raise FileFormatError(
                f"An entry of the config's layers ({entry!s:.80}) has no `name` or no `inbound_nodes`."
            )
        if name in self.targets:
            raise FileFormatError(f"The config has two layers named '{name}', so calls of them cannot be told apart.")
        if operations.is_operation(entry):
            self.targets[name] = entry
        else:
            # The calls build it; `build_config` is for layers that no call of the graph reaches.
            bare = {key: value for key, value in entry.items() if key not in ("build_config", "compile_config")}
            layer = registry.deserialize(bare, "keras.layers", what="layer")
            if not isinstance(layer, Layer):
                raise FileFormatError(f"'{name}' in the config is {type(layer).__name__}, which is no layer.")
            if layer.name != name:
                layer.name = name
            self.targets[name] = layer
            if isinstance(layer, InputLayer):
                self.made[name, 0] = [layer.output]
        self.calls.update({(name, i): call for i, call in enumerate(_modern(calls))})

    def run(self) -> None:
        """Make every call as soon as what it reads is there; of those that can be made, the first in the config."""
        places = {key: place for place, key in enumerate(self.calls)}
        users: dict[Key, list[Key]] = {}
        waiting: dict[Key, int] = {}
        for key, call in self.calls.items():
            needs = {need for need in _needs(call) if need not in self.made}
            if key[1]:
                needs.add((key[0], key[1] - 1))
            for need in needs:
                users.setdefault(need, []).append(key)
            waiting[key] = len(needs)
        ready = [(places[key], key) for key, count in waiting.items() if not count]
        heapq.heapify(ready)
        done = 0
        while ready:
            _, key = heapq.heappop(ready)
            self._make(key)
            done += 1
            for user in users.get(key, ()):
                waiting[user] -= 1
                if not waiting[user]:
                    heapq.heappush(ready, (places[user], user))
        if done < len(self.calls):
            stuck = sorted({key[0] for key, count in waiting.items() if count and key not in self.made})[:5]
            raise FileFormatError(
                f"The calls of {', '.join(map(repr, stuck))} in the config read results that nothing makes, or go in a "
                "circle. The file is damaged; save the model again."
            )

    def _make(self, key: Key) -> None:
        call, target = self.calls[key], self.targets[key[0]]
        args = tuple(self._value(arg) for arg in call.get("args", ()))
        kwargs = {name: self._value(value) for name, value in call.get("kwargs", {}).items()}
        if isinstance(target, Layer):
            result = target(*args, **_given(target, kwargs))
        else:
            args, kwargs = map_leaves(_as_tensor, args), map_leaves(_as_tensor, kwargs)
            function, (args, kwargs) = operations.resolve(target, args, kwargs)
            if not any(isinstance(leaf, SymbolicValue) for leaf in by_keys([args, list(kwargs.values())])):
                raise FileFormatError(f"The operation '{key[0]}' in the config is called on no tensor of the graph.")
            result = record(function, args, kwargs, key[0])
        self.made[key] = [leaf for leaf in by_keys(result) if isinstance(leaf, SymbolicValue)]

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        kind = value.get("class_name")
        if kind == _TENSOR:
            return self._at(value["config"]["keras_history"])
        if kind == _TUPLE:
            return tuple(self._value(item) for item in value["config"])
        if kind == _DTYPE:
            return dtypes.to_torch(str(value["config"]))
        if kind == "__slice__":
            return slice(*(self._value(value["config"].get(end)) for end in ("start", "stop", "step")))
        if kind is not None and "config" in value:
            return registry.deserialize(value)
        return {key: self._value(item) for key, item in value.items()}

    def _at(self, history: Any, from_one: bool = False) -> SymbolicValue:
        name, call, output = history
        if from_one and self.counts_from_one(self.targets.get(name)):
            call -= 1
        results = self.made.get((name, call), [])
        if not isinstance(output, int) or not 0 <= output < len(results):
            raise FileFormatError(f"The config refers to output {output} of call {call} of '{name}'; there is none.")
        found: SymbolicValue = results[output]
        return found

    def ends(self, structure: Any) -> Any:
        """The tensors that `input_layers` or `output_layers` name, nested as they are."""
        if isinstance(structure, Mapping):
            return {key: self.ends(item) for key, item in structure.items()}
        if not isinstance(structure, (list, tuple)):
            raise FileFormatError(f"The config's inputs or outputs hold {structure!r:.60}, where a layer belongs.")
        if len(structure) == 3 and isinstance(structure[0], str) and all(isinstance(i, int) for i in structure[1:]):
            return self._at(structure, from_one=True)
        return [self.ends(item) for item in structure]


def _as_tensor(value: Any) -> Any:
    return torch.as_tensor(value) if isinstance(value, np.ndarray) else value


def _modern(calls: list[Any]) -> list[Mapping[str, Any]]:
    for call in calls:
        if not isinstance(call, Mapping) or not isinstance(call.get("args"), (list, tuple)):
            raise FileFormatError(
                "The config holds calls in the layout of Keras 2. Open the file with Keras 3 and save it as `.keras`."
            )
    return calls


def _needs(call: Mapping[str, Any]) -> Iterator[Key]:
    """The calls whose results a call reads."""
    stack: list[Any] = [call.get("args", ()), call.get("kwargs", {})]
    while stack:
        value = stack.pop()
        if isinstance(value, (list, tuple)):
            stack.extend(value)
        elif isinstance(value, Mapping):
            if value.get("class_name") != _TENSOR:
                stack.extend(value.values())
                continue
            try:
                name, index, _ = value["config"]["keras_history"]
                yield str(name), int(index)
            except (KeyError, TypeError, ValueError):
                raise FileFormatError(f"The config holds a tensor without a history: {value!r:.120}.") from None


def _given(layer: Layer, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments without what Keras fills in by itself: empty masks, and the mode of some layers."""
    return {
        name: value
        for name, value in kwargs.items()
        if not (name.endswith("mask") and all(leaf is None for leaf in by_keys(value)))
        and not (name == "training" and value is _usual_mode(layer))
    }


def _usual_mode(layer: Layer) -> bool | None:
    """The mode that Keras writes for calls of a layer that were given none."""
    if isinstance(layer, (ImageLayer, Pipeline)):
        return True
    return False if type(layer).__name__ in _RECURRENT else None
