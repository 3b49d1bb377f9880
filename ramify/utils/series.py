"""`timeseries_dataset_from_array`: windows out of a long series."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.training.data.convert import to_tensor
from ramify.utils.samples import SampleDataset


class WindowDataset(SampleDataset):
    """Windows of a series, cut out by one call for a whole batch."""

    def __init__(self, data: torch.Tensor, targets: Any, starts: torch.Tensor, offsets: torch.Tensor, **kwargs: Any):
        self.data, self.targets, self.starts, self.offsets = data, targets, starts, offsets
        super().__init__(self._window, len(starts), **kwargs)

    def _window(self, number: Any) -> Any:
        start = self.starts[number]
        windows = self.data[start[..., None] + self.offsets]
        return windows if self.targets is None else (windows, self.targets[start])

    def _made(self, numbers: np.ndarray) -> Any:
        return self._window(torch.from_numpy(np.ascontiguousarray(numbers)))

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`."""
        if self.batch_size is None or self.sample != self._window:
            return super().__getitem__(index)
        index = range(len(self))[index]
        made = self._made(self._order[index * self.batch_size : (index + 1) * self.batch_size])
        for function in self._functions:
            made = function(*made) if isinstance(made, tuple) else function(made)
        return made


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> SampleDataset:
    """Windows of equal length out of a series, with a target for each.

    Args:
        data: array of shape ``(time, ...)``.
        targets: ``targets[i]`` belongs to the window that begins at time `i`; ``None`` for windows alone.
        sequence_length: values in a window.
        sequence_stride: steps between the beginnings of two windows.
        sampling_rate: steps between two values in a window.
        batch_size: windows in a batch; ``None`` gives single windows.
        shuffle: whether the order is drawn, anew in each pass.
        seed: settles the draws.
        start_index: values before it are not used.
        end_index: values from it on are not used.
        format: accepted for Keras's sake; the result is of this library whatever it says.

    Returns:
        A `SampleDataset`; batches have the shape ``(batch, sequence_length, ...)``.

    Raises:
        ArgumentError: numbers outside the series, or a series that is shorter than a window.

    Example, windows of four values of which the next one is the target:

    >>> series = np.arange(10.0)
    >>> x, y = timeseries_dataset_from_array(series[:-4], series[4:], 4, batch_size=2)[1]
    >>> x.tolist(), y.tolist()
    ([[2.0, 3.0, 4.0, 5.0]], [6.0])
    """
    if format not in ("tf", "grain", "torch"):
        raise ArgumentError(f"format={format!r} is unknown. Leave it out.")
    series = to_tensor(data, "data")
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
    ):
        if not isinstance(value, (int, np.integer)) or not 0 < value < max(2, len(series)):
            raise ArgumentError(f"{name} must be a whole number from 1 to {len(series) - 1}, but is {value!r}.")
    start = start_index or 0
    end = len(series) if end_index is None else end_index
    if not 0 <= start < end <= len(series):
        raise ArgumentError(
            f"start_index={start_index} and end_index={end_index} mark no part of the series of {len(series)} values."
        )
    goals = None if targets is None else to_tensor(targets, "targets")[start:end]
    series = series[start:end]
    count = len(series) - (sequence_length - 1) * sampling_rate
    if goals is not None:
        count = min(count, len(goals))
    if count < 1:
        raise ArgumentError(
            f"A window spans {(sequence_length - 1) * sampling_rate + 1} values, but the series has {len(series)}"
            + (f" and {len(goals)} targets" if goals is not None else "")
            + ". Shorten the windows or pass more data."
        )
    starts = torch.arange(0, count, sequence_stride)
    offsets = torch.arange(sequence_length) * sampling_rate
    return WindowDataset(series, goals, starts, offsets, batch_size=batch_size, shuffle=shuffle, seed=seed)
