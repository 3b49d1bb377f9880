"""From a layer to plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError
from ramify.layers.layer import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as plain data: its class, its config and the shapes that it was built for; no weights.

    Raises:
        ArgumentError: `layer` is none.

    Example:

    >>> import ramify
    >>> serialize(ramify.layers.Dense(3))["class_name"]
    'Dense'
    """
    if not isinstance(layer, Layer):
        raise ArgumentError(f"`layers.serialize` takes a layer, but received {layer!r:.80}. Pass a layer.")
    return registry.serialize_instance(layer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer that `serialize` described, with fresh weights where it was built.

    Args:
        config: what `serialize` returned.
        custom_objects: name -> class or function, looked up first, at every depth of the config.

    Raises:
        ArgumentError: the config names nothing that is known, or something that is no layer.

    Example:

    >>> import ramify
    >>> deserialize(serialize(ramify.layers.Dense(3))).units
    3
    """
    made = None
    if isinstance(config, Mapping):
        with registry.custom_object_scope(custom_objects or {}):
            made = registry.deserialize(config, "keras.layers", what="layer")
    if not isinstance(made, Layer):
        raise ArgumentError(
            f"`layers.deserialize` makes layers, but the config says otherwise: {config!r:.80}. "
            "Pass what `layers.serialize(layer)` returned."
        )
    return made
