"""`RandomPosterization`: fewer bits per value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.layers.preprocessing.image.draws import per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomPosterization(ImageLayer):
    """Keep the highest bits of each value only, a number of its own for each image, while training.

    Args:
        factor: how many bits are kept of 8, from 1 to 8; of a pair, up to below the second. A number is the pair of 1
            and it.
        value_range: the lowest and the highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 1 to 8, or no range.

    Example:

    >>> RandomPosterization((2, 3))(torch.tensor([63.0, 64.0, 255.0]).reshape(1, 3, 1)).flatten()
    tensor([  0.,  64., 192.])
    """

    def __init__(
        self,
        factor: int | Sequence[int],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        limits = tuple(sorted(factor)) if isinstance(factor, (list, tuple)) else (1, factor)
        if len(limits) != 2 or not all(isinstance(n, int) and 1 <= n <= 8 for n in limits):
            raise ArgumentError(
                f"RandomPosterization takes a factor of 1 to 8 bits, or a pair of such numbers, but got {factor!r}."
            )
        self.factor = limits
        self.value_range = value_range_of(value_range, "RandomPosterization")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """How many bits each image loses, ``(batch,)`` uint8."""
        if not training:
            return None
        draws, (low, high) = self.draws(data, seed), self.factor
        kept = draws.uniform((draws.count,), low, max(high, low + 1)).floor().clamp_(max=max(high - 1, low))
        return {"shift_factor": (8 - kept).to(torch.uint8)}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images in fewer colours."""
        del training
        if transformation is None:
            return images
        lost = per_image(transformation["shift_factor"])
        values = rescaled(images, self.value_range, (0, 255)).clamp(0, 255).to(torch.uint8)
        values = ((values >> lost) << lost).to(images.dtype)
        return rescaled(values, (0, 255), self.value_range)
