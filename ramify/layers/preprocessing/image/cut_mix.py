"""`CutMix`: a rectangle of each image comes from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.mix_up import mixed_labels
from ramify.layers.preprocessing.image.random_boxes import rectangles
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class CutMix(ImageLayer):
    """Replace a rectangle of each image by that of another image of the batch while training, and mix the labels.

    Source: Yun et al., 2019, "CutMix: regularization strategy to train strong classifiers with localizable features",
    https://arxiv.org/abs/1905.04899.

    Args:
        factor: a number or a pair from 0 to 1: the parameter, drawn from it for a batch, of the beta distribution that
            the share of the image itself is drawn from.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` -> the same; labels ``(batch, classes)``, one-hot, -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1.

    Example:

    >>> mixed = CutMix(seed=1)({"images": torch.rand(4, 8, 8, 3), "labels": torch.eye(4)})
    >>> mixed["labels"].sum(1)
    tensor([1., 1., 1., 1.])
    """

    def __init__(
        self, factor: float | Sequence[float] = 1.0, seed: Any = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "CutMix: factor", low=0.0)
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The index of each other image, the rectangles, and the share of each image itself."""
        if not training:
            return None
        draws = self.draws(data, seed)
        alpha = draws.uniform((), *self.factor).clamp_(min=1e-3).expand(draws.count)
        weight = draws.beta(alpha, alpha)
        side = (1 - weight).sqrt()
        masks = rectangles(draws, side, side, *self.size_of(draws.images))
        return {
            "permutation_order": draws.order(),
            "batch_masks": masks.unsqueeze(self.channel_axis),
            "mix_weight": weight.reshape(-1, 1, 1, 1),
        }

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images with rectangles of others."""
        del training
        if transformation is None:
            return images
        return torch.where(transformation["batch_masks"], images[transformation["permutation_order"]], images)

    def transform_labels(self, labels: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The labels, mixed by the shares."""
        del training
        return labels if transformation is None else mixed_labels(labels, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks with the same rectangles of others."""
        return self.transform_images(segmentation_masks, transformation, training)
