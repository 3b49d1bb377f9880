"""Values that JSON does not know, written as Keras writes them: ``{"class_name": "__numpy__", "config": {...}}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from ramify.errors import FileFormatError


def encode(value: Any) -> Any:
    """A value as plain data; ``None`` where there is no way to write it, and for ``None``."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return None
        return value.item() if value.ndim == 0 else _tagged("__numpy__", value=value.tolist(), dtype=value.dtype.name)
    if isinstance(value, torch.Tensor):
        plain = value.detach().cpu()
        return _tagged("__tensor__", value=plain.tolist(), dtype=str(value.dtype).removeprefix("torch."))
    if isinstance(value, slice):
        return _tagged("__slice__", start=value.start, stop=value.stop, step=value.step)
    if isinstance(value, bytes):
        return _tagged("__bytes__", value=value.decode("latin-1"))
    return _tagged("__ellipsis__") if value is ... else None


def _tagged(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def is_value(config: Mapping[str, Any]) -> bool:
    """Whether a dict is what `encode` makes."""
    return config.get("class_name") in _DECODE and isinstance(config.get("config"), Mapping)


def decode(config: Mapping[str, Any]) -> Any:
    """The value that `encode` wrote.

    Raises:
        FileFormatError: it is damaged.
    """
    try:
        return _DECODE[config["class_name"]](config["config"])
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise FileFormatError(
            f"A constant of kind {config['class_name']} in the config is damaged: {error}. Save the model again."
        ) from None


def _array(config: Mapping[str, Any]) -> np.ndarray:
    dtype = np.dtype(str(config["dtype"]))
    if dtype.kind not in "biufc":
        raise TypeError(f"dtype {dtype} holds no numbers")
    return np.asarray(config["value"], dtype=dtype)


def _tensor(config: Mapping[str, Any]) -> torch.Tensor:
    dtype = getattr(torch, str(config["dtype"]), None)
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"{config['dtype']!r} is no dtype")
    return torch.tensor(config["value"], dtype=dtype, device="cpu")


def _slice(config: Mapping[str, Any]) -> slice:
    return slice(config.get("start"), config.get("stop"), config.get("step"))


_DECODE: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "__numpy__": _array,
    "__tensor__": _tensor,
    "__slice__": _slice,
    "__bytes__": lambda config: config["value"].encode("latin-1"),
    "__ellipsis__": lambda _: ...,
}
