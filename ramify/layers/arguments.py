"""What constructors do with their arguments: keep them under their own names, in their final form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify import activations, constraints, initializers, quantizers, regularizers
from ramify.errors import ArgumentError

_BY_ENDING = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
    "config": quantizers.get,
}
_COUNTS = ("units", "filters", "input_dim", "output_dim", "depth_multiplier")


def own_arguments(scope: Mapping[str, Any]) -> dict[str, Any]:
    """The named arguments of a constructor, out of its ``locals()``."""
    return {name: value for name, value in scope.items() if name not in ("self", "kwargs", "__class__")}


def settle(layer: Any, arguments: Mapping[str, Any]) -> None:
    """Store arguments on a layer in their final form, which the endings of their names tell.

    A name that ends in ``activation``, ``initializer``, ``regularizer``, ``constraint`` or ``config`` stands for an
    object; everything else is stored as it is. The regularizer of the layer's output is `Layer`'s own.

    Raises:
        ArgumentError: a size, such as `units` or `filters`, that is not positive; a name that stands for nothing.
    """
    for name, value in arguments.items():
        if name in _COUNTS and (not isinstance(value, int) or value <= 0):
            number = "number of" if name.endswith("s") else "number as"
            raise ArgumentError(
                f"{type(layer).__name__} takes a positive whole {number} {name}, but received {name}={value!r}."
            )
        if name != "activity_regularizer":
            setattr(layer, name, _BY_ENDING.get(name.rpartition("_")[2], lambda same: same)(value))
