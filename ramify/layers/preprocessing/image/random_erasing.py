"""`RandomErasing`: a rectangle of some images is painted over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.layers.preprocessing.image.random_boxes import rectangles
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomErasing(ImageLayer):
    """Paint a rectangle of some images over while training.

    Source: Zhong et al., 2017, "Random erasing data augmentation", https://arxiv.org/abs/1708.04896.

    Args:
        factor: a number or a pair from 0 to 1: each image is changed with a probability drawn from that range.
        scale: a number or a pair from 0 to 1: each side of the rectangle is the root of a share drawn from it.
        fill_value: what to paint with; noise when not given.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor or a scale outside 0 to 1, or no range.

    Example:

    >>> RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0.0)(torch.ones(8, 8, 1)).sum()
    tensor(48.)
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float | Sequence[float] = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomErasing: factor", low=0.0)
        self.scale = factor_range(scale, "RandomErasing: scale", low=0.0)
        self.fill_value = fill_value
        self.value_range = value_range_of(value_range, "RandomErasing")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Whether to change each image, ``(batch,)``, its rectangle, and what to paint with, both broadcastable."""
        if not training:
            return None
        draws = self.draws(data, seed)
        rows, columns = (draws.uniform((draws.count,), *self.scale).sqrt() for _ in range(2))
        low, high = self.value_range
        fill = draws.normal(draws.images.shape) * high if self.fill_value is None else self.fill_value
        return {
            "apply_erasing": draws.chance(self.factor),
            "batch_masks": rectangles(draws, rows, columns, *self.size_of(draws.images)).unsqueeze(self.channel_axis),
            "fill_value": fill.clamp(low, high) if isinstance(fill, Tensor) else fill,
        }

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, some of them with a rectangle painted over."""
        del training
        if transformation is None:
            return images
        fill = torch.as_tensor(transformation["fill_value"], device=images.device).to(images.dtype)
        chosen = transformation["batch_masks"] & per_image(transformation["apply_erasing"])
        return torch.where(chosen, fill, images).clamp(*self.value_range)
