"""`Wrapper`: the base of layers that change what another layer does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Wrapper(Layer):
    """Base of layers around another layer; a subclass defines `call`.

    Args:
        layer: the layer inside; it is built with the wrapper.

    Raises:
        ArgumentError: `layer` is no layer.

    Example:

    >>> import ramify
    >>> class Doubled(Wrapper):
    ...     def call(self, inputs):
    ...         return 2 * self.layer(inputs)
    >>> Doubled(ramify.layers.Dense(3))(ramify.Input((5,))).shape
    (None, 3)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            mend = (
                "Wrap the module with `TorchModuleWrapper`." if isinstance(layer, torch.nn.Module) else "Pass a layer."
            )
            raise ArgumentError(f"{type(self).__name__} goes around a layer, but received {layer!r}. {mend}")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        self.build_inside(input_shape)

    def build_inside(self, input_shape: Any) -> None:
        """What `build` does, for a subclass that makes weights of its own in its `build`."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """What is done around the layer; subclasses define it.

        Raises:
            ArgumentError: the subclass did not.
        """
        raise ArgumentError(
            f"{type(self).__name__} does not say what it does with the layer inside. Define `call(self, inputs)`."
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The layer that `get_config` described; `custom_objects` (name -> class) are looked up first."""
        with registry.custom_object_scope(custom_objects or {}):
            return super().from_config(config)
