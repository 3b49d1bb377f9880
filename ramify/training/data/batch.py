"""What a batch is: `x`, ``(x, y)`` or ``(x, y, sample_weight)``; and how targets give weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.graph.structure import flatten, map_leaves, walk
from ramify.training.data.convert import is_array, is_numbers, to_tensor

Triple = tuple[Any, Any, Any]


def unpack_x_y_sample_weight(data: Any) -> Triple:
    """Take a batch apart.

    Args:
        data: `x`, or a tuple or list of up to three: `x`, `y`, `sample_weight`.

    Returns:
        The three, ``None`` for what is not there.

    Raises:
        ArgumentError: more than three.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            f"A batch is x, (x, y) or (x, y, sample_weight), but has {len(data)} parts. "
            "Put several inputs into one list or dict: ([a, b], y)."
        )
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Put a batch together, without what is not there.

    >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight(1, 2)
    (1, (1, 2))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (tuple, list)) else x


class Placement:
    """Where data goes: the device of the model's weights, and the dtype of floating values.

    Args:
        device: where batches are sent.
        floats: dtype that floating values get.
        class_weight: class -> weight of its samples, or output name -> such a dict.
    """

    def __init__(
        self, device: torch.device, floats: torch.dtype, class_weight: Mapping[Any, Any] | None = None
    ) -> None:
        self.device = device
        self.floats = floats
        self.class_weight = class_weight
        self.pins = device.type == "cuda"
        """Whether memory is pinned before it is sent: only then does a copy to a GPU go on beside Python."""

    def send(self, tensor: torch.Tensor) -> torch.Tensor:
        """One tensor to where it belongs, in the dtype that it should have."""
        dtype = self.floats if tensor.is_floating_point() else tensor.dtype
        if tensor.dtype is dtype and tensor.device == self.device:
            return tensor
        if self.pins and tensor.device.type == "cpu":
            tensor = tensor.pin_memory()
        return tensor.to(device=self.device, dtype=dtype, non_blocking=True)

    def place(self, data: Any) -> Any:
        """A batch of arrays as tensors on the device, as the tuple that a step takes apart."""
        x, y, weight = (_tensors(part, name) for part, name in zip(unpack_x_y_sample_weight(data), _NAMES, strict=True))
        _compare_lengths(x, y, weight)
        if self.class_weight is not None:
            weight = with_class_weight(self.class_weight, y, weight)
        return pack_x_y_sample_weight(*(_map(self.send, part) for part in (x, y, weight)))


def _compare_lengths(*parts: Any) -> None:
    """A batch has as many targets and weights as inputs."""
    first: int | None = None
    for part in parts:
        for leaf in (part,) if isinstance(part, torch.Tensor) else flatten(part) if part is not None else ():
            if leaf is None or not leaf.ndim:
                continue
            if first is None:
                first = leaf.shape[0]
            elif leaf.shape[0] != first:
                found = {
                    name + "".join(f"[{key!r}]" for key in path): len(one)
                    for name, given in zip(_NAMES, parts, strict=True)
                    for path, one in (walk(given) if given is not None else ())
                    if one is not None and one.ndim
                }
                listed = ", ".join(f"{where}: {length}" for where, length in found.items())
                raise ArgumentError(
                    f"The parts of a batch hold different numbers of samples ({listed}). Check what makes the batches."
                )


_NAMES = ("x", "y", "sample_weight")


def _map(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return function(value)
    return map_leaves(lambda leaf: None if leaf is None else function(leaf), value)


def _tensors(value: Any, name: str) -> Any:
    if value is None or isinstance(value, torch.Tensor):
        return value
    if is_array(value) or is_numbers(value):
        return to_tensor(value, name)
    if isinstance(value, Mapping):
        return {key: _tensors(item, f"{name}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_tensors(item, f"{name}[{i}]") for i, item in enumerate(value))
    return to_tensor(value, name)


def with_class_weight(class_weight: Mapping[Any, Any], y: Any, sample_weight: Any = None) -> Any:
    """Weights of samples by their classes.

    Args:
        class_weight: class -> weight; classes that are not named weigh 1. For several outputs a dict of such dicts by
            output name.
        y: whole-number classes of shape ``(batch,)`` or ``(batch, 1)``, or one-hot rows; a dict by output name.
        sample_weight: weights to multiply with.

    Returns:
        Weights of shape ``(batch,)``, or a dict of them.

    Raises:
        ArgumentError: no targets; or one dict of weights for several outputs.

    >>> with_class_weight({1: 3.0}, torch.tensor([0, 1]))
    tensor([1., 3.])
    """
    if y is None:
        raise ArgumentError("class_weight needs targets, but the data holds no y. Pass y, or leave class_weight out.")
    nested = any(isinstance(value, Mapping) for value in class_weight.values())
    if isinstance(y, Mapping) and nested:
        unknown = [name for name in class_weight if name not in y]
        if unknown:
            raise ArgumentError(f"class_weight names {unknown[0]!r}, but the targets are {', '.join(map(repr, y))}.")
        given = sample_weight if isinstance(sample_weight, Mapping) else dict.fromkeys(y, sample_weight)
        weighted = {n: with_class_weight(class_weight[n], y[n], given.get(n)) for n in class_weight}
        return {**given, **weighted}
    if isinstance(y, (list, tuple)) and len(y) == 1:
        y = y[0]
    if not isinstance(y, torch.Tensor) or nested:
        raise ArgumentError(
            "class_weight for several outputs is a dict of dicts by output name, with the targets in a dict by the "
            "same names: class_weight={'a': {0: 1.0, 1: 2.0}}, y={'a': ..., 'b': ...}."
        )
    weights = _weights_of(class_weight, y)
    if sample_weight is None:
        return weights
    return sample_weight.to(weights.dtype) * weights.reshape(-1, *[1] * (sample_weight.ndim - 1))


def _weights_of(class_weight: Mapping[Any, Any], y: torch.Tensor) -> torch.Tensor:
    if y.ndim > 1:
        y = y.squeeze(-1) if y.shape[-1] == 1 else y.argmax(-1)
    weights = torch.ones(y.shape, dtype=torch.float32, device=y.device)
    for label, weight in class_weight.items():
        weights = torch.where(y == label, float(weight), weights)
    return weights
