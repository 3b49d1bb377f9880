"""`RandomElasticTransform`: images as on rubber."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.image_format import checked_choice
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.sampling import FILL_MODES, INTERPOLATIONS, sample
from ramify.registry import serializable

Tensor = torch.Tensor
_REACH = 0.1  # the furthest that a pixel moves at scale 1, in shares of the image
_CELLS = 8  # neighbouring pixels move alike: so many independent moves along each axis


@serializable("keras.layers")
class RandomElasticTransform(ImageLayer):
    """Stretch and squeeze some images locally while training: pixels move by smooth random distances.

    Source: Simard et al., 2003, "Best practices for convolutional neural networks applied to visual document analysis";
    the smooth field is one of few random numbers, enlarged bicubically. It is not the field that Keras makes.

    Args:
        factor: a number or a pair from 0 to 1: each image is changed with a probability drawn from that range.
        scale: a number or a pair from 0 to 1: how strongly a batch is changed; at 1 pixels move by up to a tenth of the
            image.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: what lies outside the image: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        fill_value: for ``fill_mode="constant"``.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor or a scale outside 0 to 1, or an unknown mode.

    Example:

    >>> RandomElasticTransform()(torch.ones(1, 16, 16, 3)).unique().round()
    tensor([1.])
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float | Sequence[float] = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomElasticTransform: factor", low=0.0)
        self.scale = factor_range(scale, "RandomElasticTransform: scale", low=0.0)
        self.interpolation = checked_choice(interpolation, INTERPOLATIONS, "RandomElasticTransform: interpolation")
        self.fill_mode = checked_choice(fill_mode, FILL_MODES, "RandomElasticTransform: fill_mode")
        self.fill_value = fill_value
        self.value_range = value_range_of(value_range, "RandomElasticTransform")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Whether to change each image, ``(batch,)``, how strongly, and the moves ``(batch, 2, cells, cells)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
        return {
            "apply_transform": draws.chance(self.factor),
            "distortion_factor": draws.uniform((), *self.scale),
            "moves": draws.uniform((draws.count, 2, _CELLS, _CELLS), -_REACH, _REACH),
        }

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, some of them distorted."""
        del training
        moved = self._moved(images, transformation, self.interpolation, self.fill_value)
        return images if transformation is None else moved.clamp(*self.value_range)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, distorted as the images were."""
        del training
        return self._moved(segmentation_masks, transformation, "nearest", 0.0)

    def _moved(self, images: Tensor, transformation: Any, interpolation: str, fill_value: float) -> Tensor:
        if transformation is None:
            return images
        planes = self.planes(images)
        height, width = planes.shape[-2:]
        strength = transformation["distortion_factor"] * transformation["apply_transform"][:, None, None, None]
        moves = F.interpolate(transformation["moves"] * strength, (height, width), mode="bicubic", align_corners=False)
        moves = moves.clamp(-_REACH, _REACH)  # bicubic curves swing beyond their points
        x = torch.arange(width, device=planes.device) + moves[:, 0] * width
        y = torch.arange(height, device=planes.device)[:, None] + moves[:, 1] * height
        return self.surface(sample(planes, x, y, interpolation, self.fill_mode, fill_value))
