"""Functions as Python bytecode: the one place where a file gives code, for callers who said ``safe_mode=False``."""

from __future__ import annotations

import base64
import binascii
import builtins
import marshal
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ramify.errors import FileFormatError, UnsafeFileError

TAG = "__lambda__"


def bytecode_of(function: Any) -> dict[str, Any]:
    """A function as Keras writes those that have no name."""
    cells = getattr(function, "__closure__", None)
    code = {
        "code": base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii"),
        "defaults": function.__defaults__,
        "closure": tuple(cell.cell_contents for cell in cells) if cells else None,
    }
    return {"class_name": TAG, "config": code}


def is_bytecode(config: Any) -> bool:
    """Whether a config is what `bytecode_of` makes."""
    return isinstance(config, Mapping) and config.get("class_name") == TAG


def function_of(config: Mapping[str, Any], what: str, *, safe: bool) -> Callable[..., Any]:
    """The function that `bytecode_of` wrote.

    Args:
        config: what `bytecode_of` gave.
        what: whose function it is, for messages.
        safe: whether bytecode is refused.

    Raises:
        UnsafeFileError: it is refused.
        FileFormatError: it is damaged, or of another version of Python.
    """
    if safe:
        raise UnsafeFileError(
            f"The function of {what} is stored as Python bytecode, which could do anything. Write it as a named "
            "function under `@register_keras_serializable()` and save again; or build the model in code and load "
            "only the weights with `load_weights`; or, for a file that you made yourself, pass `safe_mode=False`."
        )
    inner = config.get("config") or {}
    try:
        code = marshal.loads(base64.decodebytes(inner["code"].encode("ascii")))  # noqa: S302 - see above
        cells = tuple(types.CellType(value) for value in inner.get("closure") or ())
        names = {"torch": torch, "np": np, "numpy": np, "__builtins__": builtins}
        defaults = tuple(inner.get("defaults") or ()) or None
        return types.FunctionType(code, names, "<lambda>", defaults, cells or None)
    except (KeyError, TypeError, ValueError, EOFError, AttributeError, binascii.Error) as error:
        raise FileFormatError(
            f"The bytecode of {what} cannot be read ({error}): it is damaged, or of another version of Python."
        ) from None
