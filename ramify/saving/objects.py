"""Any object as plain data and back, by Keras's names for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError


def serialize_keras_object(obj: Any) -> Any:
    """An object as plain data that JSON can hold, in Keras's layout.

    Args:
        obj: a layer, model, loss, optimizer, ... or a function, array, or nested structure of these.

    Raises:
        ArgumentError: something in it has no `get_config`.

    >>> import ramify
    >>> serialize_keras_object(ramify.layers.Dense(3))["class_name"]
    'Dense'
    """
    with registry.sharing():
        if callable(obj) and hasattr(obj, "__name__") and not hasattr(obj, "get_config"):
            return registry.function_dict(obj)
        return registry.serialize(obj)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = True, **kwargs: Any
) -> Any:
    """The object that `serialize_keras_object` described.

    Args:
        config: plain data, as made here or by Keras.
        custom_objects: name -> class or function, for your own.
        safe_mode: false lets `Lambda` layers run Python code out of the config; ``None``: as it is around the call.
        **kwargs: `module_objects`, a further table of names; `printable_module_name`, a word for messages.

    Raises:
        ArgumentError: a name that is not known.
        UnsafeFileError: the config asks for code to be run.

    >>> import ramify
    >>> deserialize_keras_object(serialize_keras_object(ramify.layers.Dense(3))).units
    3
    """
    table: Mapping[str, Callable[..., Any]] = kwargs.pop("module_objects", None) or {}
    what = kwargs.pop("printable_module_name", "object")
    if kwargs:
        raise ArgumentError(f"`deserialize_keras_object` takes no {', '.join(kwargs)}. Leave it out.")
    safe = None if safe_mode is None else safe_mode is not False
    with registry.CustomObjectScope({**table, **(custom_objects or {})}), registry.loading(safe=safe):
        return _deserialized(config, what)


def _deserialized(config: Any, what: str) -> Any:
    if isinstance(config, str):
        found = registry.lookup(config)
        return config if found is None else registry.deserialize(config, what=what)
    if isinstance(config, Mapping) and "class_name" not in config:
        return {key: _deserialized(item, what) for key, item in config.items()}
    if isinstance(config, (list, tuple)):
        return [item if isinstance(item, str) else _deserialized(item, what) for item in config]
    return registry.deserialize(config, what=what)
