"""From a name, a config or a torch optimizer to an optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.base import Optimizer
from ramify.optimizers.torch_optimizer import TorchOptimizer, is_torch_optimizer

MODULE = "keras.optimizers"


def serialize(optimizer: Optimizer) -> Any:
    """An optimizer as plain data, without its state."""
    return registry.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that `serialize`, here or in Keras, described.

    Args:
        config: a config, or a name in any case, such as ``"adam"``.
        custom_objects: name -> class, looked up first.

    Raises:
        ArgumentError: a name that nothing is registered under.
    """
    if isinstance(config, str) and registry.get_registered_object(config, custom_objects) is None:
        config = config.lower()
    elif isinstance(config, Mapping):
        name = str(config.get("class_name", "")).lower()
        if registry.lookup(name, MODULE) is not None and _is_keras(config):
            config = {"class_name": name, "config": config.get("config") or {}}
    return registry.deserialize(config, MODULE, custom_objects, what="optimizer")


def _is_keras(config: Mapping[str, Any]) -> bool:
    """Whether a config names an optimizer of Keras's own; it writes some under the module of its backend."""
    module = config.get("module")
    return module is None or str(module).split(".")[0] == "keras"


def get(identifier: Any) -> Any:
    """The optimizer that an identifier stands for.

    Args:
        identifier: ``None``, a name, a config, an `Optimizer`, or an optimizer of `torch.optim`: its class, an object,
            or a function of the parameters that makes one.

    Returns:
        An `Optimizer`, or ``None``.

    Raises:
        ArgumentError: anything else.

    >>> get("adam").get_config()["beta_1"]
    0.9
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, (str, Mapping)):
        return deserialize(identifier)
    if inspect.isclass(identifier) and issubclass(identifier, Optimizer):
        made: Any = identifier
        return made()
    if is_torch_optimizer(identifier):
        return TorchOptimizer(identifier)
    raise ArgumentError(
        f"{identifier!r} is no optimizer. Pass a name such as 'adam', an Optimizer, or an optimizer of torch.optim."
    )
