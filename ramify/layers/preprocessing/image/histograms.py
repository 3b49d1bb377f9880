"""Layers that spread the values of images over their range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.image_format import per_axis
from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.layers.preprocessing.image.resampling import whole
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class AutoContrast(ImageLayer):
    """Spread the values of each channel of each image over the whole range, in training and outside of it.

    A channel of one value only stays as it is.

    Args:
        value_range: the lowest and the highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: no range.

    Example:

    >>> AutoContrast()(torch.tensor([10.0, 20.0, 30.0]).reshape(1, 3, 1)).flatten()
    tensor([  0.0000, 127.5000, 255.0000])
    """

    always = True

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range_of(value_range, "AutoContrast")

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """The images with all the contrast that they can have."""
        del transformation, training
        low, high = self.value_range
        darkest = images.amin(self.space_axes, keepdim=True)
        spread = images.amax(self.space_axes, keepdim=True) - darkest
        flat = spread == 0
        values = (images - darkest) * ((high - low) / torch.where(flat, 1.0, spread)) + low
        return torch.where(flat, images, values.clamp(low, high))


_BYTES = (0.0, 255.0)


@serializable("keras.layers")
class Equalization(ImageLayer):
    """Spread the values of each channel of each image so that all are about as frequent, while training.

    Each image is equalized by itself. (Keras 3.15 counts the values of a whole batch together.)

    Args:
        value_range: the lowest and the highest value of a pixel.
        bins: how many ranges of values are told apart.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: no range, or fewer than 2 bins.

    Example:

    >>> Equalization()(torch.tensor([10.0, 20.0, 30.0]).reshape(1, 3, 1)).flatten()
    tensor([  0., 128., 255.])
    """

    def __init__(
        self, value_range: Sequence[float] = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range, "Equalization")
        if not isinstance(bins, int) or bins < 2:
            raise ArgumentError(f"Equalization takes 2 bins or more, but got bins={bins!r}.")
        self.bins = bins

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """The images, equalized."""
        del transformation
        if not training:
            return images
        planes = self.planes(rescaled(images, self.value_range, _BYTES))
        which = (planes.flatten(2) * ((self.bins - 1) / 255)).to(torch.int64).clamp(0, self.bins - 1)
        below = counts(which, self.bins).cumsum(-1)
        first = torch.where(below > 0, below, below[..., -1:]).amin(-1, keepdim=True)
        spread = (below[..., -1:] - first).clamp(min=1)  # 0 for a single value, which becomes 0
        table = ((below - first).clamp(min=0) * (255 / spread)).round()
        values = table.gather(-1, which).reshape(planes.shape).to(images.dtype)
        return rescaled(self.surface(values), _BYTES, self.value_range)


def counts(which: Tensor, bins: int) -> Tensor:
    """How often each number from 0 to `bins` occurs along the last axis: ``(..., any)`` int64 -> ``(..., bins)``."""
    found = torch.zeros((*which.shape[:-1], bins), dtype=torch.float32, device=which.device)
    return found.scatter_add_(-1, which, torch.ones((), device=which.device).expand(which.shape))


_BINS = 256


@serializable("keras.layers")
class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalize each tile of each channel of each image by itself, with limits, and blend from tile to tile.

    It acts in training and outside of it. Whole numbers stay whole numbers of the same dtype.

    Source: Zuiderveld, 1994, "Contrast limited adaptive histogram equalization".

    Args:
        value_range: the lowest and the highest value of a pixel.
        clip_limit: how many times the average a value may count in a tile; what is more is spread over all values.
        tile_grid_size: how many tiles there are down and across.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: no range, no grid, or a limit that is not positive.

    Example:

    >>> layer = ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
    >>> layer(torch.randint(100, 120, (1, 16, 16, 3), dtype=torch.uint8)).dtype
    torch.uint8
    """

    always = True
    keeps_dtype = True

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: int | Sequence[int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        who = "ContrastLimitedAdaptiveHistogramEqualization"
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range, who)
        if not isinstance(clip_limit, (int, float)) or clip_limit <= 0:
            raise ArgumentError(f"{who} takes a positive clip_limit, but got {clip_limit!r}.")
        self.clip_limit = clip_limit
        self.tile_grid_size = per_axis(tile_grid_size, 2, f"{who}: tile_grid_size")

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """The images, equalized."""
        del transformation, training
        values = rescaled(images.to(torch.float32), self.value_range, _BYTES)
        planes = self.planes(values).clamp(*_BYTES).to(torch.int64)
        equal = self.surface(self._equalized(planes))
        equal = rescaled(equal, _BYTES, self.value_range)
        return equal.to(images.dtype) if images.is_floating_point() else whole(equal, images.dtype)

    def _equalized(self, planes: Tensor) -> Tensor:
        """Planes of numbers from 0 to 255, ``(batch, channels, height, width)``, through the tables of their tiles."""
        batch, channels, height, width = planes.shape
        down, across = self.tile_grid_size
        rows, columns = -(-height // down), -(-width // across)
        padding = (0, columns * across - width, 0, rows * down - height)
        padded = F.pad(planes.to(torch.float32), padding, mode="replicate").to(torch.int64)
        tiles = padded.reshape(batch * channels, down, rows, across, columns).transpose(2, 3).flatten(3)
        tables = self._tables(tiles).reshape(batch * channels, -1)
        top, below = _neighbours(height, rows, down, planes.device)
        left, right = _neighbours(width, columns, across, planes.device)
        flat = planes.flatten(0, 1)

        def read(row: Tensor, column: Tensor) -> Tensor:
            place = (row[:, None] * across + column) * _BINS + flat
            return tables.gather(1, place.flatten(1)).reshape(flat.shape)

        first = torch.lerp(read(top[0], left[0]), read(top[0], right[0]), left[1])
        second = torch.lerp(read(below[0], left[0]), read(below[0], right[0]), left[1])
        return torch.lerp(first, second, top[1][:, None]).reshape(planes.shape)

    def _tables(self, tiles: Tensor) -> Tensor:
        """What becomes of each value in each tile, ``(..., 256)``."""
        found = counts(tiles, _BINS)
        limit = int(self.clip_limit * tiles.shape[-1] / _BINS)
        kept = found.clamp(max=limit)
        below = (kept + (found - kept).sum(-1, keepdim=True) / _BINS).cumsum(-1)
        first = below[..., :1]
        return (below - first) * (255 / (below[..., -1:] - first).clamp(min=1e-6))


def _neighbours(size: int, length: int, count: int, device: torch.device) -> list[tuple[Tensor, Tensor]]:
    """For each pixel the tiles before and after it, each ``(size,)``, with the share of the latter."""
    place = torch.arange(size, dtype=torch.float32, device=device) / length - 0.5
    before = place.floor()
    share = place - before
    indices = [t.clamp(0, count - 1).to(torch.int64) for t in (before, before + 1)]
    return [(indices[0], share), (indices[1], share)]
