"""What a recording depends on beside the numbers of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

Key = tuple[Any, ...]


def signature(data: Any) -> tuple[Key, list[torch.Tensor]] | None:
    """The form of a batch, and its tensors, each once.

    Args:
        data: nested tuples, lists and dicts of tensors.

    Returns:
        Something hashable that is equal for batches of the same form, and the tensors; ``None`` where the batch holds
        something else than plain tensors.

    >>> signature((torch.zeros(2, 3), None))[0] == signature((torch.ones(2, 3), None))[0]
    True
    >>> signature((torch.zeros(2, 3), None))[0] == signature((torch.zeros(4, 3), None))[0]
    False
    """
    tensors: list[torch.Tensor] = []
    places: dict[int, int] = {}
    form: list[Any] = []
    # The commonest batch is a tuple of tensors: its leaves need no searching.
    plain = type(data) is tuple and all(type(leaf) is torch.Tensor for leaf in data)
    for leaf in data if plain else _leaves(data):
        if type(leaf) is torch.Tensor:
            place = places.setdefault(id(leaf), len(tensors))
            if place == len(tensors):
                tensors.append(leaf)
            form.append((place, leaf.shape, leaf.dtype, leaf.is_contiguous() or leaf.stride(), leaf.requires_grad))
        elif isinstance(leaf, torch.Tensor) or not isinstance(leaf, (str, int, float, type(None))):
            return None
        else:
            form.append(leaf)
    if tensors:
        kind = tensors[0].device.type
        if torch.is_autocast_enabled(kind):
            form.append(torch.get_autocast_dtype(kind))
        if torch.are_deterministic_algorithms_enabled():
            form.append("deterministic")
    return tuple(form), tensors


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, (tuple, list)):
        yield f"{type(data).__name__}{len(data)}"
        for item in data:
            yield from _leaves(item)
    elif isinstance(data, dict):
        yield f"dict{len(data)}"
        for key, item in data.items():
            yield key if isinstance(key, str) else repr(key)
            yield from _leaves(item)
    else:
        yield data
