"""Layers that change how large images are."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.image_format import checked_choice
from ramify.layers.preprocessing.image import resampling
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.registry import serializable

Tensor = torch.Tensor


def checked_size(height: Any, width: Any, who: str) -> tuple[int, int]:
    """Height and width, if both are positive whole numbers."""
    if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in (height, width)):
        raise ArgumentError(f"{who} takes a positive height and width, but got height={height!r}, width={width!r}.")
    return height, width


def window(height: int, width: int, new_height: int, new_width: int) -> tuple[int, int]:
    """Height and width of the largest window of an image that has the proportions of the new size."""
    return (
        max(1, min(height, int(width * new_height / new_width))),
        max(1, min(width, int(height * new_width / new_height))),
    )


def smartly_resized(planes: Tensor, size: tuple[int, int], interpolation: str, *, antialias: bool = False) -> Tensor:
    """The largest window in the middle that has the proportions of the new size, in that size."""
    height, width = planes.shape[-2:]
    rows, columns = window(height, width, *size)
    top, left = (height - rows) // 2, (width - columns) // 2
    cut = planes[..., top : top + rows, left : left + columns]
    return resampling.resized(cut, size, interpolation, antialias=antialias)


@serializable("keras.layers")
class Resizing(ImageLayer):
    """Bring images to a size, in training and outside of it. Whole numbers stay whole numbers of the same dtype.

    Args:
        height: of the result.
        width: of the result.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"area"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: cut off what does not fit the new proportions, so that nothing is distorted.
        pad_to_aspect_ratio: fill up what the new proportions lack instead.
        fill_mode: how to fill up; ``"constant"`` is all there is.
        fill_value: what to fill up with.
        antialias: whether a smaller image takes every pixel of the larger one into account.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, any, any, channels)`` -> ``(batch, height, width, channels)``, or both without the batch.

    Raises:
        ArgumentError: no size, an unknown interpolation, or both ways to keep proportions at once.

    Example:

    >>> Resizing(2, 2)(torch.arange(16.0).reshape(4, 4, 1))[..., 0]
    tensor([[ 2.5000,  4.5000],
            [10.5000, 12.5000]])
    """

    always = True
    keeps_dtype = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = checked_size(height, width, "Resizing")
        self.interpolation = checked_choice(interpolation, resampling.KINDS, "Resizing: interpolation")
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError("Resizing cannot both crop_to_aspect_ratio and pad_to_aspect_ratio. Choose one.")
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = checked_choice(fill_mode, ("constant",), "Resizing: fill_mode")
        self.fill_value = fill_value
        self.antialias = antialias

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """The images in the new size."""
        del transformation, training
        return self._resized(images, self.interpolation, self.fill_value)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any = None, training: bool = True
    ) -> Tensor:
        """The masks in the new size; each pixel keeps one class."""
        del transformation, training
        return self._resized(segmentation_masks, "nearest", 0.0)

    def _resized(self, images: Tensor, interpolation: str, fill_value: float) -> Tensor:
        planes, size = self.planes(images), (self.height, self.width)
        if self.crop_to_aspect_ratio:
            return self.surface(smartly_resized(planes, size, interpolation, antialias=self.antialias))
        if self.pad_to_aspect_ratio:
            height, width = planes.shape[-2:]
            rows = max(height, int(width * self.height / self.width))
            columns = max(width, int(height * self.width / self.height))
            top, left = (rows - height) // 2, (columns - width) // 2
            padding = (left, left, top, top)  # an odd rest is left out, as in Keras
            planes = torch.nn.functional.pad(planes, padding, value=fill_value)
        return self.surface(resampling.resized(planes, size, interpolation, antialias=self.antialias))


@serializable("keras.layers")
class CenterCrop(ImageLayer):
    """Cut out the middle of images; of images that are smaller, the largest window of the right proportions, enlarged.

    Args:
        height: of the result.
        width: of the result.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, any, any, channels)`` -> ``(batch, height, width, channels)``, or both without the batch.

    Raises:
        ArgumentError: a size that is no positive whole number.

    Example:

    >>> CenterCrop(2, 2)(torch.arange(16.0).reshape(4, 4, 1))[..., 0]
    tensor([[ 5.,  6.],
            [ 9., 10.]])
    """

    always = True

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = checked_size(height, width, "CenterCrop")

    def transform_images(self, images: Tensor, transformation: Any = None, training: bool = True) -> Tensor:
        """The middle of each image."""
        del transformation, training
        return self._middle(images, "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any = None, training: bool = True
    ) -> Tensor:
        """The middle of each mask."""
        del transformation, training
        return self._middle(segmentation_masks, "nearest")

    def _middle(self, images: Tensor, interpolation: str) -> Tensor:
        height, width = self.size_of(images)
        if height < self.height or width < self.width:
            return self.surface(smartly_resized(self.planes(images), (self.height, self.width), interpolation))
        top, left = (height - self.height) // 2, (width - self.width) // 2
        return self.surface(self.planes(images)[..., top : top + self.height, left : left + self.width])


@serializable("keras.layers")
class RandomCrop(ImageLayer):
    """Cut a window out of the images at a random place, the same for a whole batch, while training.

    Outside of training, and for images that are smaller, the largest window of the right proportions in the middle is
    taken and resized, so that the size of the result is always the same.

    Args:
        height: of the result.
        width: of the result.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        name: the layer's name.

    Shapes:
        ``(batch, any, any, channels)`` -> ``(batch, height, width, channels)``, or both without the batch.

    Raises:
        ArgumentError: a size that is no positive whole number.

    Example:

    >>> RandomCrop(2, 3)(torch.ones(1, 8, 8, 3)).shape
    torch.Size([1, 2, 3, 3])
    """

    always = True

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, seed=seed, **kwargs)
        self.height, self.width = checked_size(height, width, "RandomCrop")

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The top row and the left column of the window, tensors without axes; `None` where images are resized."""
        draws = self.draws(data, seed)
        height, width = self.size_of(draws.images)
        if not training or height < self.height or width < self.width:
            return None
        spare = (height - self.height + 1, width - self.width + 1)
        return tuple((draws.uniform(()) * count).to(torch.int64).clamp(max=count - 1) for count in spare)

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The window of each image."""
        del training
        return self._cut(images, transformation, "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The window of each mask."""
        del training
        return self._cut(segmentation_masks, transformation, "nearest")

    def _cut(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        planes = self.planes(images)
        if transformation is None:
            return self.surface(smartly_resized(planes, (self.height, self.width), interpolation))
        # Gathered by index, because a slice would have to know the numbers, and wait for the device to tell them.
        top, left = transformation
        rows = torch.arange(self.height, device=planes.device) + top
        columns = torch.arange(self.width, device=planes.device) + left
        return self.surface(planes[:, :, rows[:, None], columns])
