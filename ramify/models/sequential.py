"""`Sequential`: a plain stack of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError, DuplicateNameError, GraphError
from ramify.graph import SymbolicTensor, SymbolicValue
from ramify.graph.structure import flatten
from ramify.layers.core.input_layer import Input, InputLayer
from ramify.layers.layer import Layer
from ramify.models.model import Model
from ramify.models.names import unique
from ramify.registry import CustomObjectScope, deserialize, loading, serializable, serialize, sharing


@serializable("keras", "keras.models>Sequential")
class Sequential(Model):
    """Layers one after the other, each with one input and one output.

    With an `Input` first (or once it was called) it is a functional model.

    Args:
        layers: the layers, in order.
        trainable: whether training changes the weights.
        name: name of the model.

    Example:

    >>> import ramify
    >>> model = Sequential([ramify.Input((8,)), ramify.layers.Dense(4, activation="relu"), ramify.layers.Dense(1)])
    >>> model.output_shape
    (None, 1)
    """

    _stack: list[Layer]

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self.__dict__["_stack"] = []
        for layer in layers or ():
            self._append(layer)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Args:
            layer: a layer, or a symbolic input in first place.
            rebuild: whether to build the model at once where its input is known.
        """
        self._append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off and return it."""
        if not self._stack:
            raise ArgumentError(f"{self.describe()} has no layer to take off.")
        layer: Layer = self._stack.pop()
        if rebuild:
            self._rebuild()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, SymbolicValue):
            layer = layer.node.target
        if not isinstance(layer, torch.nn.Module) or not isinstance(layer, Layer):
            kind = type(layer).__name__
            mend = (
                "Wrap it with `layers.TorchModuleWrapper`." if isinstance(layer, torch.nn.Module) else "Pass a layer."
            )
            raise ArgumentError(
                f"{self.describe()} takes layers, but received {kind} at place {len(self._stack)}. {mend}"
            )
        first = self._stack[0] if self._stack else None
        if isinstance(layer, InputLayer) and first is not None:
            raise ArgumentError(f"{self.describe()} already has '{first.name}' in first place, where an input belongs.")
        given = {one.name for one in self._stack if one._name_is_given}
        if layer._name_is_given and layer.name in given and isinstance(layer, Model):
            layer.name = unique(layer.name, given)
        if layer._name_is_given and layer.name in given:
            raise DuplicateNameError(
                f"{self.describe()} already has a layer named '{layer.name}'. Give each layer a name of its own."
            )
        if first is None and layer._input_shape_arg is not None:
            self._stack.append(InputLayer(shape=layer._input_shape_arg, dtype=layer.compute_dtype))
        self._stack.append(layer)

    def _rebuild(self) -> None:
        """Make the graph anew where the input is known; else just hold the layers."""
        own = self.__dict__
        own.update(_graph=None, _lowered=None, _fast=0, built=False)
        self._modules.clear()
        first = self._stack[0] if self._stack else None
        if isinstance(first, InputLayer) and len(self._stack) > 1:
            self._connect(first.output)
        elif isinstance(first, Model) and first.has_graph:
            inner = first.inputs
            self._connect(Input(batch_shape=inner[0].shape, dtype=inner[0].dtype))
        else:
            rest = (layer for layer in self._stack if not isinstance(layer, InputLayer))
            self._modules.update({f"{i}_{layer.name}": layer for i, layer in enumerate(rest)})

    def _connect(self, start: SymbolicTensor) -> None:
        x: Any = start
        for layer in self._stack:
            if isinstance(layer, InputLayer):
                continue
            x = layer(x)
            if len(flatten(x)) != 1:
                raise GraphError(
                    f"{layer.describe()} in {self.describe()} returns {len(flatten(x))} tensors; a stack passes one. "
                    "Use a functional model: `Model(inputs, outputs)`."
                )
        self._modules.clear()
        self.set_graph(start, x)

    def build(self, input_shape: Any = None) -> None:
        """Build for an input of the given shape, batch axis included."""
        if input_shape is None or self.has_graph or not self._stack:
            return
        self._connect(Input(batch_shape=input_shape, dtype=self.compute_dtype))

    def build_here(self, shapes: dict[str, Any]) -> None:
        """Build for the shape of the first data seen; batches of other sizes may follow."""
        shape = shapes.get("input_shape")
        self.build(None if shape is None else (None, *shape[1:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the layers in order."""
        return super().call(inputs, training=training, mask=mask) if self._stack else inputs

    call.passes_training_down = True  # type: ignore[attr-defined]
    call.runs_graph = True  # type: ignore[attr-defined]

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def get_config(self) -> dict[str, Any]:
        """Name and layers; the shape that the model was built for."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable, "dtype": serialize(self.dtype_policy)}
        known = self.has_graph and not isinstance(self._stack[0], InputLayer)
        stack = [self.inputs[0].node.target, *self._stack] if known else self._stack
        with sharing():
            config["layers"] = [serialize(layer) for layer in stack]
        if self.has_graph:
            config["build_input_shape"] = tuple(self.inputs[0].shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:  # type: ignore[override]
        """The model that `get_config` described."""
        model = cls(name=config.get("name"))
        with loading(), CustomObjectScope(custom_objects):
            for layer in config["layers"]:
                model.add(deserialize(layer, "keras.layers", what="layer"), rebuild=False)
        model._rebuild()
        model.__dict__["_trainable"] = bool(config.get("trainable", True))
        if not model.has_graph and config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model
