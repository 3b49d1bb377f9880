"""`RandAugment`: a few random changes, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.augmentations import further_augmentations, plain_augmentations
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.sublayers import Sublayers
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandAugment(ImageLayer):
    """Apply a few of eleven ways to change images, drawn anew for each batch, while training.

    Source: Cubuk et al., 2019, "RandAugment: practical automated data augmentation with a reduced search space",
    https://arxiv.org/abs/1909.13719.

    Args:
        value_range: the lowest and the highest value of a pixel.
        num_ops: how many ways are applied to a batch.
        factor: a number or a pair from 0 to 1: how strong each is.
        interpolation: of those that move pixels, ``"bilinear"`` or ``"nearest"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: numbers outside their limits.

    Example:

    >>> RandAugment()(torch.rand(2, 8, 8, 3) * 255).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: float | Sequence[float] = 0.5,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range, "RandAugment")
        self.factor = factor_range(factor, "RandAugment: factor", low=0.0)
        self.interpolation = interpolation
        self.seeded(seed)
        layers = plain_augmentations(self.factor, self.value_range, interpolation, self.data_format)
        layers += further_augmentations(self.factor, self.value_range, self.data_format)
        self._ways = Sublayers(self, layers)
        if not isinstance(num_ops, int) or not 0 < num_ops <= len(layers):
            raise ArgumentError(f"RandAugment takes a num_ops from 1 to {len(layers)}, but got {num_ops!r}.")
        self.num_ops = num_ops

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Which ways are taken, as numbers, and what each of them draws."""
        if not training:
            return None
        chosen = self.draws(data, seed).pick(len(self._ways.layers), self.num_ops)
        drawn = [self._ways.layers[i].get_random_transformation(data, seed=seed) for i in chosen]
        return {"layer_idxes": chosen, "transforms": drawn}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, changed."""
        return self._applied("transform_images", images, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, moved by those ways that move pixels."""
        return self._applied("transform_segmentation_masks", segmentation_masks, transformation)

    def _applied(self, how: str, images: Tensor, transformation: Any) -> Tensor:
        if transformation is not None:
            for i, drawn in zip(transformation["layer_idxes"], transformation["transforms"], strict=True):
                images = getattr(self._ways.layers[i], how)(images, drawn)
        return images
