"""Configs out of constructors: which arguments a class takes, and what they were."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError

_BASE = ("name", "trainable", "dtype", "autocast", "activity_regularizer")


@functools.cache
def constructor_parameters(cls: Any, stop: Any) -> dict[str, inspect.Parameter]:
    """Named constructor parameters of a class, with those of its bases where it passes ``**kwargs`` on."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if base is stop:
            break
        if "__init__" not in base.__dict__:
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        for p in parameters:
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
                found.setdefault(p.name, p)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def captured(obj: Any, stop: type) -> dict[str, Any]:
    """Constructor argument -> serialized value.

    A built-in object answers from its attributes, which hold arguments in their final form; an object of a user's class
    from the arguments that it was made with. What the class names in `left_out_of_config` is not written.

    Raises:
        ArgumentError: an argument that is no plain data and has no `get_config`.
    """
    cls: Any = type(obj)
    args, kwargs = obj.__dict__.get("_init_args", ((), {}))
    parameters = constructor_parameters(cls, stop)
    given = {**dict(zip(parameters, args, strict=False)), **kwargs}
    builtin = registry.module_of(cls) is not None
    config: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name in _BASE or name in getattr(cls, "left_out_of_config", ()):
            continue
        if builtin and hasattr(obj, name):
            value = getattr(obj, name)
        elif name in given:
            value = given[name]
        elif parameter.default is not parameter.empty:
            value = parameter.default
        else:
            continue
        try:
            config[name] = registry.serialize(value)
        except ArgumentError as error:
            raise ArgumentError(
                f"The argument '{name}' of {cls.__name__} cannot be written to a config: {error}"
            ) from None
    return config


def restored(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Constructor arguments from a config: nested objects are made, everything else stays."""
    return {name: value if name == "dtype" else _restore(value, custom_objects) for name, value in config.items()}


def _restore(value: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    if isinstance(value, Mapping):
        if {"class_name", "config"} <= set(value):
            module = value.get("module") if value.get("registered_name") is None else None
            return registry.deserialize(value, module, custom_objects)
        return {key: _restore(item, custom_objects) for key, item in value.items()}
    if isinstance(value, list):
        return [_restore(item, custom_objects) for item in value]
    return value
