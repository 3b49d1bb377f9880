"""Running a model call by call with a clock: what each call takes, forward and backward, and what it keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch
from torch import fx

from ramify.graph.structure import flatten, map_leaves
from ramify.layers.state import state


@dataclass
class Call:
    """One call, measured several times.

    Attributes:
        target: the layer that was called, or the graph node of an operation.
        name: its name.
        group: names of the models it is in, joined by dots.
        forward: milliseconds of each run forward.
        backward: milliseconds of each run backward; empty where nothing leads back through it.
        output: bytes of what it returned.
        kept: bytes that it was the first to keep for the way back; weights are not among them.
    """

    target: Any
    name: str
    group: str
    forward: list[float] = field(default_factory=list)
    backward: list[float] = field(default_factory=list)
    output: int = 0
    kept: int = 0

    @property
    def forward_ms(self) -> float:
        """The median of the ways forward."""
        return median(self.forward) if self.forward else 0.0

    @property
    def backward_ms(self) -> float:
        """The median of the ways back."""
        return median(self.backward) if self.backward else 0.0


class Clock:
    """Reads the time when a device has done what it was given."""

    def __init__(self, device: torch.device) -> None:
        self._wait: Callable[[], Any] | None = None
        if device.type != "cpu":
            module = torch.get_device_module(device)
            self._wait = module.synchronize

    def now(self) -> float:
        """Milliseconds."""
        if self._wait is not None:
            self._wait()
        return time.perf_counter() * 1e3


@contextmanager
def in_mode(training: bool) -> Iterator[None]:
    """Calls within know whether they are training; nothing stays behind."""
    before = state.training
    state.training = training
    state.depth += 1
    try:
        yield
    finally:
        state.training = before
        state.depth -= 1


class Keeper:
    """Counts what is saved for the way back, each piece of memory once, weights left out."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._known = {_place(weight) for weight in (*model.parameters(), *model.buffers())}
        self.bytes = 0

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        """Called by autograd with what it saves."""
        place = _place(tensor)
        if place not in self._known:
            self._known.add(place)
            self.bytes += tensor.untyped_storage().nbytes()
        return tensor

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While this is entered, what is saved is counted."""
        with torch.autograd.graph.saved_tensors_hooks(self.pack, lambda tensor: tensor):
            yield


def _place(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())


@dataclass
class _Segment:
    """A call on the way forward, cut off from the one before so that its way back can be timed alone."""

    call: Call | None
    leaves: list[tuple[torch.Tensor, torch.Tensor]]  # what was made before, and the leaf that stood in for it
    results: list[torch.Tensor]
    weights: Sequence[torch.Tensor]


class GraphRun:
    """Runs the lowered graph of a model, one call at a time.

    Args:
        lowered: the module that `Network.lowered` gives.
        owner: the model, whose weights are not counted as kept.
        clock: what to read the time from.
        backward: whether to go back, too.
    """

    def __init__(self, lowered: fx.GraphModule, owner: torch.nn.Module, clock: Clock, backward: bool) -> None:
        self.lowered, self.owner, self.clock, self.backward = lowered, owner, clock, backward
        self.calls: dict[fx.Node, Call] = {}
        self.constants = {
            node.target: getattr(lowered, str(node.target)) for node in lowered.graph.nodes if node.op == "get_attr"
        }
        for node in lowered.graph.nodes:
            made = node.meta.get("node")
            if made is not None:
                target = lowered.get_submodule(str(node.target)) if node.op == "call_module" else made
                self.calls[node] = Call(target, made.name, node.meta["group"])

    def run(self, inputs: Sequence[Any]) -> None:
        """Forward, and back if that is wanted; adds to the times of every call."""
        keeper = Keeper(self.owner)
        values: dict[fx.Node, Any] = {}
        segments: list[_Segment] = []
        fed = iter(inputs)
        outputs: list[torch.Tensor] = []
        with torch.set_grad_enabled(self.backward), keeper.watching():
            for node in self.lowered.graph.nodes:
                if node.op == "placeholder":
                    values[node] = next(fed)
                elif node.op == "get_attr":
                    values[node] = self.constants[node.target]
                elif node.op == "output":
                    outputs = _tensors(fx.map_arg(node.args[0], values.__getitem__))
                else:
                    segments.append(self._forward(node, values, keeper))
        if self.backward:
            self._back(segments, outputs)

    def _forward(self, node: fx.Node, values: dict[fx.Node, Any], keeper: Keeper) -> _Segment:
        leaves: list[tuple[torch.Tensor, torch.Tensor]] = []
        args, kwargs = fx.map_arg((node.args, node.kwargs), lambda one: self._cut(values[one], leaves))
        target: Any = node.target
        module = self.lowered.get_submodule(target) if node.op == "call_module" else None
        if node.op == "call_method":
            args, target = args[1:], getattr(args[0], target)
        begin, before = self.clock.now(), keeper.bytes
        result = (module or target)(*args, **kwargs)
        end = self.clock.now()
        values[node] = result
        results = _tensors(result)
        call = self.calls.get(node)
        if call is not None:
            call.forward.append(end - begin)
            call.output = sum(tensor.numel() * tensor.element_size() for tensor in results)
            call.kept = keeper.bytes - before
        weights = [weight for weight in module.parameters() if weight.requires_grad] if module is not None else []
        return _Segment(call, leaves, results, weights)

    @staticmethod
    def _cut(value: Any, leaves: list[tuple[torch.Tensor, torch.Tensor]]) -> Any:
        def leaf(tensor: Any) -> Any:
            if not isinstance(tensor, torch.Tensor) or not tensor.requires_grad:
                return tensor
            own = tensor.detach().requires_grad_()
            leaves.append((tensor, own))
            return own.view_as(own)  # a layer may change it in place

        return map_leaves(leaf, value)

    def _back(self, segments: list[_Segment], outputs: list[torch.Tensor]) -> None:
        gradients: dict[int, torch.Tensor] = {}
        for output in outputs:
            if output.requires_grad:
                _add(gradients, output, torch.ones_like(output))
        for segment in reversed(segments):
            ends = [one for one in segment.results if one.requires_grad and id(one) in gradients]
            wanted = [*(own for _, own in segment.leaves), *segment.weights]
            if not ends or not wanted:
                continue
            begin = self.clock.now()
            found = torch.autograd.grad(ends, wanted, [gradients[id(one)] for one in ends], allow_unused=True)
            if segment.call is not None:
                segment.call.backward.append(self.clock.now() - begin)
            for (made, _), gradient in zip(segment.leaves, found, strict=False):
                if gradient is not None:
                    _add(gradients, made, gradient)


def _add(gradients: dict[int, torch.Tensor], tensor: torch.Tensor, gradient: torch.Tensor) -> None:
    known = gradients.get(id(tensor))
    gradients[id(tensor)] = gradient if known is None else known + gradient


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in flatten(value) if isinstance(leaf, torch.Tensor)]


class HookRun:
    """Runs a model that is no graph, with hooks on its layers.

    The time back is that between the gradients of a layer's outputs and those of its inputs; a first layer, whose
    inputs need no gradient, has none.
    """

    def __init__(self, model: Any, clock: Clock, backward: bool) -> None:
        self.model, self.clock, self.backward = model, clock, backward
        self.calls: dict[Any, Call] = {layer: Call(layer, layer.name, "") for layer in model.layers}

    def run(self, inputs: Any) -> None:
        """Forward, and back if that is wanted."""
        keeper, began, saved = Keeper(self.model), {}, {}
        took: dict[Any, list[float]] = {}

        def before(layer: Any, _: Any) -> None:
            saved[layer], began[layer] = keeper.bytes, self.clock.now()

        def after(layer: Any, given: Any, result: Any) -> None:
            took.setdefault(layer, [0.0, 0.0])[0] += self.clock.now() - began[layer]
            call = self.calls[layer]
            call.output = sum(one.numel() * one.element_size() for one in _tensors(result))
            call.kept = keeper.bytes - saved[layer]
            ends, starts = ([t for t in _tensors(of) if t.requires_grad and t.grad_fn] for of in (result, given))
            if self.backward and ends and starts:
                back: dict[str, float] = {}
                ends[0].register_hook(lambda _: back.__setitem__("begin", self.clock.now()))
                starts[0].register_hook(lambda _: _took(back, took[layer], self.clock))

        handles = [layer.register_forward_pre_hook(before) for layer in self.calls]
        handles += [layer.register_forward_hook(after) for layer in self.calls]
        try:
            with torch.set_grad_enabled(self.backward), keeper.watching():
                outputs = [one for one in _tensors(self.model(inputs)) if one.requires_grad]
            if self.backward and outputs:
                weights = [weight for weight in self.model.parameters() if weight.requires_grad]
                torch.autograd.grad(outputs, weights, [torch.ones_like(one) for one in outputs], allow_unused=True)
        finally:
            for handle in handles:
                handle.remove()
        for layer, (forward, backward) in took.items():
            self.calls[layer].forward.append(forward)
            if backward:
                self.calls[layer].backward.append(backward)


def _took(back: dict[str, float], times: list[float], clock: Clock) -> None:
    if "begin" in back:
        times[1] += clock.now() - back.pop("begin")
