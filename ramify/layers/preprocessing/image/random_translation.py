"""`RandomTranslation`: images are shifted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.geometry import GeometricLayer
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomTranslation(GeometricLayer):
    """Shift each image by a distance of its own while training.

    Args:
        height_factor: a number or a pair, in heights: ``0.1`` shifts by up to a tenth of the height up or down;
            positive numbers of a pair shift down.
        width_factor: the same to the left or right; positive numbers of a pair shift right.
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        fill_value: for ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or an unknown mode.

    Example:

    >>> right = RandomTranslation(0.0, (0.5, 0.5), fill_mode="constant")
    >>> right(torch.tensor([[1.0, 2.0], [3.0, 4.0]])[..., None])[..., 0]
    tensor([[0., 1.],
            [0., 3.]])
    """

    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._vertical = factor_range(height_factor, "RandomTranslation: height_factor")
        self._horizontal = factor_range(width_factor, "RandomTranslation: width_factor")
        self.read_with(interpolation, fill_mode, fill_value)
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Columns to the right and rows down, per image: ``(batch, 2)``, in pixels."""
        if not training:
            return None
        draws = self.draws(data, seed)
        height, width = self.size_of(draws.images)
        right = draws.uniform((draws.count,), *self._horizontal) * width
        down = draws.uniform((draws.count,), *self._vertical) * height
        return {"translations": torch.stack([right, down], 1)}

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The shift back."""
        right, down = transformation["translations"].unbind(1)
        one, zero = torch.ones_like(right), torch.zeros_like(right)
        return torch.stack([one, zero, -right, zero, one, -down], 1)
