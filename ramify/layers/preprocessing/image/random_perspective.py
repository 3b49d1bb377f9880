"""`RandomPerspective`: images seen at an angle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.geometry import GeometricLayer
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
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "RandomPerspective: factor", low=0.0)
        self.scale = factor_range(scale, "RandomPerspective: scale", low=0.0)[1]
        self.read_with(interpolation, "constant", fill_value)
        self.seeded(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Whether to change each image, ``(batch,)``, and its corners before and after, each ``(batch, 4, 2)``."""
        if not training:
            return None
        draws = self.draws(data, seed)
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
