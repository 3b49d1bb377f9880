"""Configs of what only code can make: functions without a registered name, torch modules.

In a file such a thing is data that nothing here will run, but where a caller asked for it with ``safe_mode=False``.
Within the process that wrote the config the thing itself is still at hand, so that a layer can be made again from its
own config.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ramify import registry


class Live(dict[str, Any]):
    """Plain data that describes an object, and remembers the object itself until it is written to a file."""

    value: Any

    def __init__(self, data: Mapping[str, Any], value: Any) -> None:
        super().__init__(data)
        self.value = value


def function_config(function: Callable[..., Any]) -> dict[str, Any]:
    """A function as Keras files hold it: by its name; a lambda by its bytecode."""
    if hasattr(function, "get_config"):
        config: dict[str, Any] = registry.serialize(function)
        return config
    name = registry.get_registered_name(function)
    if name != "<lambda>":
        data = {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
        return Live(data, function)
    return Live(registry.bytecode_of(function), function)


def function_from(config: Any, what: str) -> Any:
    """The function that `function_config` described, by its name among the registered ones; other values unchanged.

    Raises:
        UnsafeFileError: a lambda's bytecode out of a file.
        ArgumentError: a name that is not known.
    """
    if isinstance(config, Live):
        return config.value
    if registry.is_bytecode(config):
        return registry.function_of(config, what, safe=registry.is_safe())
    if isinstance(config, Mapping) and "class_name" in config:
        return registry.deserialize(config, what=f"function of {what}")
    return config
