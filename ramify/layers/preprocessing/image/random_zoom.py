"""`RandomZoom`: images are made larger or smaller within their frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.geometry import GeometricLayer, about_center
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomZoom(GeometricLayer):
    """Zoom each image about its middle by a factor of its own while training.

    Args:
        height_factor: a number or a pair: ``0.1`` shows from 0.9 to 1.1 times the height; what is positive zooms out,
            what is negative zooms in.
        width_factor: the same for the width; that of the height, when not given, so that proportions stay.
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        fill_value: for ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor of -1 or less, or an unknown mode.

    Example:

    >>> twice = RandomZoom((1.0, 1.0), fill_mode="constant")
    >>> twice(torch.ones(4, 4, 1))[..., 0]
    tensor([[0., 0., 0., 0.],
            [0., 1., 1., 0.],
            [0., 1., 1., 0.],
            [0., 0., 0., 0.]])
    """

    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float] | None = None,
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
        self._vertical = _zoom_range(height_factor, "RandomZoom: height_factor")
        self._horizontal = None if width_factor is None else _zoom_range(width_factor, "RandomZoom: width_factor")
        self.read_with(interpolation, fill_mode, fill_value)
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """How much of the height and of the width to show, each ``(batch, 1)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        vertical = 1 + draws.uniform((draws.count, 1), *self._vertical)
        horizontal = self._horizontal
        return {
            "height_zoom": vertical,
            "width_zoom": vertical if horizontal is None else 1 + draws.uniform((draws.count, 1), *horizontal),
        }

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The zoom back."""
        vertical, horizontal = transformation["height_zoom"][:, 0], transformation["width_zoom"][:, 0]
        zero = torch.zeros_like(vertical)
        return about_center(horizontal, zero, zero, vertical, height, width)


def _zoom_range(value: Any, who: str) -> tuple[float, float]:
    limits = factor_range(value, who, high=float("inf"))
    if limits[0] <= -1:
        raise ArgumentError(f"{who} is more than -1, which would show nothing at all, but got {value!r}.")
    return limits
