"""Layers that change how light the pixels of images are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer, rescaled, value_range_of
from ramify.layers.preprocessing.image.draws import Draws, factor_range, per_image
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class RandomBrightness(ImageLayer):
    """Add a number of its own to each image while training. Whole numbers stay whole numbers of the same dtype.

    Args:
        factor: a number or a pair from -1 to 1, in shares of the value range; a number is the range to it around zero.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.

    Example:

    >>> RandomBrightness((0.5, 0.5), value_range=(0, 1))(torch.tensor([0.0, 0.2, 0.9]).reshape(1, 3, 1)).flatten()
    tensor([0.5000, 0.7000, 1.0000])
    """

    keeps_dtype = True

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomBrightness: factor")
        self.value_range = value_range_of(value_range, "RandomBrightness")

    def drawn(self, draws: Draws) -> Any:
        """What to add to each image, ``(batch, 1, 1, 1)``."""
        span = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": draws.factors(self.factor) * span}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, brighter or darker."""
        delta = per_image(transformation["rgb_delta"])
        return (images + delta).clamp_(*self.value_range).to(images.dtype)


@serializable("keras.layers")
class RandomContrast(ImageLayer):
    """Multiply the distance of each channel to its mean by a factor of each image's own while training.

    Args:
        factor: a pair ``(less, more)`` from 0 to 1: the factor is drawn from ``1 - less`` to ``1 + more``. A number is
            the pair of 0 and it.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside -1 to 1, or no range.

    Example:

    >>> RandomContrast((1.0, -1.0))(torch.tensor([10.0, 20.0]).reshape(1, 2, 1)).flatten()
    tensor([ 5., 25.])
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomContrast: factor")
        if not isinstance(factor, (list, tuple)):
            self.factor = (0, self.factor[1])
        self.value_range = value_range_of(value_range, "RandomContrast")

    def drawn(self, draws: Draws) -> Any:
        """The factor per image, ``(batch, 1, 1, 1)``."""
        low, high = sorted((1 - self.factor[0], 1 + self.factor[1]))
        return {"contrast_factor": draws.factors((low, high))}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images with more or less contrast."""
        factor = per_image(transformation["contrast_factor"]).float()
        values = images.to(torch.float32)
        mean = values.mean(self.space_axes, keepdim=True)
        return torch.lerp(mean, values, factor).clamp(*self.value_range).to(images.dtype)


@serializable("keras.layers")
class RandomInvert(ImageLayer):
    """Take the values of some images from the highest value while training.

    Args:
        factor: a number or a pair from 0 to 1: each image is inverted with a probability drawn from that range.
        value_range: the lowest and the highest value of a pixel.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, or no range.

    Example:

    >>> RandomInvert((1.0, 1.0))(torch.tensor([0.0, 55.0]).reshape(1, 2, 1)).flatten()
    tensor([255., 200.])
    """

    def __init__(
        self,
        factor: float | Sequence[float] = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = factor_range(factor, "RandomInvert: factor", low=0.0)
        self.value_range = value_range_of(value_range, "RandomInvert")

    def drawn(self, draws: Draws) -> Any:
        """Whether to invert each image, ``(batch,)``."""
        return {"apply_inversion": draws.chance(self.factor)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, some of them inverted."""
        return torch.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)


@serializable("keras.layers")
class RandomPosterization(ImageLayer):
    """Keep the highest bits of each value only, a number of its own for each image, while training.

    Args:
        factor: how many bits are kept of 8, from 1 to 8; of a pair, up to below the second. A number is the pair of 1
            and it.
        value_range: the lowest and the highest value of a pixel.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 1 to 8, or no range.

    Example:

    >>> RandomPosterization((2, 3))(torch.tensor([63.0, 64.0, 255.0]).reshape(1, 3, 1)).flatten()
    tensor([  0.,  64., 192.])
    """

    def __init__(
        self,
        factor: int | Sequence[int],
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        limits = tuple(sorted(factor)) if isinstance(factor, (list, tuple)) else (1, factor)
        if len(limits) != 2 or not all(isinstance(n, int) and 1 <= n <= 8 for n in limits):
            raise ArgumentError(
                f"RandomPosterization takes a factor of 1 to 8 bits, or a pair of such numbers, but got {factor!r}."
            )
        self.factor = limits
        self.value_range = value_range_of(value_range, "RandomPosterization")

    def drawn(self, draws: Draws) -> Any:
        """How many bits each image loses, ``(batch,)`` uint8."""
        low, high = self.factor
        kept = draws.uniform((draws.count,), low, max(high, low + 1)).floor().clamp_(max=max(high - 1, low))
        return {"shift_factor": (8 - kept).to(torch.uint8)}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images in fewer colours."""
        lost = per_image(transformation["shift_factor"])
        values = rescaled(images, self.value_range, (0, 255)).clamp(0, 255).to(torch.uint8)
        values = ((values >> lost) << lost).to(images.dtype)
        return rescaled(values, (0, 255), self.value_range)


_BYTES = (0.0, 255.0)


@serializable("keras.layers")
class Solarization(ImageLayer):
    """Add a number to each image, and invert the values from a threshold up, while training.

    Args:
        addition_factor: a number or a pair from 0 to 1: what is added, as a share of the value range.
        threshold_factor: the threshold, in the same way; 0 inverts everything.
        value_range: the lowest and the highest value of a pixel; results end there.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, channels)`` or ``(height, width, channels)`` -> the same.

    Raises:
        ArgumentError: a factor outside 0 to 1, or no range.

    Example:

    >>> Solarization(threshold_factor=(0.5, 0.5))(torch.tensor([10.0, 200.0]).reshape(1, 2, 1)).flatten()
    tensor([10., 55.])
    """

    def __init__(
        self,
        addition_factor: float | Sequence[float] = 0.0,
        threshold_factor: float | Sequence[float] = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = factor_range(addition_factor, "Solarization: addition_factor", low=0.0)
        self.threshold_factor = factor_range(threshold_factor, "Solarization: threshold_factor", low=0.0)
        self.value_range = value_range_of(value_range, "Solarization")

    def drawn(self, draws: Draws) -> Any:
        """What to add and the threshold, each ``(batch, 1, 1, 1)``, on a scale from 0 to 255."""
        return {
            "additions": draws.factors(self.addition_factor) * 255,
            "thresholds": draws.factors(self.threshold_factor) * 255,
        }

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, solarized."""
        additions = per_image(transformation["additions"]).to(images.dtype)
        values = (rescaled(images, self.value_range, _BYTES) + additions).clamp(*_BYTES)
        values = torch.where(values < per_image(transformation["thresholds"]), values, 255 - values)
        return rescaled(values, _BYTES, self.value_range)
