"""From a `Graph` to a `torch.fx.GraphModule`: straight-line code, nested models inlined, nothing dead in it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import fx

from ramify.graph.graph import Graph
from ramify.graph.node import Node, SymbolicValue
from ramify.graph.structure import Path, flatten, map_leaves, unflatten
from ramify.graph.tensor import MASK
from ramify.naming import identifier, unique

Env = dict[SymbolicValue, Any]
_ARRAY = (torch.Tensor, np.ndarray, np.generic)
_LITERAL = (
    type(None), bool, int, float, complex, str, torch.dtype, torch.device, torch.memory_format, type(...),
)  # fmt: skip


def lower(
    graph: Graph,
    name: str = "Model",
    device: torch.device | None = None,
) -> fx.GraphModule:
    """Compile a graph to a module whose forward takes the graph's inputs one by one, in order.

    Args:
        graph: what to compile. Models called in it that are graphs themselves are inlined.
        name: class name of the result.
        device: where constants of the graph are put; where they are when not given.

    Returns:
        A `GraphModule` that shares the layers (and so the weights) of the graph. Its forward returns the graph's
        outputs in their nested structure.
    """
    return _Lowering(graph, device).module(name)


class _Lowering:
    def __init__(self, graph: Graph, device: torch.device | None) -> None:
        self.graph = graph
        self.device = device
        self.fx = fx.Graph()
        self.root: dict[str, Any] = {}
        self.constants: dict[int, str] = {}

    def module(self, name: str) -> fx.GraphModule:
        env: Env = {}
        taken: set[str] = set()
        for tensor, wanted in zip(self.graph.inputs, self.graph.input_names, strict=True):
            env[tensor] = self.fx.placeholder(unique(identifier(wanted), taken))
        outputs = self._run(self.graph, env)
        self.fx.output(self._with_masks(outputs, env))
        self.fx.lint()
        return fx.GraphModule(self.root, self.fx, class_name=name)

    def _with_masks(self, outputs: Any, env: Env) -> Any:
        """Let the masks of the outputs travel with them, for the losses to see."""
        if not any(mask is not None for mask in self.graph.output_masks):
            return outputs
        leaves = [
            out if mask is None else self.fx.call_function(attach_mask, (out, self._value(mask, env)))
            for out, mask in zip(flatten(outputs), self.graph.output_masks, strict=True)
        ]
        return unflatten(outputs, leaves)

    def _run(self, graph: Graph, env: Env) -> Any:
        """Emit a graph's nodes; a nested one waits on a stack of our own, so depth of nesting is no limit."""
        frames: list[_Frame] = [_Frame(graph, env, "", {})]
        result: Any = None
        while frames:
            frame = frames[-1]
            node = next(frame.nodes, None)
            if node is None:
                result = map_leaves(partial(self._value, env=frame.env), frame.graph.output_structure)
                frames.pop()
                if frames:
                    self._bind(frame.call, result, frames[-1].env)
                continue
            inner = inlined_graph(node)
            if inner is None:
                self._emit(node, frame)
            else:
                frames.append(self._enter(node, inner, frame))
        return result

    def _enter(self, node: Node, inner: Graph, frame: _Frame) -> _Frame:
        fed = inner.match_inputs(node.args[0] if node.args else next(iter(node.kwargs.values())))
        env: Env = {t: self._value(v, frame.env) for t, v in zip(inner.inputs, fed, strict=True)}
        training = node.kwargs.get("training")
        options = frame.options if training is None else {"training": training}
        return _Frame(inner, env, f"{frame.prefix}{frame.graph.module_names[node.target]}.", options, node)

    def _value(self, leaf: Any, env: Env) -> Any:
        if isinstance(leaf, SymbolicValue):
            return self._symbolic(leaf, env)
        if isinstance(leaf, _LITERAL):
            return leaf
        if id(leaf) not in self.constants:
            key = self.constants[id(leaf)] = f"constant_{len(self.constants)}"
            self.root[key] = torch.as_tensor(leaf, device=self.device) if isinstance(leaf, _ARRAY) else leaf
        return self.fx.get_attr(self.constants[id(leaf)])

    def _symbolic(self, value: SymbolicValue, env: Env) -> Any:
        """The fx value; an item of a nested result is taken out when it is first used."""
        if value in env:
            return env[value]
        env[value] = out = self._item(env, value.node, value.path)
        return out

    def _item(self, env: Env, node: Node, path: Path) -> Any:
        whole = env[node]  # type: ignore[index]  # nodes stand beside values in the environment
        for key in path:
            whole = self.fx.call_function(operator.getitem, (whole, key)) if isinstance(whole, fx.Node) else whole[key]
        return whole

    def _bind(self, node: Node, result: Any, env: Env) -> None:
        env[node] = result  # type: ignore[index]
        if isinstance(node.outputs, SymbolicValue):
            env[node.outputs] = result

    def _emit(self, node: Node, frame: _Frame) -> None:
        args, kwargs = map_leaves(partial(self._value, env=frame.env), (node.args, node.kwargs))
        target = node.target
        if isinstance(target, torch.nn.Module):
            path = frame.prefix + frame.graph.module_names[target]
            self.root[path] = target
            if frame.options and getattr(target, "uses_training", True):
                kwargs = {**frame.options, **{k: v for k, v in kwargs.items() if v is not None}}
            out = self.fx.call_module(path, args, kwargs)
        elif is_method(target):
            out = self.fx.call_method(target.__name__, args, kwargs)
        else:
            out = self.fx.call_function(target, args, kwargs)
        out.meta["group"] = frame.prefix.rstrip(".")
        out.meta["node"] = node
        self._bind(node, out, frame.env)


def attach_mask(value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Let a mask travel with a real tensor."""
    setattr(value, MASK, mask)
    return value


class _Frame:
    """One graph in the middle of being emitted."""

    def __init__(self, graph: Graph, env: Env, prefix: str, options: Mapping[str, Any], call: Any = None) -> None:
        self.graph, self.env, self.prefix, self.options, self.call = graph, env, prefix, dict(options), call
        self.nodes = iter(graph.nodes)


def is_method(target: Any) -> bool:
    """Whether a function is a method of `torch.Tensor`."""
    return getattr(torch.Tensor, getattr(target, "__name__", ""), None) is target


def inlined_graph(node: Node) -> Graph | None:
    """The graph to put in place of a call, or ``None`` where the call itself must be made."""
    inner = getattr(node.target, "inlined_graph", None)
    masked = any(leaf is not None for leaf in flatten(node.kwargs.get("mask")))
    return inner if isinstance(inner, Graph) and not masked else None
