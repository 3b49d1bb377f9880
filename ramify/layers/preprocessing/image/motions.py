"""Layers that move the pixels of images: what they share, and turns, shifts, shears and zooms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.image_format import checked_choice
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.image.draws import Draws, factor_range
from ramify.layers.preprocessing.image.sampling import FILL_MODES, INTERPOLATIONS, warp
from ramify.registry import serializable

Tensor = torch.Tensor


class GeometricLayer(ImageLayer):
    """Base of the layers that read an image off at other places; a subclass says where, in `matrix`.

    Masks move as the images do, and keep their classes: they are read at the nearest pixel, with 0 outside.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.interpolation = "bilinear"
        self.fill_mode = "constant"
        self.fill_value = 0.0

    def read_with(self, interpolation: str, fill_mode: str, fill_value: float) -> None:
        """How to read between pixels and outside the image; see `sampling.sample`."""
        who = type(self).__name__
        self.interpolation = checked_choice(interpolation, INTERPOLATIONS, f"{who}: interpolation")
        self.fill_mode = checked_choice(fill_mode, FILL_MODES, f"{who}: fill_mode")
        self.fill_value = fill_value

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """Where each pixel is read, ``(batch, 6)`` or ``(batch, 8)``; see `sampling.warp`."""
        raise ArgumentError(f"{type(self).__name__} says not where pixels come from. Define `matrix`.")

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, moved."""
        matrix = self.matrix(transformation, *self.size_of(images))
        planes = self.planes(images)
        return self.surface(warp(planes, matrix, self.interpolation, self.fill_mode, self.fill_value))

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        """The masks, moved as the images were."""
        matrix = self.matrix(transformation, *self.size_of(masks))
        return self.surface(warp(self.planes(masks), matrix, "nearest", self.fill_mode, 0.0))


def about_center(a: Tensor, b: Tensor, e: Tensor, f: Tensor, height: int, width: int) -> Tensor:
    """An affine map that leaves the middle of the image in place, ``(batch, 6)``.

    Args:
        a: share of the column in the column that is read, ``(batch,)``.
        b: share of the row in it.
        e: share of the column in the row that is read.
        f: share of the row in it.
        height: of the image.
        width: of the image.
    """
    x, y = (width - 1) / 2, (height - 1) / 2
    return torch.stack([a, b, x - a * x - b * y, e, f, y - e * x - f * y], 1)


_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@serializable("keras.layers")
class RandomFlip(ImageLayer):
    """Mirror every other image, by chance, while training.

    Args:
        mode: ``"horizontal"`` swaps left and right, ``"vertical"`` up and down, ``"horizontal_and_vertical"`` both
            at once.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: an unknown mode.

    Example:

    >>> flipped = RandomFlip("horizontal", seed=1)(torch.arange(2.0).reshape(1, 1, 2, 1).expand(100, 1, 2, 1))
    >>> sorted({tuple(row) for row in flipped.flatten(1).tolist()})
    [(0.0, 1.0), (1.0, 0.0)]
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.mode = checked_choice(mode, _MODES, "RandomFlip: mode")

    def drawn(self, draws: Draws) -> Any:
        """Whether to mirror each image, ``(batch, 1, 1, 1)``."""
        return {"flips": draws.uniform((draws.count, 1, 1, 1)) <= 0.5}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, some of them mirrored."""
        vertical, horizontal = self.space_axes
        axes = {"horizontal": (horizontal,), "vertical": (vertical,)}.get(self.mode, (vertical, horizontal))
        return torch.where(transformation["flips"], images.flip(axes), images)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        """The masks, mirrored with the images."""
        return self.changed(masks, transformation)


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomRotation: factor")
        self.read_with(interpolation, fill_mode, fill_value)

    def drawn(self, draws: Draws) -> Any:
        """An angle in degrees per image, ``(batch,)``."""
        low, high = self.factor
        return {"angle": draws.uniform((draws.count,), low * 360, high * 360)}

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The turn back, by which each pixel finds where it came from."""
        angle = transformation["angle"] * (math.pi / 180)
        cos, sin = angle.cos(), angle.sin()
        return about_center(cos, -sin, sin, cos, height, width)


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._vertical = factor_range(height_factor, "RandomTranslation: height_factor")
        self._horizontal = factor_range(width_factor, "RandomTranslation: width_factor")
        self.read_with(interpolation, fill_mode, fill_value)

    def drawn(self, draws: Draws) -> Any:
        """Columns to the right and rows down, per image: ``(batch, 2)``, in pixels."""
        height, width = self.size_of(draws.images)
        right = draws.uniform((draws.count,), *self._horizontal) * width
        down = draws.uniform((draws.count,), *self._vertical) * height
        return {"translations": torch.stack([right, down], 1)}

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The shift back."""
        right, down = transformation["translations"].unbind(1)
        one, zero = torch.ones_like(right), torch.zeros_like(right)
        return torch.stack([one, zero, -right, zero, one, -down], 1)


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.x_factor = _shear_range(x_factor, "RandomShear: x_factor")
        self.y_factor = _shear_range(y_factor, "RandomShear: y_factor")
        self.read_with(interpolation, fill_mode, fill_value)

    def drawn(self, draws: Draws) -> Any:
        """The shear along columns and along rows, ``(batch, 2)``."""
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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._vertical = _zoom_range(height_factor, "RandomZoom: height_factor")
        self._horizontal = None if width_factor is None else _zoom_range(width_factor, "RandomZoom: width_factor")
        self.read_with(interpolation, fill_mode, fill_value)

    def drawn(self, draws: Draws) -> Any:
        """How much of the height and of the width to show, each ``(batch, 1)``."""
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
