"""From what a user passes as an initializer to the initializer, and to a config and back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.initializers.fixed import Constant

_MODULE = "keras.initializers"


def serialize(initializer: Any) -> Any:
    """The config of an initializer, as Keras files hold it.

    >>> serialize(Constant(2.0))["config"]
    {'value': 2.0}
    """
    return registry.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that a config or a name stands for.

    Args:
        config: what `serialize` returned, or a name such as ``"he_normal"``.
        custom_objects: name -> class or function, looked up first.

    Raises:
        ArgumentError: a name that is not known.

    >>> type(deserialize("ones")).__name__
    'Ones'
    """
    return registry.deserialize(config, _MODULE, custom_objects, "initializer")


def get(identifier: Any) -> Callable[..., torch.Tensor] | None:
    """The initializer that is meant.

    Args:
        identifier: an initializer, its class, its name or config, any function ``(shape, dtype) -> tensor``, an array
            or tensor with the values themselves, or ``None``.

    Returns:
        Something to call with ``(shape, dtype=...)``; ``None`` for ``None``.

    Raises:
        ArgumentError: anything else, or a name that is not known.

    >>> get("zeros")((2,), dtype="float64")
    tensor([0., 0.], dtype=torch.float64)
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, Mapping)):
        identifier = deserialize(identifier)
    elif isinstance(identifier, (np.ndarray, torch.Tensor)):
        identifier = Constant(identifier)
    elif inspect.isclass(identifier):
        identifier = identifier()
    if callable(identifier):
        found: Callable[..., torch.Tensor] = identifier
        return found
    raise ArgumentError(
        f"{identifier!r} is no initializer. Pass a name such as 'he_normal', an Initializer, a function of "
        "(shape, dtype), or Constant(...) for a value of your own."
    )
