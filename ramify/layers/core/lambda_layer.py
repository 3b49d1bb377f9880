"""`Lambda`: any function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch

from ramify.errors import ArgumentError
from ramify.graph import SymbolicTensor
from ramify.layers.building import shapes_of
from ramify.layers.config import restored
from ramify.layers.layer import Layer
from ramify.registry import serializable
from ramify.registry.live import function_config, function_from


@serializable("keras.layers")
class Lambda(Layer):
    """A function as a layer; one node of the graph, whatever the function does inside.

    Weights that the function closes over do not belong to the layer: write a subclass of `Layer` for those.

    Args:
        function: called with the input; also with `mask` and `training`, where it has parameters of these names.
        output_shape: shape of one result without the batch axis, or a function from the input's whole shape to the
            output's. Only used where the shape cannot be learned from the function itself.
        mask: the output's mask, or a function ``(inputs, mask) -> mask``; without it, no mask is passed on.
        arguments: further keyword arguments of the function.

    Raises:
        ArgumentError: `function` cannot be called.

    Example:

    >>> import ramify
    >>> Lambda(lambda x, power: x**power, arguments={"power": 2})(ramify.Input((3,))).shape
    (None, 3)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(f"Lambda makes a layer of a function, but received {function!r}. Pass a function.")
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        try:
            self._takes = frozenset(inspect.signature(function).parameters) & {"mask", "training"}
        except (TypeError, ValueError):  # some functions written in C do not tell
            self._takes = frozenset()

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """The function of the input."""
        if not self._takes:
            return self.function(inputs, **self.arguments)
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._takes})

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """What `mask` says."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def declared_output(self, first: Any) -> Any:
        """The output by `output_shape`, where it was given."""
        declared = self.output_shape
        if declared is None:
            return None
        shape = shapes_of(first)
        batch = shape[0] if isinstance(shape, tuple) else None
        shape = declared(shape) if callable(declared) else (batch, *declared)
        return SymbolicTensor(shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a lambda stands in it as bytecode, which no file gets to run."""
        config = super().get_config()
        for name, value in (("function", self.function), ("output_shape", self.output_shape), ("mask", self.mask)):
            if value is None:
                del config[name]
            elif callable(value) and not isinstance(value, torch.Tensor):
                config[name] = function_config(value)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described.

        Raises:
            UnsafeFileError: the function is bytecode that came from a file.
        """
        rest = dict(config)
        what = f"the Lambda layer '{config.get('name')}'"
        names = [name for name in ("function", "output_shape", "mask") if name in rest]
        own = {name: function_from(rest.pop(name), what) for name in names}
        if isinstance(own.get("mask"), list):
            own["mask"] = torch.as_tensor(own["mask"])
        return cls(**own, **restored(rest))
