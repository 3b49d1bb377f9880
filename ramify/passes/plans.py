"""`Plans`: which plan runs a call of a model, and when the layers run themselves instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from ramify.graph import MASK
from ramify.heap import keep_freed_memory
from ramify.layers.hooks import _GLOBAL_HOOKS, hooked
from ramify.layers.state import state
from ramify.passes.catalogue import PASSES, rewrite
from ramify.passes.plan import Plan
from ramify.passes.recording import RecordingError, record
from ramify.variables import Changes

LIMIT = 8
"""Kinds of inputs (shapes, dtypes) that a model keeps plans for; it takes a program per kind."""

SHARE = 2
"""What a model's plans may take in memory together, in sizes of its weights: a plan takes about one at most (each is
folded or packed once), and a job has two kinds of inputs, whole batches and the last one. Further kinds run layers."""

FLOOR = 2**24
"""Bytes that they may always take: so many a model of many kinds of inputs may well spend."""

_Tensor = torch.Tensor
_dual_level = partial(vars(forward_ad).__getitem__, "_current_level")
_mode_count = vars(torch._C)["_len_torch_function_stack"]
_peek = torch._C._functorch.peek_interpreter_stack  # noqa: SLF001 - functorch has no public way to ask
# What calls change in a layer themselves, and what has no part in what it computes.
_OF_NO_MATTER = frozenset(
    "training built name _name _name_is_given _name_is_settled _last_call _losses _losses_call _fast _metrics "
    "_loose _tracked _parameters _buffers _modules _build_shapes input_spec".split()
)


class Plans:
    """The plans of one model, by the shapes and dtypes of its inputs.

    The first call with inputs of a kind runs the layers, the second writes down what they do, the third runs the plan.

    Args:
        passes: names of the passes to use.
    """

    def __init__(self, passes: frozenset[str] = frozenset(PASSES)) -> None:
        self.passes = passes
        self.entries: dict[Any, Entry | None] = {}
        self._seen: set[Any] = set()

    off = False
    """Whether layers always run: a plan is there from the second call on, and rounds differently."""

    def find(self, network: Any, inputs: Sequence[Any]) -> Callable[..., Any] | None:
        """What runs a call in place of the layers; ``None`` where the layers must run.

        Args:
            network: the model, whose `lowered` is the graph.
            inputs: the tensors of the call, in order.
        """
        if Plans.off or not _is_plain_inference(network):
            return None
        try:
            key = kind_of(inputs)
        except (AttributeError, RuntimeError):  # None for an optional input, or sparse tensors, which have no strides
            return None
        entry = self.entries.get(key)
        if entry is None:
            return self._first_calls(network, inputs, key)
        for value in inputs:
            if type(value) is not _Tensor or hasattr(value, MASK):
                return None
        if entry.is_current():
            return entry.plan.run
        del self.entries[key]
        return None

    def ready(self, network: Any, inputs: Sequence[torch.Tensor]) -> Callable[..., Any] | None:
        """The plan that earlier calls left for plain tensors, if it holds; nothing is recorded."""
        if not self.entries or Plans.off or not _is_plain_inference(network):
            return None
        entry = self.entries.get(kind_of(inputs))
        return entry.plan.run if entry is not None and entry.is_current() else None

    def _first_calls(self, network: Any, inputs: Sequence[Any], key: Any) -> Callable[..., Any] | None:
        if key in self.entries or len(self.entries) >= LIMIT:
            return None
        if key not in self._seen:
            if len(self._seen) > 4 * LIMIT:
                self._seen.clear()
            self._seen.add(key)
            return None
        self._seen.discard(key)
        try:
            entry, outputs = make_entry(network.lowered, inputs, self.passes)
        except RecordingError:
            self.entries[key] = None
            return None
        self.entries[key] = entry if self._has_room(entry) else None
        return lambda *_: outputs

    def _has_room(self, entry: Entry) -> bool:
        taken = sum(one.plan.nbytes for one in (entry, *self.entries.values()) if one is not None)
        return taken <= max(FLOOR, SHARE * entry.plan.weight_bytes)


class Entry:
    """A plan, and what must be as it was for it to hold."""

    def __init__(self, plan: Plan, layers: Sequence[torch.nn.Module]) -> None:
        self.plan = plan
        self._known = [(layer, _facts(layer)) for layer in layers]
        self._count = Changes.count + Changes.modes

    def is_current(self) -> bool:
        """Whether layers and weights are as they were; changed numbers are taken over."""
        if self._count != Changes.count + Changes.modes:
            if any(hooked(layer.__dict__) or not _same(_facts(layer), facts) for layer, facts in self._known):
                return False
            if state.training is None and any(layer.training for layer, _ in self._known):
                return False
            self.plan.prepare()  # numbers may have been changed past torch's count
            self._count = Changes.count + Changes.modes
        return self.plan.is_current()


def make_entry(lowered: Any, inputs: Sequence[Any], passes: frozenset[str]) -> tuple[Entry, Any]:
    """Write down what a call does, rewrite it, and make a plan of it.

    Returns:
        The plan with what it depends on, and the outputs of the call.

    Raises:
        RecordingError: the call has no program.
    """
    keep_freed_memory()
    program, outputs = record(lowered, tuple(inputs))
    layers = list(program.layers)
    rewrite(program, passes)
    return Entry(Plan(program), layers), outputs


def kind_of(inputs: Sequence[Any]) -> Any:
    """Shapes, memory layouts, dtypes and devices."""
    if len(inputs) == 1:
        x = inputs[0]
        return x.shape, x.stride(), x.dtype, x.device
    return tuple([(x.shape, x.stride(), x.dtype, x.device) for x in inputs])


def _is_plain_inference(network: Any) -> bool:
    """Whether nothing but numbers is wanted: no gradients, no training, nobody who looks on or writes down."""
    if torch.is_grad_enabled() or (network.training if state.training is None else state.training):
        return False
    if torch.compiler.is_compiling() or any(_GLOBAL_HOOKS) or _peek() is not None or _dual_level() >= 0:
        return False
    if _mode_count() or is_in_torch_dispatch_mode():
        return False
    return not (torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda") or torch.jit.is_tracing())


def _facts(layer: torch.nn.Module) -> dict[str, Any]:
    own = {name: value for name, value in layer.__dict__.items() if name not in _OF_NO_MATTER}
    return {**own, "_modules": dict(layer._modules)}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two sets of facts are the same objects, or equal plain values."""
    if one.keys() != other.keys():
        return False
    return all(value is other[name] or _equal(value, other[name]) for name, value in one.items())


def _equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or not isinstance(one, (bool, int, float, str, tuple, list, dict)):
        return False
    return len(one) == len(other) and repr(one) == repr(other) if hasattr(one, "__len__") else bool(one == other)
