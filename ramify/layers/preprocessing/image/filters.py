"""Layers that blur and sharpen images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.image_format import per_axis
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import Draws, factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomGaussianBlur(ImageLayer):
    """Blur some images while training, all of a batch as strongly.

    Args:
        factor: a number or a pair from 0 to 1: each image is blurred with a probability drawn from that range.
        kernel_size: how many rows and columns around a pixel are mixed into it, odd.
        sigma: standard deviation of the Gaussian in pixels, or a pair between which one is drawn for each axis; a
            number is the pair of 0 and it.
        value_range: the lowest and the highest value of a pixel; results end there.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, an even kernel, or a negative sigma.

    Example:

    >>> RandomGaussianBlur(0.0)(torch.tensor([0.0, 55.0]).reshape(1, 2, 1)).flatten()
    tensor([ 0., 55.])
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomGaussianBlur: factor", low=0.0)
        self.kernel_size = per_axis(kernel_size, 2, "RandomGaussianBlur: kernel_size")
        if any(size % 2 == 0 for size in self.kernel_size):
            raise ArgumentError(f"RandomGaussianBlur takes odd sizes, but got kernel_size={kernel_size!r}.")
        self.sigma = factor_range(sigma, "RandomGaussianBlur: sigma", low=0.0, high=float("inf"))
        self.value_range = value_range_of(value_range, "RandomGaussianBlur")

    def drawn(self, draws: Draws) -> Any:
        """Whether to blur each image, ``(batch,)``, and the standard deviations along both axes, ``(2,)``."""
        return {"should_apply_blur": draws.chance(self.factor), "blur_factor": draws.uniform((2,), *self.sigma)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, some of them blurred."""
        planes, sigma = self.planes(images), transformation["blur_factor"]
        rows, columns = self.kernel_size
        channels = planes.shape[1]
        down = _gauss(sigma[1], rows).to(planes.dtype).reshape(1, 1, rows, 1).expand(channels, 1, rows, 1)
        across = _gauss(sigma[0], columns).to(planes.dtype).reshape(1, 1, 1, columns).expand(channels, 1, 1, columns)
        blurred = F.conv2d(planes, down, padding=(rows // 2, 0), groups=channels)
        blurred = F.conv2d(blurred, across, padding=(0, columns // 2), groups=channels)
        chosen = per_image(transformation["should_apply_blur"])
        return torch.where(chosen, self.surface(blurred), images).clamp(*self.value_range)


def _gauss(sigma: Tensor, size: int) -> Tensor:
    """A Gaussian of sum 1 at whole distances from the middle, ``(size,)``."""
    distance = torch.arange(size, dtype=torch.float32, device=sigma.device) - size // 2
    return torch.softmax(-0.5 * (distance / sigma.clamp(min=1e-6)) ** 2, 0)


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomSharpness: factor")
        if not isinstance(factor, (list, tuple)):
            self.factor = (0, self.factor[1])
        self.value_range = value_range_of(value_range, "RandomSharpness")

    def drawn(self, draws: Draws) -> Any:
        """How sharp each image becomes, ``(batch,)``."""
        return {"factor": draws.uniform((draws.count,), *self.factor)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, smoother or sharper."""
        planes = self.planes(images)
        channels = planes.shape[1]
        kernel = torch.full((channels, 1, 3, 3), 1 / 13, dtype=planes.dtype, device=planes.device)
        kernel[:, :, 1, 1] = 5 / 13
        smooth = F.conv2d(planes, kernel, padding=1, groups=channels)
        share = per_image(transformation["factor"] * 2).to(images.dtype)
        return self.surface(torch.lerp(smooth, planes, share)).clamp(*self.value_range)
