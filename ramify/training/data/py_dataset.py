"""`PyDataset`: batches made by Python code, by number, so that several workers can make them at once."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.training.data.adapter import DataAdapter
from ramify.training.data.batch import Placement
from ramify.training.data.iterables import loaded


class PyDataset:
    """Base of data sets that give batch number `i`.

    Define `__getitem__`, which returns `x`, ``(x, y)`` or ``(x, y, sample_weight)``, and `__len__` or `num_batches`.

    Args:
        workers: how many make batches at once; 1 makes them in the training loop itself.
        use_multiprocessing: whether workers are processes rather than threads.
        max_queue_size: batches that are made ahead.

    Example:

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         x = torch.arange(3.0) + 3 * index
    ...         return x, x**2
    >>> Squares()[1][1].tolist()
    [9.0, 16.0, 25.0]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """How many make batches at once."""
        return int(self.__dict__.get("_workers", 1))

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether workers are processes."""
        return bool(self.__dict__.get("_use_multiprocessing", False))

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """Batches that are made ahead."""
        return int(self.__dict__.get("_max_queue_size", 10))

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`; subclasses define it."""
        raise ArgumentError(f"{type(self).__name__} does not define `__getitem__(index)`. Return a batch from it.")

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; ``None`` for a data set without end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise ArgumentError(f"{type(self).__name__} defines neither `__len__` nor `num_batches`. Define one.")

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch."""


class PyDatasetAdapter(DataAdapter):
    """Batches out of a `PyDataset`.

    Args:
        dataset: the data set.
        placement: where batches go.
        shuffle: whether every epoch has its own order of batches.
    """

    def __init__(self, dataset: PyDataset, placement: Placement, shuffle: bool = False) -> None:
        self.dataset = dataset
        self.placement = placement
        self.shuffle = shuffle
        self.num_batches = dataset.num_batches
        self.endless = self.num_batches is None
        if self.num_batches == 0:
            raise ArgumentError(f"{type(dataset).__name__} holds no batches: its length is 0. Check how it was made.")

    def epoch(self) -> Iterator[Any]:
        """The batches of one epoch."""
        count = self.num_batches
        order: Any = itertools.count() if count is None else range(count)
        if self.shuffle and count is not None:
            order = torch.randperm(count).tolist()
        if self.dataset.workers > 1 or (self.dataset.use_multiprocessing and self.dataset.workers > 0):
            made = self._from_processes(order) if self.dataset.use_multiprocessing else self._from_threads(order)
        else:
            made = (self.dataset[i] for i in order)
        for batch in made:
            yield self.placement.place(batch)

    def _from_threads(self, order: Any) -> Iterator[Any]:
        numbers = iter(order)
        with ThreadPoolExecutor(self.dataset.workers) as pool:
            ahead = itertools.islice(numbers, max(self.dataset.max_queue_size, self.dataset.workers))
            waiting: deque[Future[Any]] = deque(pool.submit(self.dataset.__getitem__, i) for i in ahead)
            try:
                while waiting:
                    batch = waiting.popleft().result()
                    for i in itertools.islice(numbers, 1):
                        waiting.append(pool.submit(self.dataset.__getitem__, i))
                    yield batch
            finally:
                for future in waiting:
                    future.cancel()

    def _from_processes(self, order: Any) -> Iterator[Any]:
        ahead = max(1, self.dataset.max_queue_size // self.dataset.workers)
        loader: Any = torch.utils.data.DataLoader(
            _Batches(self.dataset),
            batch_size=None,
            sampler=order,
            num_workers=self.dataset.workers,
            prefetch_factor=ahead,
            worker_init_fn=_own_seed,
        )
        return loaded(loader, type(self.dataset).__name__)

    def on_epoch_begin(self) -> None:
        """Tell the data set."""
        self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the data set."""
        self.dataset.on_epoch_end()


class _Batches(torch.utils.data.Dataset[Any]):
    """A `PyDataset` as torch's workers take it."""

    def __init__(self, dataset: PyDataset) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index]


def _own_seed(worker: int) -> None:
    """Python's generator, which torch leaves alone, must not be the same in all workers."""
    random.seed(torch.initial_seed() + worker)
