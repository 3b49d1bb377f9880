"""`MixUp`: each image and its label are mixed with another."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.layers.preprocessing.image.draws import per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class MixUp(ImageLayer):
    """Mix each image, its label and its mask with those of another image of the batch while training.

    Source: Zhang et al., 2017, "mixup: beyond empirical risk minimization", https://arxiv.org/abs/1710.09412.

    Args:
        alpha: the share of the image itself is drawn from the beta distribution with this twice as its parameters; the
            smaller, the more often one of the two prevails.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, channels)`` -> the same; labels ``(batch, classes)``, one-hot, -> the same.

    Raises:
        ArgumentError: an alpha that is not positive.

    Example:

    >>> mixed = MixUp(seed=1)({"images": torch.rand(4, 8, 8, 3), "labels": torch.eye(4)})
    >>> mixed["labels"].sum(1)
    tensor([1., 1., 1., 1.])
    """

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ArgumentError(f"MixUp takes a positive alpha, but got {alpha!r}.")
        self.alpha = alpha
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The share of each image itself, and the index of the other one, both ``(batch,)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        alpha = torch.full((draws.count,), float(self.alpha), device=draws.images.device)
        return {"mix_weight": draws.beta(alpha, alpha), "permutation_order": draws.order()}

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The mixed images."""
        del training
        if transformation is None:
            return images
        other = images[transformation["permutation_order"]]
        return torch.lerp(other, images, per_image(transformation["mix_weight"]).to(images.dtype))

    def transform_labels(self, labels: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The labels, mixed in the same shares."""
        del training
        return labels if transformation is None else mixed_labels(labels, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, mixed in the same shares; they become floats."""
        return self.transform_images(self._floating(segmentation_masks), transformation, training)

    def _floating(self, masks: Tensor) -> Tensor:
        return masks if masks.is_floating_point() else masks.to(self.compute_torch_dtype)


def mixed_labels(labels: Tensor, transformation: Any) -> Tensor:
    """Labels of shape ``(batch, ...)`` mixed with those of the other images."""
    weight = transformation["mix_weight"].reshape(-1, *(1,) * (labels.ndim - 1))
    labels = labels if labels.is_floating_point() else labels.to(weight.dtype)
    return torch.lerp(labels[transformation["permutation_order"]], labels, weight.to(labels.dtype))
