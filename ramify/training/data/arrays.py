"""Batches out of arrays that are in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.graph.structure import map_leaves, unflatten, walk
from ramify.training.data.adapter import DataAdapter
from ramify.training.data.batch import Placement, pack_x_y_sample_weight, with_class_weight
from ramify.training.data.convert import is_array, is_numbers, to_tensor

CHUNK = 2**20
"""Bytes that are fetched at once: small batches share the cost of a call, and they still fit the cache."""


class ArrayAdapter(DataAdapter):
    """Batches out of nested tensors with samples along the first axis.

    Several small batches are fetched by one call and then handed out as views; unshuffled ones are views of the data.

    Args:
        data: `x`, ``(x, y)`` or ``(x, y, sample_weight)`` of tensors of equal lengths.
        placement: where batches go.
        batch_size: samples in a batch.
        shuffle: whether every epoch has an order of its own, drawn from torch's generator.

    >>> data = ArrayAdapter(torch.arange(5), Placement(torch.device("cpu"), torch.float32), 2)
    >>> [batch.tolist() for batch in data.epoch()]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, data: Any, placement: Placement, batch_size: int = 32, shuffle: bool = False) -> None:
        self._places = list(walk(data))
        self.tensors: list[torch.Tensor] = [leaf for _, leaf in self._places if leaf is not None]
        self.placement = placement
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.size = len(self.tensors[0])
        self.num_batches = -(-self.size // self.batch_size)
        self._pack = _packer(data, [leaf is not None for _, leaf in self._places])
        row = sum(t.element_size() * t[0].numel() for t in self.tensors)
        self._chunk = self.batch_size * max(1, CHUNK // max(1, row * self.batch_size))

    def epoch(self) -> Iterator[Any]:
        """The batches of one epoch."""
        chunks = self._chunks()
        for parts in ahead(chunks) if self.placement.pins else chunks:
            yield from map(self._pack, zip(*(torch.split(rows, self.batch_size) for rows in parts), strict=True))

    def _chunks(self) -> Iterator[list[torch.Tensor]]:
        """Some batches at a time, on their way to the device."""
        order = torch.randperm(self.size) if self.shuffle else None
        orders: dict[torch.device, torch.Tensor] = {}
        for start in range(0, self.size, self._chunk):
            stop = min(start + self._chunk, self.size)
            parts = []
            for tensor in self.tensors:
                if order is None:
                    rows = tensor.narrow(0, start, stop - start)
                else:
                    if tensor.device not in orders:
                        orders[tensor.device] = order.to(tensor.device)
                    rows = tensor.index_select(0, orders[tensor.device].narrow(0, start, stop - start))
                parts.append(self.placement.send(rows))
            yield parts


def ahead(items: Iterable[Any]) -> Iterator[Any]:
    """The items, each handed out only when the next is there: a GPU gets its data while it still has work.

    >>> list(ahead([1, 2, 3]))
    [1, 2, 3]
    """
    rest = iter(items)
    held = list(itertools.islice(rest, 1))
    for item in rest:
        yield held.pop()
        held.append(item)
    yield from held


def _packer(data: Any, present: list[bool]) -> Callable[[tuple[torch.Tensor, ...]], Any]:
    """A function that gives a flat tuple of tensors the structure of `data`."""
    if isinstance(data, torch.Tensor):
        return lambda leaves: leaves[0]
    if isinstance(data, tuple) and all(isinstance(item, torch.Tensor) for item in data):
        return lambda leaves: leaves
    if all(present):
        return lambda leaves: unflatten(data, list(leaves))

    def pack(leaves: tuple[torch.Tensor, ...]) -> Any:
        rest = iter(leaves)
        return unflatten(data, [next(rest) if there else None for there in present])

    return pack


def as_tensors(value: Any, name: str, floats: torch.dtype | None = None) -> Any:
    """Nested arrays as nested tensors.

    Args:
        value: arrays, nested in lists, tuples and dicts; lists of numbers count as arrays.
        name: how messages call the value.
        floats: dtype that floating values get.
    """
    if value is None or is_array(value) or is_numbers(value):
        return None if value is None else to_tensor(value, name, floats)
    if isinstance(value, Mapping):
        return {key: as_tensors(item, f"{name}[{key!r}]", floats) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(as_tensors(item, f"{name}[{i}]", floats) for i, item in enumerate(value))
    return to_tensor(value, name, floats)


def checked(x: Any, y: Any, sample_weight: Any, class_weight: Mapping[Any, Any] | None = None) -> tuple[Any, Any, Any]:
    """Arrays as tensors, their lengths compared, class weights worked in.

    Raises:
        ArgumentError: lengths that differ, no samples, an array without a batch axis.
    """
    parts = tuple(as_tensors(v, name) for v, name in ((x, "x"), (y, "y"), (sample_weight, "sample_weight")))
    lengths: dict[str, int] = {}
    for part, name in zip(parts, ("x", "y", "sample_weight"), strict=True):
        for path, leaf in walk(part) if part is not None else ():
            where = name + "".join(f"[{key!r}]" for key in path)
            if leaf is None:  # an input that is optional, or an output without a target: the model knows
                continue
            if leaf.ndim == 0:
                raise ArgumentError(f"{where} is one number, but the first axis counts samples. Pass shape (1, ...).")
            lengths[where] = len(leaf)
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{where}: {length}" for where, length in lengths.items())
        raise ArgumentError(
            f"The arrays hold different numbers of samples ({listed}). Cut them to one length along the first axis."
        )
    if not lengths or 0 in lengths.values():
        raise ArgumentError(
            "The data holds no samples: the first axis of every array has length 0. Check how it was made."
        )
    if class_weight is not None:
        parts = (parts[0], parts[1], with_class_weight(class_weight, parts[1], parts[2]))
    return parts


def split_off(parts: tuple[Any, Any, Any], fraction: float) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The last samples taken off, before anything is shuffled.

    Args:
        parts: `x`, `y` and `sample_weight` as tensors.
        fraction: share of the samples to take off, in ``(0, 1)``.

    Returns:
        What remains and what was taken off.

    Raises:
        ArgumentError: another fraction, or one that leaves nothing on a side.
    """
    if not 0 < fraction < 1:
        raise ArgumentError(f"validation_split must lie between 0 and 1, but is {fraction}.")
    size = next(len(leaf) for _, leaf in walk(parts) if leaf is not None)
    cut = int(size * (1.0 - fraction))
    if cut in (0, size):
        raise ArgumentError(
            f"validation_split={fraction} of {size} samples leaves none for {'validation' if cut else 'training'}. "
            "Pass more data or another split."
        )

    def cut_out(start: int, stop: int) -> Any:
        return map_leaves(lambda leaf: None if leaf is None else leaf[start:stop], parts)

    return cut_out(0, cut), cut_out(cut, size)


def adapter_for_arrays(
    parts: tuple[Any, Any, Any], placement: Placement, batch_size: int | None, shuffle: bool
) -> ArrayAdapter:
    """Batches out of `x`, `y` and `sample_weight` as tensors."""
    size = 32 if batch_size is None else batch_size
    if not isinstance(size, int) or size < 1:
        raise ArgumentError(f"batch_size must be a positive whole number, but is {batch_size!r}.")
    return ArrayAdapter(pack_x_y_sample_weight(*parts), placement, size, shuffle)
