"""Layers that bend images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.image_format import checked_choice
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import Draws, factor_range
from ramify.layers.preprocessing.image.motions import GeometricLayer
from ramify.layers.preprocessing.image.sampling import FILL_MODES, INTERPOLATIONS, sample
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomPerspective(GeometricLayer):
    """Move the corners of some images while training, and the rest of the image with them.

    Args:
        factor: a number or a pair from 0 to 1: each image is changed with a probability drawn from that range.
        scale: how far corners move, from 0 to 1: each coordinate by up to half of this share of itself.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_value: of what lies outside the image.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor or a scale outside 0 to 1, or an unknown interpolation.

    Example:

    >>> image = torch.rand(1, 8, 8, 3)
    >>> torch.allclose(RandomPerspective(scale=0.0)(image), image, atol=1e-5)
    True
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomPerspective: factor", low=0.0)
        self.scale = factor_range(scale, "RandomPerspective: scale", low=0.0)[1]
        self.read_with(interpolation, "constant", fill_value)

    def drawn(self, draws: Draws) -> Any:
        """Whether to change each image, ``(batch,)``, and its corners before and after, each ``(batch, 4, 2)``."""
        height, width = self.size_of(draws.images)
        signs = torch.arange(4, device=draws.images.device)
        corners = torch.stack([(signs % 2) * (width - 1.0), (signs // 2) * (height - 1.0)], 1)
        start = corners.expand(draws.count, 4, 2)
        moved = start * (1 + draws.uniform((draws.count, 4, 2), -self.scale / 2, self.scale / 2))
        return {"apply_perspective": draws.chance(self.factor), "start_points": start, "end_points": moved}

    def matrix(self, transformation: Any, height: int, width: int) -> Tensor:
        """The map from the moved corners back; the identity where an image stays."""
        start = transformation["start_points"].to(torch.float32)
        end = torch.where(transformation["apply_perspective"][:, None, None], transformation["end_points"], start)
        return homography(end.to(torch.float32), start)


def homography(source: Tensor, target: Tensor) -> Tensor:
    """The projective map that takes four points to four others, as `sampling.warp` takes it: ``(batch, 8)``.

    Args:
        source: ``(batch, 4, 2)``, columns and rows.
        target: the same.
    """
    (x, y), (u, v) = source.unbind(-1), target.unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    columns = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    rows = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    # Without a check whether it can be solved, for which the host would wait for the device.
    return torch.linalg.solve_ex(torch.cat([columns, rows], 1), torch.cat([u, v], 1))[0]


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomElasticTransform: factor", low=0.0)
        self.scale = factor_range(scale, "RandomElasticTransform: scale", low=0.0)
        self.interpolation = checked_choice(interpolation, INTERPOLATIONS, "RandomElasticTransform: interpolation")
        self.fill_mode = checked_choice(fill_mode, FILL_MODES, "RandomElasticTransform: fill_mode")
        self.fill_value = fill_value
        self.value_range = value_range_of(value_range, "RandomElasticTransform")

    def drawn(self, draws: Draws) -> Any:
        """Whether to change each image, ``(batch,)``, how strongly, and the moves ``(batch, 2, cells, cells)``."""
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
