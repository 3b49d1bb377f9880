"""What happens around a layer's `call`: inputs made ready, weights built, `training` and masks filled in.

Two ways lead through here. On symbolic tensors a call becomes a node of a graph, masks becoming ordinary edges. On real
tensors the layer runs; masks then travel as an attribute of the tensors.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError, InputError, ShapeError, SymbolicValueError
from ramify.graph import MASK, Node, SymbolicTensor, is_probing, is_symbolic, record
from ramify.graph.structure import flatten, map_leaves
from ramify.layers.building import build_for, settle_policy
from ramify.layers.hooks import module_call
from ramify.layers.remat import rematerialized
from ramify.layers.state import state
from ramify.scopes import current

if TYPE_CHECKING:
    from ramify.layers.layer import Layer


@dataclass(frozen=True)
class Signature:
    """The parameters of a layer's `call` and `build`, read once per class."""

    names: tuple[str, ...]
    defaults: dict[str, Any]
    build_names: tuple[str, ...]
    positional: int

    @property
    def first(self) -> str:
        """The name of the first argument."""
        return self.names[0] if self.names else "inputs"

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Argument name -> value, positional ones first."""
        return {**dict(zip(self.names[: self.positional], args, strict=False)), **kwargs}


@functools.cache
def signature_of(call: Callable[..., Any], build: Callable[..., Any]) -> Signature:
    """The signature of two unbound methods, without `self`."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    building = list(inspect.signature(build).parameters.values())[1:]
    return Signature(
        tuple(p.name for p in named),
        {p.name: p.default for p in named if p.default is not p.empty},
        tuple(p.name for p in building if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)),
        sum(p.kind is not p.KEYWORD_ONLY for p in named),
    )


# ---- real tensors ----


def concrete_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a layer on real tensors (inside a probe: on tensors without data)."""
    signature = layer._signature
    if not layer.built:
        settle_policy(layer)
    if args and not isinstance(args[0], torch.Tensor):
        args = (_data(layer, args[0]), *args[1:])
    args = tuple(_ready(layer, value) for value in args)
    kwargs = {name: _ready(layer, value) for name, value in kwargs.items()} if kwargs else kwargs
    bound = signature.bind(args, kwargs)
    if layer.input_spec is not None and bound:
        check_spec(layer, next(iter(bound.values())))
    explicit = bound.get("training")
    outer, outer_scope = state.training, state.scope
    if state.depth == 0:
        state.call_id += 1
    layer.__dict__["_last_call"] = state.call_id
    state.depth += 1
    try:
        if explicit is not None:
            state.training = bool(explicit)
        if not layer.built or is_probing():  # a first call, which may build layers inside
            if not layer.built:
                build_for(layer, bound)
            state.scope = (*(outer_scope or current.names), layer.name)
        kwargs = _with_training(layer, signature, bound, kwargs)
        masks = {k: v for k, v in fill_masks(signature, bound, mask_of).items() if v is not None}
        with cast_weights(layer):
            if layer._remat is None or is_probing():
                outputs = module_call(layer, *args, **kwargs, **masks)
            else:
                outputs = rematerialized(layer, _cast_call(layer), args, {**kwargs, **masks})
        layer.finish_call()
        outputs = _after(layer, bound, outputs)
    finally:
        state.training, state.scope = outer, outer_scope
        state.depth -= 1
    return outputs


def _data(layer: Layer, first: Any) -> Any:
    """The first argument, with plain lists of numbers made arrays.

    Raises:
        InputError: a number or a string in place of data.
    """
    if isinstance(first, (int, float, complex, str)) and not isinstance(first, np.generic):
        raise InputError(
            f"{layer.describe()} received {first!r:.60} ({type(first).__name__}), where a tensor belongs. "
            "Pass what another layer returned, an `Input`, or an array with a batch axis."
        )
    leaves = flatten(first) if isinstance(first, (list, tuple)) else []
    return np.asarray(first) if leaves and all(isinstance(leaf, (bool, int, float)) for leaf in leaves) else first


def _ready(layer: Layer, value: Any) -> Any:
    """Arrays become tensors beside the layer's weights, floating tensors get the dtype the layer computes in."""
    if isinstance(value, (list, tuple, dict)):
        return map_leaves(lambda leaf: _ready(layer, leaf), value)
    if isinstance(value, (np.ndarray, np.generic)):
        value = dtypes.from_numpy(value).to(layer.weights_device)
    if isinstance(value, torch.Tensor) and layer.autocast and value.is_floating_point():
        wanted = layer.compute_torch_dtype
        if value.dtype is not wanted:
            mask = mask_of(value)
            value = value.to(wanted)
            if mask is not None:
                set_mask(value, mask)
    return value


def _with_training(layer: Layer, signature: Signature, bound: dict[str, Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    if layer.takes_training:
        if bound.get("training") is None:
            position = signature.names.index("training")
            if position >= len(bound) - len(kwargs) or "training" in kwargs:
                return {**kwargs, "training": layer.resolve_training()}
        return kwargs
    if "training" in kwargs and not layer.takes_any_keyword:
        return {name: value for name, value in kwargs.items() if name != "training"}
    return kwargs


def _after(layer: Layer, bound: dict[str, Any], outputs: Any) -> Any:
    regularizer = layer.activity_regularizer
    if regularizer is not None and not is_probing():
        for leaf in flatten(outputs):
            layer.add_loss(regularizer(leaf) / leaf.shape[0])  # per sample, as in Keras
    if layer.supports_masking and bound and not layer.masks_itself:
        inputs = next(iter(bound.values()))
        previous = map_leaves(mask_of, inputs)
        if layer.makes_mask or any(mask is not None for mask in flatten(previous)):
            given = bound.get("mask", previous) if bound.get("mask") is not None else previous
            _attach(outputs, layer.compute_mask(inputs, given))
    return outputs


def _attach(outputs: Any, masks: Any) -> None:
    leaves = flatten(outputs)
    for leaf, mask in zip(leaves, flatten(masks) if len(leaves) > 1 else [masks], strict=False):
        if isinstance(leaf, torch.Tensor) and isinstance(mask, torch.Tensor):
            set_mask(leaf, mask)


def mask_of(value: Any) -> Any:
    """The mask that travels with a tensor, real or symbolic, or ``None``."""
    if isinstance(value, SymbolicTensor):
        return value.mask
    return getattr(value, MASK, None) if isinstance(value, torch.Tensor) else None


def set_mask(value: Any, mask: Any) -> None:
    """Let a mask travel with a tensor."""
    if isinstance(value, SymbolicTensor):
        value.mask = mask
    else:
        setattr(value, MASK, mask)


@contextmanager
def cast_weights(layer: Layer) -> Iterator[None]:
    """For a mixed policy: while `call` runs, the layer's own floating weights answer in the compute dtype."""
    if layer.compute_torch_dtype is layer.variable_torch_dtype or not layer.autocast:
        yield
        return
    own = {name: p for name, p in layer._parameters.items() if p is not None and p.is_floating_point()}
    cast = {name: p.to(layer.compute_torch_dtype) for name, p in own.items() if getattr(p, "autocast", True)}
    layer.__dict__.update(cast)
    try:
        yield
    finally:
        for name in cast:
            layer.__dict__.pop(name, None)


# ---- symbolic tensors ----


@contextmanager
def noting_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[None]:
    """Let an error that is raised within know the call, for pictures of how far a graph came."""
    try:
        yield
    except Exception as error:
        vars(error).setdefault("call", Node(layer, args, kwargs, layer.name))
        raise


def symbolic_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a layer, build its weights first where that is due, and pass masks on."""
    signature = layer._signature
    bound = signature.bind(args, kwargs)
    first = next(iter(bound.values()))
    with noting_call(layer, args, kwargs):
        _refuse_raw_values(layer, first)
        if layer.input_spec is not None:
            check_spec(layer, first)
        if not layer.built:
            build_for(layer, bound)
    masks = {k: v for k, v in fill_masks(signature, bound, mask_of).items() if any_mask(v)}
    known = None if masks else layer.known_output(first)
    try:
        outputs = record(layer, args, {**kwargs, **masks}, outputs=known, implicit=tuple(masks))
    except SymbolicValueError:
        known = layer.declared_output(first)
        if known is None:
            raise
        outputs = record(layer, args, {**kwargs, **masks}, outputs=known, implicit=tuple(masks))
    layer.finish_call()
    if layer.supports_masking and (layer.makes_mask or any_mask(map_leaves(mask_of, first))):
        given = bound.get("mask") if bound.get("mask") is not None else map_leaves(mask_of, first)
        made = layer.compute_mask(first, given)
        leaves = flatten(outputs)
        for leaf, mask in zip(leaves, flatten(made) if len(leaves) > 1 else [made], strict=False):
            if isinstance(leaf, SymbolicTensor) and isinstance(mask, SymbolicTensor):
                leaf.mask = mask
    return outputs


def _refuse_raw_values(layer: Layer, first: Any) -> None:
    for i, leaf in enumerate(flatten(first)):
        if isinstance(leaf, (np.ndarray, np.generic, int, float, complex, str)) and not isinstance(leaf, bool):
            kind = "NumPy array" if isinstance(leaf, (np.ndarray, np.generic)) else type(leaf).__name__
            shape = f" of shape {leaf.shape}" if isinstance(leaf, np.ndarray) else f" ({leaf!r})"
            raise InputError(
                f"{layer.describe()} received a {kind}{shape} at position {i} of its input, where a tensor belongs. "
                "Make it an `Input` and feed the data later, or make it a constant with `torch.as_tensor(...)`."
            )


def any_mask(masks: Any) -> bool:
    """Whether there is at least one mask in a nested structure."""
    return any(mask is not None for mask in flatten(masks))


# ---- both ----


def fill_masks(signature: Signature, bound: dict[str, Any], get: Callable[[Any], Any]) -> dict[str, Any]:
    """Mask arguments that the caller left open, from the tensors: ``mask``, or ``x_mask`` for an argument ``x``."""
    names = signature.names
    if not any(name.endswith("mask") for name in names):
        return {}
    tensors = {
        k: v for k, v in bound.items() if any(isinstance(leaf, (torch.Tensor, SymbolicTensor)) for leaf in flatten(v))
    }
    found: dict[str, Any] = {}
    for name, value in tensors.items():
        wanted = f"{name}_mask" if f"{name}_mask" in names else "mask" if name == signature.first else None
        if wanted in names and bound.get(wanted) is None and wanted not in tensors:
            masks = map_leaves(get, value)
            if any_mask(masks):
                found[str(wanted)] = masks
    return found


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, (torch.Tensor, SymbolicTensor))


def check_spec(layer: Layer, first: Any) -> None:
    """Hold the first argument against the layer's `input_spec`."""
    specs = flatten(layer.input_spec)
    leaves = [leaf for leaf in flatten(first) if _is_tensor(leaf) or leaf is None]
    if len(specs) != len(leaves):
        raise ShapeError(
            f"{layer.describe()} takes {len(specs)} input(s), but received {len(leaves)}. Pass {len(specs)}."
        )
    for spec, leaf in zip(specs, leaves, strict=True):
        if leaf is not None or not spec.optional:
            spec.check(leaf, layer.describe())


def _cast_call(layer: Layer) -> Callable[..., Any]:
    """A call that the backward pass can repeat: weights are cast each time."""

    def run(*args: Any, **kwargs: Any) -> Any:
        with cast_weights(layer):
            return module_call(layer, *args, **kwargs)

    return run


def check_loss(layer: Any, loss: Any) -> None:
    """Refuse a symbolic loss: it has a value in a call alone."""
    if is_symbolic(loss):
        raise ArgumentError(
            f"`add_loss` of {layer.describe()} received a symbolic tensor, which has no value yet. Compute the loss in "
            "the `call` of a layer and add it there: `self.add_loss(...)`; or override `compute_loss`."
        )
