"""`TorchModuleWrapper`: any torch module as a layer."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch

from ramify import dtype_policies, registry
from ramify.errors import ArgumentError, UnsafeFileError
from ramify.graph import SymbolicTensor
from ramify.layers.config import restored
from ramify.layers.layer import Layer
from ramify.registry import serializable
from ramify.registry.live import Live
from ramify.registry.torch_modules import TAG, describe, restore


@serializable("keras.layers")
class TorchModuleWrapper(Layer):
    """A `torch.nn.Module` as a layer: its parameters and buffers are the layer's weights.

    The module gets tensors as they are: axes are in the order that it expects, so images for `torch.nn.Conv2d` have
    their channels first.

    Args:
        module: the module; lazy ones are given their shapes when the layer is built.
        name: the layer's name.
        output_shape: the output's shape with the batch axis; only used where it cannot be learned from the module.

    Raises:
        ArgumentError: `module` is no module.

    Example:

    >>> import torch, ramify
    >>> TorchModuleWrapper(torch.nn.Linear(3, 5))(ramify.Input((3,))).shape
    (None, 5)
    """

    # Nothing in a torch module adds losses or makes masks: calls may take the short way.
    masks_itself = True

    def __init__(
        self,
        module: torch.nn.Module,
        name: str | None = None,
        output_shape: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(module, torch.nn.Module):
            raise ArgumentError(f"TorchModuleWrapper wraps a torch.nn.Module, but received {module!r}. Pass a module.")
        self.module = module
        self.output_shape = output_shape
        module.train(self.training)
        if not self.trainable:
            self.trainable = False  # now that there are parameters to freeze

    def build(self, input_shape: Any) -> None:
        """Run a lazy module once, so that its parameters get their shapes."""
        if not any(torch.nn.parameter.is_lazy(p) for p in (*self.module.parameters(), *self.module.buffers())):
            return
        sizes = [1 if size is None else size for size in input_shape]
        mode = self.module.training
        with torch.no_grad():
            self.module.eval()(torch.zeros(sizes, dtype=self.compute_torch_dtype, device=torch.get_default_device()))
        self.module.train(mode)

    def call(self, inputs: Any, *others: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What the module returns, in the mode that the layer is called in."""
        if training is not None and training is not self.module.training:
            self.module.train(training)
        return self.module(inputs, *others, **kwargs)

    def declared_output(self, first: Any) -> Any:
        """The output by `output_shape`, where it was given."""
        del first
        return None if self.output_shape is None else SymbolicTensor(self.output_shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments.

        Modules of `torch.nn`, and containers of them, are written as their class and its arguments; others can go into
        a file when their class has a `get_config` of its own and is registered.
        """
        if hasattr(self.module, "get_config"):
            module = registry.serialize(self.module)
        else:
            cls = type(self.module)
            unknown = {"class_name": TAG, "config": {"class": f"{cls.__module__}.{cls.__qualname__}"}}
            module = Live(describe(self.module) or unknown, self.module)
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "module": module,
            "output_shape": self.output_shape,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described, around a copy of the module.

        Raises:
            UnsafeFileError: the module came from a file as a pickle, or as a class that is not torch's and has no
                config.
            FileFormatError: what the file says of the module is damaged.
        """
        module = config["module"]
        if isinstance(module, Live):
            return cls(copy.deepcopy(module.value), **restored({k: v for k, v in config.items() if k != "module"}))
        if (
            isinstance(module, Mapping)
            and module.get("class_name") == TAG
            and set(module.get("config") or ()) != {"class"}
        ):
            made = restore(module, f"the TorchModuleWrapper '{config.get('name')}'")
            return cls(made, **restored({k: v for k, v in config.items() if k != "module"}))
        if isinstance(module, str) or module.get("class_name") == TAG:
            raise UnsafeFileError(
                f"The module of the TorchModuleWrapper '{config.get('name')}' can only be made by code, which no file "
                "gets to run. Give its class a `get_config` and `@register_keras_serializable()`, and save again; or "
                "build the model in code and load only the weights with `load_weights`."
            )
        return cls(**restored(config))
