"""`Pipeline`: layers one after the other, as one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from ramify import registry
from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Pipeline(Layer):
    """Apply several layers one after the other; meant for the preparation of data.

    Args:
        layers: the layers, or their configs.
        name: the layer's name.

    Shapes:
        those of the first layer's input -> those of the last layer's output.

    Raises:
        ArgumentError: something among the layers is none.

    Example:

    >>> import torch, ramify
    >>> Pipeline([ramify.layers.ReLU(), ramify.layers.Flatten()])(torch.tensor([[[-1.0], [1.0]]]))
    tensor([[0., 1.]])
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name=name)
        made = [registry.deserialize(item) if isinstance(item, Mapping) else item for item in layers]
        for item in made:
            if not isinstance(item, Layer):
                raise ArgumentError(f"Pipeline takes layers, but got {item!r:.80} among them. Wrap it in a layer.")
        self._pipeline_layers = made
        self.__dict__["training"] = True  # as each layer that augments has it

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of application."""
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The inputs, through all layers."""
        del mask  # travels with the tensors
        for layer in self._pipeline_layers:
            inputs = layer(inputs, training=training) if layer.uses_training else layer(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The layers' configs and the name."""
        return {"name": self.name, "layers": [registry.serialize(layer) for layer in self._pipeline_layers]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The pipeline that `get_config` described."""
        return cls(**config)
