"""Configs of what only code can make: functions without a registered name, torch modules.

In a file such a thing is data that nothing here will run, but where a caller asked for it with ``safe_mode=False``.
Within the process that wrote the config the thing itself is still at hand, so that a layer can be made again from its
own config.
"""

from __future__ import annotations

import base64
import builtins
import marshal
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ramify import registry
from ramify.errors import UnsafeFileError


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
    cells = getattr(function, "__closure__", None)
    code = {
        "code": base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii"),
        "defaults": function.__defaults__,
        "closure": tuple(cell.cell_contents for cell in cells) if cells else None,
    }
    return Live({"class_name": "__lambda__", "config": code}, function)


def function_from(config: Any, what: str) -> Any:
    """The function that `function_config` described, by its name among the registered ones; other values unchanged.

    Raises:
        UnsafeFileError: a lambda's bytecode out of a file.
        ArgumentError: a name that is not known.
    """
    if isinstance(config, Live):
        return config.value
    if isinstance(config, Mapping) and config.get("class_name") == "__lambda__":
        if not registry.is_safe():
            return _run(config.get("config") or {})
        raise UnsafeFileError(
            f"The function of {what} is stored as Python bytecode, which could do anything. Write it as a named "
            "function under `@register_keras_serializable()` and save again; or build the model in code and load "
            "only the weights with `load_weights`; or, for a file that you made yourself, pass `safe_mode=False`."
        )
    if isinstance(config, Mapping) and "class_name" in config:
        return registry.deserialize(config, what=f"function of {what}")
    return config


def _run(config: Mapping[str, Any]) -> Any:
    """A lambda out of its bytecode: the one place where a file gives code, for callers who said `safe_mode=False`."""
    code = marshal.loads(base64.decodebytes(config["code"].encode("ascii")))  # noqa: S302 - see above
    cells = tuple(types.CellType(value) for value in config.get("closure") or ())
    names = {"torch": torch, "np": np, "numpy": np, "__builtins__": builtins}
    return types.FunctionType(code, names, "<lambda>", tuple(config.get("defaults") or ()) or None, cells or None)
