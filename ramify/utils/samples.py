"""`SampleDataset`: samples that are made when they are asked for, in batches, in an order that a seed settles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.graph.structure import flatten, unflatten
from ramify.training.data import PyDataset


class SampleDataset(PyDataset):
    """Batches out of samples that have numbers.

    It is iterated over, has a length, gives batch ``i`` by ``dataset[i]``, goes into `fit`, and can be handed to a
    torch `DataLoader` with ``batch_size=None``. Batches are tensors, nested as the samples are; strings are lists.

    Args:
        sample: gives sample number `i`, such as ``(x, y)``.
        count: number of samples.
        batch_size: samples in a batch; ``None`` gives single samples.
        shuffle: whether every pass over the data has an order of its own.
        seed: settles these orders; drawn from NumPy's generator when ``None``.
        workers: threads that make samples of a batch at once.

    Attributes:
        class_names: names of the classes, where they came from folders.
        file_paths: path of each sample, where they came from files.

    Example:

    >>> squares = SampleDataset(lambda i: (torch.tensor(i), torch.tensor(i * i)), 5, batch_size=2)
    >>> [y.tolist() for x, y in squares]
    [[0, 1], [4, 9], [16]]
    >>> [(x + 1).tolist() for x in squares.map(lambda x, y: x).take(1)]
    [[1, 2]]
    """

    class_names: list[str] | None = None
    file_paths: list[str] | None = None

    def __init__(
        self,
        sample: Callable[[int], Any],
        count: int,
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        workers: int = 1,
    ) -> None:
        super().__init__()
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
            raise ArgumentError(f"batch_size must be a positive whole number or None, but is {batch_size!r}.")
        self.sample, self.count, self.batch_size = sample, count, batch_size
        self.shuffle = shuffle
        self.seed = int(np.random.randint(2**31)) if seed is None and shuffle else seed  # noqa: NPY002 -- set_random_seed's
        self.threads = workers
        self._functions: tuple[Callable[..., Any], ...] = ()
        self._pass = 0
        self._pool: ThreadPoolExecutor | None = None
        self._order = self._new_order()

    def _new_order(self) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.count)
        return np.random.default_rng([self.seed or 0, self._pass]).permutation(self.count)

    def __len__(self) -> int:
        return self.count if self.batch_size is None else -(-self.count // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`."""
        index = range(len(self))[index]
        if self.batch_size is None:
            made = self.sample(int(self._order[index]))
        else:
            made = stack(self._made(self._order[index * self.batch_size : (index + 1) * self.batch_size]))
        for function in self._functions:
            made = function(*made) if isinstance(made, tuple) else function(made)
        return made

    def _made(self, numbers: np.ndarray) -> list[Any]:
        if self.threads < 2 or len(numbers) < 2:
            return [self.sample(int(i)) for i in numbers]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads)
        return list(self._pool.map(self.sample, map(int, numbers)))

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self)):
            yield self[i]
        self.on_epoch_end()

    @property
    def order(self) -> np.ndarray:
        """Numbers of the samples, as this pass gives them."""
        return self._order.copy()

    def on_epoch_end(self) -> None:
        """The next pass has its own order."""
        self._pass += 1
        self._order = self._new_order()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}

    # ---- other data sets out of this one ----

    def map(self, function: Callable[..., Any], **kwargs: Any) -> SampleDataset:
        """The same with a function of each batch; a tuple's parts are passed one by one.

        Args:
            function: of a batch.
            kwargs: ``num_parallel_calls`` and ``deterministic``, accepted for the sake of code written for ``tf.data``.
        """
        del kwargs
        return self._like(_functions=(*self._functions, function))

    def take(self, count: int) -> SampleDataset:
        """The first `count` batches alone."""
        return self._part(slice(None, count))

    def skip(self, count: int) -> SampleDataset:
        """All batches but the first `count`."""
        return self._part(slice(count, None))

    def _part(self, part: slice) -> SampleDataset:
        size = self.batch_size or 1
        start, stop, _ = part.indices(len(self))
        numbers = self._order[start * size : stop * size]
        whole = self.sample
        return self._like(
            sample=lambda i: whole(int(numbers[i])), count=len(numbers), shuffle=False, _order=np.arange(len(numbers))
        )

    def unbatch(self) -> SampleDataset:
        """The samples, one by one."""
        if self._functions:
            raise ArgumentError("unbatch comes before map: the mapped function expects batches. Change their order.")
        return self._like(batch_size=None)

    def batch(self, batch_size: int) -> SampleDataset:
        """Batches out of single samples; functions that were mapped before go on seeing samples."""
        if self.batch_size is not None:
            raise ArgumentError("The data set is in batches already. Call unbatch() first.")
        return SampleDataset(self.__getitem__, len(self), batch_size)

    def prefetch(self, buffer_size: int | None = None) -> SampleDataset:
        """The same; in `fit`, batches are made ahead by a thread.

        Args:
            buffer_size: batches that are made ahead.
        """
        made = self._like(_workers=2)
        if buffer_size is not None and buffer_size > 0:
            made.max_queue_size = buffer_size
        return made

    def cache(self) -> SampleDataset:
        """The same; samples are kept in memory once they were made."""
        kept: dict[int, Any] = {}
        whole = self.sample

        def sample(i: int) -> Any:
            if i not in kept:
                kept[i] = whole(i)
            return kept[i]

        return self._like(sample=sample)

    def _like(self, **changes: Any) -> SampleDataset:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _pool=None, **changes)
        return other


def stack(samples: Sequence[Any]) -> Any:
    """Samples as one batch, nested as they are."""
    columns = zip(*(flatten(sample) for sample in samples), strict=True)
    return unflatten(samples[0], [_column(column) for column in columns])


def _column(values: Sequence[Any]) -> Any:
    if isinstance(values[0], (str, bytes)):
        return list(values)
    tensors = [value if isinstance(value, torch.Tensor) else torch.as_tensor(value) for value in values]
    try:
        return torch.stack(tensors)
    except RuntimeError as error:
        shapes = sorted({tuple(t.shape) for t in tensors})
        raise ArgumentError(
            f"Samples of different shapes make no batch: {', '.join(map(str, shapes[:4]))}. Bring them to one "
            "shape, or take them one by one (batch_size=None)."
        ) from error
