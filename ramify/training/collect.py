"""Predictions of many batches, put together once."""

from __future__ import annotations

from typing import Any

import torch

from ramify.graph.structure import flatten, unflatten
from ramify.passes.arrays import as_array

LIMIT = 2**28
"""Bytes of predictions that may wait on an accelerator before they are fetched."""


class Collected:
    """Batches of predictions that become one array per output.

    >>> collected = Collected()
    >>> collected.add({"a": torch.ones(2, 1)})
    >>> collected.add({"a": torch.zeros(1, 1)})
    >>> collected.arrays()["a"].shape
    (3, 1)
    """

    def __init__(self) -> None:
        self._structure: Any = None
        self._waiting: list[list[torch.Tensor]] = []
        self._fetched: list[list[torch.Tensor]] = []
        self._bytes = 0

    def add(self, outputs: Any) -> None:
        """Take a batch."""
        found = [outputs] if isinstance(outputs, torch.Tensor) else flatten(outputs)
        leaves = [leaf if isinstance(leaf, torch.Tensor) else torch.as_tensor(leaf) for leaf in found]
        if not self._waiting:
            self._structure = outputs
            self._waiting, self._fetched = [[] for _ in leaves], [[] for _ in leaves]
        for column, leaf in zip(self._waiting, leaves, strict=True):
            column.append(leaf)
            if not leaf.is_cpu:
                self._bytes += leaf.nbytes
        if self._bytes > LIMIT:
            self._fetch()

    def _fetch(self) -> None:
        for waiting, fetched in zip(self._waiting, self._fetched, strict=True):
            fetched.append((torch.cat(waiting) if len(waiting) > 1 else waiting[0]).cpu())
            waiting.clear()
        self._bytes = 0

    def arrays(self) -> Any:
        """The arrays, nested as the outputs."""
        if self._waiting and self._waiting[0]:
            self._fetch()
        leaves = [as_array(torch.cat(parts) if len(parts) > 1 else parts[0]) for parts in self._fetched]
        return unflatten(self._structure, leaves)
