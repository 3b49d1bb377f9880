"""`RandomSharpness`: images smoother or sharper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomSharpness(ImageLayer):
    """Make each image smoother or sharper, to an extent of its own, while training.

    Args:
        factor: a number or a pair from -1 to 1; a number is the pair of 0 and it. At 0.5 nothing changes, at 0 the
            image is smooth, at 1 as much sharper as it would be smoother.
        value_range: the lowest and the highest value of a pixel; results end there.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.

    Example:

    >>> RandomSharpness((0.5, 0.5))(torch.tensor([0.0, 55.0]).reshape(1, 2, 1)).flatten()
    tensor([ 0., 55.])
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomSharpness: factor")
        if not isinstance(factor, (list, tuple)):
            self.factor = (0, self.factor[1])
        self.value_range = value_range_of(value_range, "RandomSharpness")
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """How sharp each image becomes, ``(batch,)``."""
        draws = self.draws(data, seed)
        return {"factor": draws.uniform((draws.count,), *self.factor)} if training else None

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, smoother or sharper."""
        del training
        if transformation is None:
            return images
        planes = self.planes(images)
        channels = planes.shape[1]
        kernel = torch.full((channels, 1, 3, 3), 1 / 13, dtype=planes.dtype, device=planes.device)
        kernel[:, :, 1, 1] = 5 / 13
        smooth = F.conv2d(planes, kernel, padding=1, groups=channels)
        share = per_image(transformation["factor"] * 2).to(images.dtype)
        return self.surface(torch.lerp(smooth, planes, share)).clamp(*self.value_range)
