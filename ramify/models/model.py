"""`Model`: a network that can be trained, saved and looked at; the one place where these parts are joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from ramify import dtype_policies
from ramify.errors import ArgumentError
from ramify.layers.config import captured, restored
from ramify.layers.core.input_layer import Input
from ramify.layers.shapes import as_shape, on_shapes
from ramify.layers.state import state
from ramify.models.config import (
    FUNCTIONAL_KEYS,
    graph_config,
    graph_from_config,
    has_functional_constructor,
    is_functional_config,
)
from ramify.models.network import Network
from ramify.models.quantizing import ModelQuantizing
from ramify.registry import CustomObjectScope, serializable, sharing
from ramify.saving.models import load_model, model_from_json, save_model
from ramify.saving.saver import Saver
from ramify.training.trainer import Trainer
from ramify.visualize.viewer import Viewer

__all__ = ["Functional", "Model", "load_model", "model_from_json", "save_model"]


@serializable("keras", "keras.models>Model")
class Model(Trainer, Saver, Viewer, ModelQuantizing, Network):  # type: ignore[misc]  # `quantize` as Keras has it
    """A model: functional, or a subclass with a `call` of its own.

    ``Model(inputs, outputs)`` is the function between symbolic tensors. A subclass makes its layers in `__init__` and
    uses them in `call`; or passes `inputs` and `outputs` to ``super().__init__``. Either is a `torch.nn.Module` and a
    layer: models nest in models.

    Args:
        inputs: symbolic tensors, nested in lists, tuples and dicts as data will be fed.
        outputs: symbolic tensors, nested as results will be returned.
        name: name of the model.
        trainable: whether training changes the weights.

    Raises:
        DisconnectedError: an output depends on an `Input` that is not among the inputs.
        InputError: arrays, numbers, uncalled layers or nothing where a symbolic tensor belongs.
        DuplicateNameError: two layers or inputs were given the same name.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(16,))
    >>> h = ramify.layers.Dense(8, activation="relu")(x)
    >>> model = ramify.Model(x, [ramify.layers.Dense(1)(h), ramify.layers.Dense(3)(h)])
    >>> model.output_shape
    [(None, 1), (None, 3)]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """``Model(inputs, outputs)`` makes a `Functional`."""
        made = Functional if cls is Model else cls
        self = object.__new__(made)
        self.__dict__["_init_args"] = (args, kwargs)
        return self

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        functional = isinstance(self, Functional)
        if functional or inputs is not None or outputs is not None:
            missing = [word for word, value in (("inputs", inputs), ("outputs", outputs)) if value is None]
            if missing:
                raise ArgumentError(
                    f"A functional model needs both ends: {' and '.join(f'`{w}`' for w in missing)} "
                    f"{'is' if len(missing) == 1 else 'are'} missing. Write `Model(inputs=..., outputs=...)` with the "
                    "symbolic tensors that it starts from and ends in."
                )
            self.set_graph(inputs, outputs)
            if not trainable:
                self.trainable = False

    def get_config(self) -> dict[str, Any]:
        """The graph, in Keras's layout, for a functional model; else the constructor's arguments, as plain data."""
        if self.has_graph and has_functional_constructor(type(self)):
            with sharing():
                config = graph_config(self.graph, _is_functional)
            return {"name": self.name, "trainable": self.trainable, **config}
        own = captured(self, Model)
        policy = dtype_policies.serialize(self.told_policy(own))
        return {"name": self.name, "trainable": self.trainable, "dtype": policy, **own}

    def build(self, input_shape: Any = None) -> None:
        """Build a subclassed model, by calling it on symbolic inputs.

        Args:
            input_shape: shape of the input, batch axis included; nested as the input is.
        """
        if self.has_graph or input_shape is None:
            return
        state.scope = state.scope[:-1]  # the call puts the model's name there itself
        self(on_shapes(lambda one: Input(batch_shape=(None, *one[1:])), as_shape(input_shape)))

    def build_here(self, shapes: dict[str, Any]) -> None:
        """In a first call, which builds the layers itself: just remember the shapes, for files."""
        if type(self).build is Model.build:
            self.__dict__["_build_shapes"] = shapes
        else:
            super().build_here(shapes)

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build for the shapes that `get_build_config` gave."""
        if config and not self.built:
            self.build(as_shape(next(iter(config.values()))))

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """The model that `get_config` described, without its weights' values.

        Args:
            config: what `get_config` gave, here or in Keras.
            custom_objects: name -> class or function, for what the config names and the library does not know.
        """
        if not is_functional_config(config):
            return cls(**restored(config, custom_objects))
        with CustomObjectScope(custom_objects):
            inputs, outputs = graph_from_config(config, _is_functional)
        rest = {key: value for key, value in config.items() if key not in FUNCTIONAL_KEYS}
        return cls(inputs, outputs, **restored(rest, custom_objects))


@serializable("keras", "keras.models>Functional")
class Functional(Model):
    """A model that is a graph between given inputs and outputs; `Model(inputs, outputs)` makes it."""


def _is_functional(layer: Any) -> bool:
    """Whether Keras takes a layer for a functional model: one with a graph that is no plain stack."""
    return isinstance(layer, Model) and layer.has_graph and not hasattr(layer, "_stack")
