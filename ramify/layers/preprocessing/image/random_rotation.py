"""`RandomRotation`: images are turned about their middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.geometry import GeometricLayer, about_center
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomRotation(GeometricLayer):
    """Turn each image about its middle by an angle of its own while training.

    Args:
        factor: a number or a pair, in full turns: ``0.1`` is 36 degrees to either side; positive angles turn
            counterclockwise.
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

    >>> quarter = RandomRotation((0.25, 0.25))
    >>> quarter(torch.tensor([[1.0, 2.0], [3.0, 4.0]])[..., None])[..., 0].round()
    tensor([[2., 4.],
            [1., 3.]])
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomRotation: factor")
        self.read_with(interpolation, fill_mode, fill_value)
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """An angle in degrees per image, ``(batch,)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        low, high = self.factor
        return {"angle": draws.uniform((draws.count,), low * 360, high * 360)}

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The turn back, by which each pixel finds where it came from."""
        angle = transformation["angle"] * (math.pi / 180)
        cos, sin = angle.cos(), angle.sin()
        return about_center(cos, -sin, sin, cos, height, width)
