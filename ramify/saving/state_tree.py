"""Nested Python values as JSON and tensors, and back: what a checkpoint keeps beside weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError, FileFormatError

Tensors = dict[str, torch.Tensor]


def take_apart(value: Any, tensors: Tensors, where: str = "state") -> Any:
    """A nested value as what JSON can hold; tensors and arrays are put aside.

    Args:
        value: ``None``, booleans, numbers, strings, bytes, tensors and arrays, in lists, tuples, dicts and sets.
        tensors: takes the tensors, under new names.
        where: what the value is, for messages.

    Raises:
        ArgumentError: an object of another kind.

    >>> tensors = {}
    >>> take_apart({"best": 0.5, "weights": [torch.ones(2)]}, tensors)
    {'best': 0.5, 'weights': [{':tensor': '0'}]}
    >>> put_together({'best': 0.5, 'weights': [{':tensor': '0'}]}, tensors)
    {'best': 0.5, 'weights': [tensor([1., 1.])]}
    """
    if value is None or (isinstance(value, (bool, int, float, str)) and type(value).__module__ == "builtins"):
        return value
    if isinstance(value, np.generic):
        return take_apart(value.item(), tensors, where)
    if isinstance(value, (torch.Tensor, np.ndarray, bytes)):
        return _aside(value, tensors, where)
    if isinstance(value, list):
        return [take_apart(item, tensors, where) for item in value]
    if isinstance(value, (tuple, set, frozenset)):
        kind = ":tuple" if isinstance(value, tuple) else ":set"
        return {kind: [take_apart(item, tensors, where) for item in value]}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith(":") for key in value):
            return {key: take_apart(item, tensors, f"{where}[{key!r}]") for key, item in value.items()}
        pairs = [[take_apart(key, tensors, where), take_apart(item, tensors, where)] for key, item in value.items()]
        return {":dict": pairs}
    if isinstance(value, (int, float, str)):  # subclasses: enumerations, flags
        return take_apart(next(kind for kind in (int, float, str) if isinstance(value, kind))(value), tensors, where)
    raise ArgumentError(
        f"{where} holds {value!r:.60} of the class {type(value).__name__}, which a checkpoint cannot keep. Give plain "
        "numbers, texts, arrays and tensors in lists and dicts."
    )


def _aside(value: Any, tensors: Tensors, where: str) -> dict[str, str]:
    kind = "tensor"
    if isinstance(value, bytes):
        kind, value = "bytes", np.frombuffer(value, dtype=np.uint8)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            raise ArgumentError(f"{where} holds an array of dtype {value.dtype}. Give numbers, or a list.")
        kind = "array" if kind == "tensor" else kind
        value = torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("="), order="C"))
    name = str(len(tensors))
    tensors[name] = plain_copy(value)
    return {f":{kind}": name}


def plain_copy(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's numbers on the CPU, in memory of their own."""
    return tensor.detach().as_subclass(torch.Tensor).to("cpu", copy=True, memory_format=torch.contiguous_format)


def put_together(value: Any, tensors: Tensors) -> Any:
    """What `take_apart` took apart.

    Raises:
        FileFormatError: it refers to what is not there.
    """
    if isinstance(value, list):
        return [put_together(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(kind, inner)] = value.items()
        if kind in (":tensor", ":array", ":bytes"):
            return _found(kind, inner, tensors)
        if kind in (":tuple", ":set"):
            items = [put_together(item, tensors) for item in inner]
            return tuple(items) if kind == ":tuple" else set(items)
        if kind == ":dict":
            return {put_together(key, tensors): put_together(item, tensors) for key, item in inner}
    return {key: put_together(item, tensors) for key, item in value.items()}


def _found(kind: str, name: Any, tensors: Tensors) -> Any:
    tensor = tensors.get(name)
    if tensor is None:
        raise FileFormatError(f"The checkpoint refers to the tensor {name!r}, which it does not hold. It is damaged.")
    if kind == ":tensor":
        return tensor
    return tensor.numpy() if kind == ":array" else tensor.numpy().tobytes()
