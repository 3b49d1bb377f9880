"""`Operation`: a function with a name and a configuration, which can be part of a graph."""

from __future__ import annotations

from typing import Any

from ramify.layers.layer import Layer


class _EveryLayer(type):
    """Layers are operations, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Layer) if cls is Operation else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, Layer) if cls is Operation else super().__subclasscheck__(subclass)


class Operation(Layer, metaclass=_EveryLayer):
    """What can be called on tensors, real or symbolic: a subclass defines `call`, and keeps no weights.

    Every layer is one. Shapes are learned by running `call` on tensors without data, so that `compute_output_spec`
    need not be defined.

    Args:
        name: name within a graph; made from the class's name when not given.

    Example:

    >>> import ramify
    >>> class Scaled(Operation):
    ...     def __init__(self, factor, name=None):
    ...         super().__init__(name=name)
    ...         self.factor = factor
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scaled(3)(ramify.Input((2,))).shape, Scaled(3)(ramify.ops.ones(2)).tolist()
    ((None, 2), [3.0, 3.0])
    >>> Scaled(3, name="thrice").get_config()
    {'name': 'thrice', 'factor': 3}
    """

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, autocast=False, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The name, and the arguments of the constructor."""
        config = super().get_config()
        own = {key: value for key, value in config.items() if key not in ("name", "trainable", "dtype", "autocast")}
        return {"name": self.name, **own}
