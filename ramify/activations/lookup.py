"""From what a user passes as an activation to the function, and to a config and back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional as F

from ramify import registry
from ramify.activations.smooth import linear
from ramify.errors import ArgumentError

_MODULE = "keras.activations"

# torch's functions that do, by default, what the activation of the same name does: their name alone says enough.
_SAME_IN_TORCH = (
    torch.relu, F.relu, F.relu6, F.elu, torch.celu, F.celu, torch.selu, F.selu, torch.sigmoid, F.sigmoid,
    torch.tanh, F.tanh, F.softplus, F.softsign, F.silu, F.gelu, F.mish, F.glu,
)  # fmt: skip
registry.also(_MODULE, *_SAME_IN_TORCH)


def serialize(activation: Any) -> Any:
    """The config of an activation, as Keras files hold it: the name of a function, the config of a layer.

    Raises:
        ArgumentError: a function without a name of its own, or one whose name would be read back as another function.

    >>> serialize(get("swish"))
    'silu'
    """
    config = registry.serialize(activation)
    if isinstance(config, dict) and config["class_name"] == "function":
        config = config["config"]
    if isinstance(config, str) and callable(activation):
        _check_name(config, activation)
    return config


def _check_name(name: str, activation: Any) -> None:
    known = registry.lookup(name, _MODULE)
    if name == "<lambda>":
        raise ArgumentError(
            "A lambda has no name that it could be saved under as an activation. Write a function with a name."
        )
    if known is not None and known is not activation and activation not in _SAME_IN_TORCH:
        raise ArgumentError(
            f"{activation!r} would be saved as {name!r}, which is the name of another activation. Rename it, or "
            "register it with `register_keras_serializable`."
        )


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation that a config or a name stands for.

    Args:
        config: what `serialize` returned.
        custom_objects: name -> class or function, looked up first.

    Raises:
        ArgumentError: a name that is not known.

    >>> deserialize("silu").__name__
    'silu'
    """
    return registry.deserialize(config, _MODULE, custom_objects, "activation")


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that is meant.

    Args:
        identifier: a function from a tensor to a tensor (one of torch's, for instance), a layer or module, its class, a
            name or config, or ``None`` for `linear`.

    Returns:
        The function itself, with nothing around it.

    Raises:
        ArgumentError: anything else, or a name that is not known.

    >>> get("relu")(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    if identifier is None:
        return linear
    if isinstance(identifier, (str, Mapping)):
        identifier = deserialize(identifier)
    elif inspect.isclass(identifier):
        identifier = identifier()
    if callable(identifier):
        found: Callable[..., Any] = identifier
        return found
    raise ArgumentError(
        f"{identifier!r} is no activation. Pass a name such as 'relu', a function from a tensor to a tensor, a layer, "
        "or None."
    )
