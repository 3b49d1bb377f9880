"""What layers share that move the pixels of an image by a map of the plane."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.image_format import checked_choice
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.image.sampling import FILL_MODES, INTERPOLATIONS, warp

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

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, moved."""
        del training
        if transformation is None:
            return images
        matrix = self.matrix(transformation, *self.size_of(images))
        planes = self.planes(images)
        return self.surface(warp(planes, matrix, self.interpolation, self.fill_mode, self.fill_value))

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, moved as the images were."""
        del training
        if transformation is None:
            return segmentation_masks
        matrix = self.matrix(transformation, *self.size_of(segmentation_masks))
        return self.surface(warp(self.planes(segmentation_masks), matrix, "nearest", self.fill_mode, 0.0))


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
