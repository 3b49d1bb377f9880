"""Layers that put other things into images: rectangles, and parts of other images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import Draws, factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


def rectangles(draws: Draws, rows: Tensor, columns: Tensor, height: int, width: int) -> Tensor:
    """A rectangle for each image, whole and at a random place.

    Args:
        draws: where the place comes from.
        rows: height of each rectangle as a share of the image's, ``(batch,)``.
        columns: width of each rectangle as a share of the image's, ``(batch,)``.
        height: of the images.
        width: of the images.

    Returns:
        ``(batch, height, width)``, true within.
    """
    ranges = []
    for share, size in ((rows, height), (columns, width)):
        length = (share * size).round()
        first = ((size - length + 1) * draws.uniform((draws.count,))).floor()
        place = torch.arange(size, device=share.device)
        ranges.append((place >= first[:, None]) & (place < (first + length)[:, None]))
    return ranges[0][:, :, None] & ranges[1][:, None, :]


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomErasing: factor", low=0.0)
        self.scale = factor_range(scale, "RandomErasing: scale", low=0.0)
        self.fill_value = fill_value
        self.value_range = value_range_of(value_range, "RandomErasing")

    def drawn(self, draws: Draws) -> Any:
        """Whether to change each image, ``(batch,)``, its rectangle, and what to paint with, both broadcastable."""
        rows, columns = (draws.uniform((draws.count,), *self.scale).sqrt() for _ in range(2))
        low, high = self.value_range
        fill = draws.normal(draws.images.shape) * high if self.fill_value is None else self.fill_value
        return {
            "apply_erasing": draws.chance(self.factor),
            "batch_masks": rectangles(draws, rows, columns, *self.size_of(draws.images)).unsqueeze(self.channel_axis),
            "fill_value": fill.clamp(low, high) if isinstance(fill, Tensor) else fill,
        }

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, some of them with a rectangle painted over."""
        fill = torch.as_tensor(transformation["fill_value"], device=images.device).to(images.dtype)
        chosen = transformation["batch_masks"] & per_image(transformation["apply_erasing"])
        return torch.where(chosen, fill, images).clamp(*self.value_range)


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        if not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ArgumentError(f"MixUp takes a positive alpha, but got {alpha!r}.")
        self.alpha = alpha

    def drawn(self, draws: Draws) -> Any:
        """The share of each image itself, and the index of the other one, both ``(batch,)``."""
        alpha = torch.full((draws.count,), float(self.alpha), device=draws.images.device)
        return {"mix_weight": draws.beta(alpha, alpha), "permutation_order": draws.order()}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The mixed images."""
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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "CutMix: factor", low=0.0)

    def drawn(self, draws: Draws) -> Any:
        """The index of each other image, the rectangles, and the share of each image itself."""
        alpha = draws.uniform((), *self.factor).clamp_(min=1e-3).expand(draws.count)
        weight = draws.beta(alpha, alpha)
        side = (1 - weight).sqrt()
        masks = rectangles(draws, side, side, *self.size_of(draws.images))
        return {
            "permutation_order": draws.order(),
            "batch_masks": masks.unsqueeze(self.channel_axis),
            "mix_weight": weight.reshape(-1, 1, 1, 1),
        }

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images with rectangles of others."""
        return torch.where(transformation["batch_masks"], images[transformation["permutation_order"]], images)

    def transform_labels(self, labels: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The labels, mixed by the shares."""
        del training
        return labels if transformation is None else mixed_labels(labels, transformation)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        """The masks with the same rectangles of others."""
        return self.changed(masks, transformation)
