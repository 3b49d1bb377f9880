"""A lowered graph and example inputs become a `Program`: the layers run once, and what they ask of torch is noted.

What cannot be noted stays a call of the layer: a layer that a user wrote, that has hooks, draws random numbers, changes
a tensor, or reads values in Python (`.item()`, ``if x.sum() > 0``).
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx
from torch.overrides import TorchFunctionMode

from ramify import registry
from ramify.graph import MASK
from ramify.layers.hooks import hooked
from ramify.layers.layer import Layer
from ramify.passes.canonical import canonical
from ramify.passes.program import Program, Weight, item, last_reads, name_of, version_of

_READS = set(
    "item __bool__ __int__ __float__ __index__ __complex__ tolist numpy __array__ equal allclose is_nonzero "
    "__contains__ __repr__ __format__ __str__ __iter__ __hash__".split()
)
_SIZES_FROM_VALUES = set(
    "nonzero unique unique_consecutive unique_dim masked_select argwhere bincount histc repeat_interleave "
    "masked_scatter index_put tensor_split".split()
)
_RANDOM = set(
    "rand randn randint randperm rand_like randn_like randint_like bernoulli multinomial normal poisson dropout "
    "alpha_dropout feature_dropout feature_alpha_dropout dropout1d dropout2d dropout3d native_dropout binomial "
    "rrelu gumbel_softmax fractional_max_pool2d fractional_max_pool3d manual_seed".split()
)
_TRUSTED = ("torch", "_operator", "ramify.", "builtins")


class RecordingError(Exception):
    """The call as a whole has no program."""


def record(lowered: fx.GraphModule, inputs: tuple[torch.Tensor, ...]) -> tuple[Program, Any]:
    """Run a lowered graph once, for inference, and write down what it does.

    Args:
        lowered: what `lower` made.
        inputs: plain tensors, one per placeholder.

    Returns:
        The program, and the outputs of this run.

    Raises:
        RecordingError: inputs with masks, or outputs that are nested in ways a program does not know.
    """
    with torch.inference_mode(False), torch.no_grad():
        return _Recording(lowered).run(inputs)


class _Recording:
    def __init__(self, lowered: fx.GraphModule) -> None:
        self.lowered = lowered
        self.program = Program()
        self.node_of: dict[int, fx.Node] = {}
        self.living: dict[int, weakref.ref[torch.Tensor]] = {}  # ids are only good while the tensors live
        self.known: dict[int, Weight] = {}

    def run(self, inputs: tuple[torch.Tensor, ...]) -> tuple[Program, Any]:
        values: dict[fx.Node, Any] = {}
        given = iter(inputs)
        result: Any = None
        over = last_reads(self.lowered.graph.nodes)
        for node in self.lowered.graph.nodes:
            if node.op == "placeholder":
                values[node] = self._enter(next(given), node.name)
            elif node.op == "get_attr":
                values[node] = self._constant(node.target)
            elif node.op == "output":
                result = _plain(fx.map_arg(node.args[0], values.__getitem__))
                self.program.graph.output(self._as_nodes(result))
            else:
                args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
                values[node] = self._call(node, _plain(args), _plain(kwargs))
                del args, kwargs
            for one in over.get(node, ()):
                del values[one]
        return self.program, result

    def _enter(self, value: Any, name: str) -> torch.Tensor:
        if type(value) is not torch.Tensor or hasattr(value, MASK):
            raise RecordingError("an input is missing, or carries a mask")
        value = value.clone() if value.is_inference() else value.detach()  # one object per input, even of one tensor
        node = self.program.graph.placeholder(name)
        self._bind(value, node)
        return value

    def _constant(self, target: str) -> Any:
        value = getattr(self.lowered, target)
        if isinstance(value, torch.Tensor):
            table = self.lowered._buffers if target in self.lowered._buffers else self.lowered.__dict__
            self.known[id(value)] = Weight(table, target, value)
        return value

    # ---- calls ----

    def _call(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        target = node.target
        if node.op == "call_method":
            target = getattr(torch.Tensor, str(target))
        elif node.op == "call_module":
            target = self.lowered.get_submodule(str(target))
        where = str(node.target) if node.op == "call_module" else name_of(target)
        if not can_be_written_out(target):
            result = target(*args, **kwargs)  # type: ignore[operator]
            self._opaque(target, args, kwargs, result, where)
            return result
        if isinstance(target, torch.nn.Module):
            self._learn(target)
        last = next(iter(reversed(self.program.graph.nodes)), None)
        mode = _Mode(self, where)
        with mode:
            result = target(*args, **kwargs)  # type: ignore[operator]
        if mode.why is None and not self._are_known(result):
            mode.why = "it returns something that no torch function made"
        if mode.why is not None:
            self._forget(last)
            self._opaque(target, args, kwargs, result, f"{where} ({mode.why})")
        elif isinstance(target, torch.nn.Module):
            self.program.layers.update(dict.fromkeys(target.modules()))
        return result

    def _learn(self, layer: torch.nn.Module) -> None:
        for module in layer.modules():
            for table in (module._parameters, module._buffers):
                for key, tensor in table.items():
                    if tensor is not None:
                        self.known.setdefault(id(tensor), Weight(table, key, tensor))

    def _forget(self, last: fx.Node | None) -> None:
        for node in reversed(self.program.nodes):
            if node is last:
                break
            if node.op != "placeholder":
                self.program.graph.erase_node(node)
                self.node_of = {key: one for key, one in self.node_of.items() if one is not node}

    def _opaque(self, target: Any, args: Any, kwargs: Any, result: Any, where: str) -> None:
        node = self.emit(target, args, kwargs, where)
        node.meta["opaque"] = True
        self.bind_all(result, node)

    # ---- nodes ----

    def emit(self, target: Any, args: Any, kwargs: Any, where: str) -> fx.Node:
        args, kwargs = self._as_nodes(args), self._as_nodes(kwargs)
        node = self.program.graph.create_node("call_function", target, tuple(args), dict(kwargs), name=name_of(target))
        node.meta["layer"] = where
        return node

    def _as_nodes(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self._node(value)
        if type(value) in (list, tuple, torch.Size):
            parts = [self._as_nodes(one) for one in value]
            return parts if type(value) is list else tuple(parts)
        if type(value) is dict:
            return {key: self._as_nodes(one) for key, one in value.items()}
        if type(value) is slice:
            return slice(*(self._as_nodes(one) for one in (value.start, value.stop, value.step)))
        if isinstance(value, (list, tuple, dict)):
            return type(value)(self._as_nodes(list(value))) if hasattr(value, "append") else self._strange(value)
        return value

    def _strange(self, value: Any) -> Any:
        raise RecordingError(f"a {type(value).__name__} among arguments or outputs")

    def _node(self, tensor: torch.Tensor) -> fx.Node:
        found = self.node_of.get(id(tensor))
        if found is not None:
            return found
        weight = self.known.get(id(tensor))
        if weight is None:
            raise RecordingError("a tensor of unknown origin")
        name = f"w{len(self.program.weights)}"
        self.program.weights[name] = weight
        node = self.program.graph.get_attr(name)
        self._bind(tensor, node)
        return node

    def knows(self, tensor: torch.Tensor) -> bool:
        """Whether it is an input, a weight, or was made by a call."""
        return id(tensor) in self.node_of or id(tensor) in self.known

    def _are_known(self, result: Any) -> bool:
        return all(self.knows(one) for one in tensors_in(result))

    def _bind(self, tensor: torch.Tensor, node: fx.Node) -> None:
        key = id(tensor)
        self.node_of[key] = node
        self.living[key] = weakref.ref(tensor, lambda _: self.node_of.pop(key, None))
        node.meta.update(shape=tuple(tensor.shape), dtype=tensor.dtype)

    def bind_all(self, result: Any, node: fx.Node) -> None:
        """Let the tensors in a result, however nested, stand for the node or its items."""
        stack: list[tuple[Any, fx.Node]] = [(result, node)]
        while stack:
            value, whole = stack.pop()
            if isinstance(value, torch.Tensor):
                self._bind(value, whole)
            elif isinstance(value, (list, tuple, dict)):
                for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                    part = self.program.graph.call_function(item, (whole, key))
                    part.meta["layer"] = node.meta["layer"]
                    stack.append((one, part))


class _Mode(TorchFunctionMode):
    """Notes each torch function as a node; from the first that cannot be noted on, it only looks on."""

    def __init__(self, recording: _Recording, where: str) -> None:
        super().__init__()
        self.recording, self.where = recording, where
        self.why: str | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        kwargs = kwargs or {}
        if self.why is not None:
            return func(*args, **kwargs)
        given = list(tensors_in((args, kwargs)))
        before = list(map(version_of, given))
        result = func(*args, **kwargs)
        if not (isinstance(result, torch.Tensor) or any(True for _ in tensors_in(result))):
            if getattr(func, "__name__", "") in _READS:
                self.why = f"it reads values in Python: {name_of(func)}"
            elif list(map(version_of, given)) != before:
                self.why = f"it changes a tensor: {name_of(func)}"
            return result
        self.why = self._objection(func, args, kwargs, given, before, result)
        if self.why is None:
            self._note(func, args, kwargs, given, result)
        return result

    def _objection(self, func: Any, args: Any, kwargs: Any, given: Any, before: Any, result: Any) -> str | None:
        name = getattr(func, "__name__", "")
        if name in _RANDOM or kwargs.get("generator") is not None:
            return f"it draws random numbers: {name}"
        if name in _SIZES_FROM_VALUES or (name == "where" and len(args) == 1):
            return f"its sizes depend on values: {name}"
        if name == "__getitem__" and any(one.dtype in (torch.bool, torch.uint8) for one in given[1:]):
            return "its sizes depend on values: a mask as index"
        if list(map(version_of, given)) != before or kwargs.get("out") is not None:
            return f"it changes a tensor: {name}"
        if not all(self.recording.knows(one) for one in given):
            return "it reads a tensor that is neither its input nor a weight"
        if any(type(one) is not torch.Tensor for one in tensors_in(result)) and name not in (
            "detach",
            "requires_grad_",
        ):
            return f"it makes a tensor of a class of its own: {name}" if result not in given else None
        return None

    def _note(self, func: Any, args: Any, kwargs: Any, given: Any, result: Any) -> None:
        if any(result is one for one in given) and getattr(func, "__name__", "") != "contiguous":
            return
        target, args, kwargs = canonical(func, args, kwargs)
        node = self.recording.emit(target, args, kwargs, self.where)
        self.recording.bind_all(result, node)


def can_be_written_out(target: Any) -> bool:
    """Whether what a layer or function does may be noted once and done again without asking it."""
    if isinstance(target, torch.nn.Module):
        return all(_is_ours(module) for module in target.modules())
    if isinstance(target, types.FunctionType) and target.__name__ == "attach_mask":
        return False
    module = getattr(target, "__module__", None) or getattr(
        getattr(target, "__objclass__", None), "__module__", "torch"
    )
    return str(module).startswith(_TRUSTED)


def _is_ours(module: torch.nn.Module) -> bool:
    if not isinstance(module, Layer) or registry.module_of(type(module)) is None or module.masks_itself:
        return False
    own = module.__dict__
    if hooked(own) or own["_adds_loss"] or module.activity_regularizer is not None:
        return False
    return not any(isinstance(value, types.FunctionType) and not _is_known(value) for value in own.values())


def _is_known(function: Callable[..., Any]) -> bool:
    return registry.module_of(function) is not None or str(function.__module__).startswith(_TRUSTED)


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The tensors nested in lists, tuples, dicts and slices."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, torch.Tensor):
            yield one
        elif isinstance(one, (list, tuple)):
            stack.extend(reversed(one))
        elif isinstance(one, dict):
            stack.extend(reversed(list(one.values())))
        elif isinstance(one, slice):
            stack += [one.step, one.stop, one.start]


def _plain(value: Any) -> Any:
    """Fx's read-only lists and dicts as plain ones."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if type(value) is tuple:
        return tuple(_plain(one) for one in value)
    return value
