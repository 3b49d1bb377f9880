"""`clone_model`: the same architecture with new layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError, InputError
from ramify.graph import SymbolicTensor, SymbolicValue
from ramify.graph.structure import flatten, map_leaves, pick, unflatten
from ramify.layers.core.input_layer import Input, InputLayer
from ramify.layers.layer import Layer
from ramify.models.model import Functional, Model
from ramify.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A model of the same architecture, made of new layers with new weights.

    Layers that are used in several places, nested models included, are used in the same places of the clone.

    Args:
        model: functional or sequential; any other is made anew from its config.
        input_tensors: symbolic tensors to start from, nested as the model's inputs; new ones when not given.
        clone_function: from a layer to the one that takes its place; an equal one from its config when not given.
            Input layers are not passed to it.
        call_function: ``(layer, *args, **kwargs)`` -> outputs, in place of calling the new layer; for functional
            models.
        recursive: whether nested models are cloned layer by layer as well, rather than passed to `clone_function`.
        **kwargs: none are taken.

    Raises:
        ArgumentError: an option that the kind of model does not take.

    Example:

    >>> import ramify
    >>> model = ramify.Sequential([ramify.Input((4,)), ramify.layers.Dense(2)])
    >>> copy = clone_model(model)
    >>> copy.layers[0] is model.layers[0], copy.output_shape
    (False, (None, 2))
    """
    if kwargs:
        raise ArgumentError(f"`clone_model` takes no {', '.join(kwargs)}. Leave it out.")
    cloner = _Cloner(clone_function or _Equal(model), call_function, recursive=recursive)
    if isinstance(model, Sequential) or (isinstance(model, Model) and model.has_graph):
        return cloner.clone(model, input_tensors)
    if input_tensors is not None or clone_function is not None or call_function is not None:
        raise ArgumentError(
            f"{model.describe()} has Python code of its own in place of a graph, so it can only be cloned as a whole. "
            "Leave `input_tensors`, `clone_function` and `call_function` out."
        )
    return type(model).from_config(model.get_config())


class _Equal:
    """Makes equal layers from configs; what the layers of a model share, at any depth, the new ones share as well."""

    def __init__(self, model: Model) -> None:
        self._made: dict[Any, Any] = {}
        self._configs: dict[Layer, dict[str, Any]] = {}
        if not isinstance(model, Sequential) and not model.has_graph:
            return
        with registry.sharing():
            for layer in model.layers:
                config = {"class_name": type(layer).__name__, "config": layer.get_config()}
                self._configs[layer] = registry.noted(layer, config)

    def __call__(self, layer: Layer) -> Layer:
        known = self._configs.get(layer)
        if known is None:
            return type(layer).from_config(layer.get_config())
        with registry.loading(made=self._made):
            new: Layer = registry.once(known, lambda: type(layer).from_config(known["config"]))
        return new


class _Cloner:
    """One run of `clone_model`: the layers that have their clone already, and how further ones get it."""

    def __init__(
        self, make: Callable[[Layer], Layer], call: Callable[..., Any] | None, *, recursive: bool = False
    ) -> None:
        self.make, self.call, self.recursive = make, call, recursive
        self.new: dict[Layer, Layer] = {}

    def clone(self, model: Model, input_tensors: Any = None) -> Model:
        """A functional or sequential model, cloned."""
        if not isinstance(model, Sequential):
            return _clone_graph(model, input_tensors, self)
        if self.call is not None and not self.new:
            raise ArgumentError("A sequential model calls its layers itself: `call_function` is for functional models.")
        return _clone_sequential(model, input_tensors, self)

    def __call__(self, layer: Layer) -> Layer:
        """The clone of a layer."""
        if layer not in self.new:
            if self.recursive and isinstance(layer, Model) and (isinstance(layer, Sequential) or layer.has_graph):
                self.new[layer] = self.clone(layer)
            else:
                self.new[layer] = self._made(layer)
        return self.new[layer]

    def _made(self, layer: Layer) -> Layer:
        new = self.make(layer)
        if not isinstance(new, Layer):
            raise ArgumentError(f"`clone_function` returned {new!r} for {layer.describe()}, where a layer belongs.")
        return new


def _clone_sequential(model: Sequential, input_tensors: Any, cloner: _Cloner) -> Sequential:
    start = flatten(input_tensors)[0] if input_tensors is not None else None
    if start is not None and not isinstance(start, SymbolicTensor):
        raise InputError(f"`input_tensors` holds {start!r:.60}, where a symbolic tensor belongs. Pass an `Input`.")
    first: list[Any] = [] if start is None else [start if start.node.is_input else _like(start)]
    if start is None and model.has_graph:
        first = [_like(model.inputs[0])]
    layers = [cloner(layer) for layer in model.layers]
    new = type(model)([*first, *layers], name=model.name)
    new.__dict__["_trainable"] = model.trainable
    return new


def _clone_graph(model: Model, input_tensors: Any, cloner: _Cloner) -> Model:
    graph = model.graph
    if input_tensors is None:
        starts = unflatten(graph.input_structure, [_like(tensor) for tensor in graph.inputs])
    else:
        given = flatten(input_tensors)
        if len(given) != len(graph.inputs):
            raise InputError(f"{model.describe()} has {len(graph.inputs)} inputs, but {len(given)} were given.")
        starts = unflatten(graph.input_structure, given)
    results: dict[Any, Any] = dict(zip(graph.inputs, flatten(starts), strict=True))
    call = cloner.call

    def value_of(leaf: Any) -> Any:
        if isinstance(leaf, SymbolicValue) and leaf not in results:
            results[leaf] = pick(results[leaf.node], leaf.path)
        return results[leaf] if isinstance(leaf, SymbolicValue) else leaf

    for node in graph.nodes:
        args = map_leaves(value_of, node.args)
        kwargs = {name: map_leaves(value_of, v) for name, v in node.kwargs.items() if name not in node.implicit}
        target: Any = node.target
        if isinstance(target, Layer):
            target = cloner(target)
            results[node] = call(target, *args, **kwargs) if call is not None else target(*args, **kwargs)
        else:
            results[node] = target(*args, **kwargs)
        if isinstance(node.outputs, SymbolicValue):
            results[node.outputs] = results[node]
    cls = type(model) if isinstance(model, Functional) else Functional
    cloned: Model = cls(starts, map_leaves(value_of, graph.output_structure), name=model.name)
    cloned.__dict__["_trainable"] = model.trainable
    return cloned


def _like(tensor: SymbolicTensor) -> SymbolicTensor:
    """A new input of the same shape, dtype and name."""
    layer = tensor.node.target
    name = layer.name if isinstance(layer, InputLayer) else None
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name, optional=getattr(layer, "optional", False))
