"""`RandomShear`: images lean to a side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.geometry import GeometricLayer
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomShear(GeometricLayer):
    """Shear each image by factors of its own while training.

    Args:
        x_factor: a number or a pair from 0 to 1: how many columns a row is shifted per row above it, to either
            side.
        y_factor: how many rows a column is shifted per column left of it, up or down.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        fill_value: for ``fill_mode="constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, or an unknown mode.

    Example:

    >>> RandomShear(x_factor=0.5)(torch.ones(1, 8, 8, 3)).unique()
    tensor([1.])
    """

    def __init__(
        self,
        x_factor: float | Sequence[float] = 0.0,
        y_factor: float | Sequence[float] = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = _shear_range(x_factor, "RandomShear: x_factor")
        self.y_factor = _shear_range(y_factor, "RandomShear: y_factor")
        self.read_with(interpolation, fill_mode, fill_value)
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The shear along columns and along rows, ``(batch, 2)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        shears = [draws.uniform((draws.count,), *limits) for limits in (self.x_factor, self.y_factor)]
        return {"shear_factor": torch.stack(shears, 1) * draws.signs((draws.count, 2))}

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The shear, which leaves the upper left corner in place, as Keras has it."""
        x, y = transformation["shear_factor"].unbind(1)
        one, zero = torch.ones_like(x), torch.zeros_like(x)
        return torch.stack([one, x, zero, y, one, zero], 1)


def _shear_range(value: Any, who: str) -> tuple[float, float]:
    # Keras writes the pair of a single number with its negative to configs, so pairs may begin below zero.
    return factor_range(value, who) if isinstance(value, (list, tuple)) else _around_zero(value, who)


def _around_zero(value: Any, who: str) -> tuple[float, float]:
    high = factor_range(value, who, low=0.0)[1]
    return -high, high
