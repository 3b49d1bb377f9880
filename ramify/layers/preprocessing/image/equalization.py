"""`Equalization`: every range of values becomes as frequent as every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.registry import serializable

Tensor = torch.Tensor
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
