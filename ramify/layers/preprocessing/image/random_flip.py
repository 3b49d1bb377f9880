"""`RandomFlip`: images are mirrored."""

from __future__ import annotations

from typing import Any

import torch

from ramify.image_format import checked_choice
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.registry import serializable

Tensor = torch.Tensor
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
        super().__init__(data_format=data_format, **kwargs)
        self.mode = checked_choice(mode, _MODES, "RandomFlip: mode")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Whether to mirror each image, ``(batch, 1, 1, 1)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        return {"flips": draws.uniform((draws.count, 1, 1, 1)) <= 0.5}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, some of them mirrored."""
        del training
        if transformation is None:
            return images
        vertical, horizontal = self.space_axes
        axes = {"horizontal": (horizontal,), "vertical": (vertical,)}.get(self.mode, (vertical, horizontal))
        return torch.where(transformation["flips"], images.flip(axes), images)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, mirrored with the images."""
        return self.transform_images(segmentation_masks, transformation, training)
