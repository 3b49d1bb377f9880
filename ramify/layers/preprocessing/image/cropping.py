"""`CenterCrop` and `RandomCrop`: a window of each image."""

from __future__ import annotations

from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.image.resizing import checked_size, smartly_resized
from ramify.registry import serializable

Tensor = torch.Tensor


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
        super().__init__(data_format=data_format, name=name, **kwargs)
        self.height, self.width = checked_size(height, width, "RandomCrop")
        self.seeded(seed)

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
