"""Layers that apply others of this folder, which nobody else sees: some of them, or all in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.filters import RandomSharpness
from ramify.layers.preprocessing.image.histograms import AutoContrast, Equalization
from ramify.layers.preprocessing.image.hues import RandomColorDegeneration, RandomHue, RandomSaturation
from ramify.layers.preprocessing.image.motions import RandomRotation, RandomShear, RandomTranslation
from ramify.layers.preprocessing.image.tones import RandomBrightness, RandomContrast, RandomPosterization, Solarization
from ramify.registry import serializable


class Sublayers:
    """Layers that another one uses and shows nobody: they have no weights, and draw from its stream.

    Args:
        owner: the layer that uses them.
        layers: what it uses.
    """

    def __init__(self, owner: ImageLayer, layers: Sequence[Any]) -> None:
        self.layers = tuple(layers)
        for layer in self.layers:
            layer.draw_from(owner)
            layer.dtype_policy = owner.dtype_policy


def plain_augmentations(factor: Any, value_range: Any, interpolation: str, data_format: str) -> list[ImageLayer]:
    """Shear, translation, rotation, grey, posterization, solarization, automatic contrast and equalization.

    Args:
        factor: how strong each is, a pair.
        value_range: the lowest and the highest value of a pixel.
        interpolation: of those that move pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """
    layout: dict[str, Any] = {"data_format": data_format}
    moving: dict[str, Any] = {"interpolation": interpolation, **layout}
    colored: dict[str, Any] = {"value_range": value_range, **layout}
    return [
        RandomShear(factor, factor, **moving),
        RandomTranslation(factor, factor, **moving),
        RandomRotation(factor, **moving),
        RandomColorDegeneration(factor, **colored),
        RandomPosterization((1, 8), **colored),
        Solarization(factor, factor, **colored),
        AutoContrast(**colored),
        Equalization(**colored),
    ]


def further_augmentations(factor: Any, value_range: Any, data_format: str) -> list[ImageLayer]:
    """Brightness, contrast and sharpness."""
    options: dict[str, Any] = {"value_range": value_range, "data_format": data_format}
    kinds = (RandomBrightness, RandomContrast, RandomSharpness)
    return [kind(factor, **options) for kind in kinds]


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
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.value_range = value_range_of(value_range, "RandAugment")
        self.factor = factor_range(factor, "RandAugment: factor", low=0.0)
        self.interpolation = interpolation
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


@serializable("keras.layers")
class AugMix(ImageLayer):
    """Change images along several chains of random changes, and mix the results with the images, while training.

    Source: Hendrycks et al., 2019, "AugMix: a simple data processing method to improve robustness and uncertainty",
    https://arxiv.org/abs/1912.02781.

    Args:
        value_range: the lowest and the highest value of a pixel; results end there.
        num_chains: how many chains there are.
        chain_depth: the most changes in a chain; the number is drawn for each.
        factor: a number or a pair from 0 to 1: how strong each change is.
        alpha: parameter of the Dirichlet and beta distributions that the shares are drawn from.
        all_ops: whether brightness, contrast and sharpness, which common benchmarks test against, are among the
            changes.
        interpolation: of the changes that move pixels, ``"bilinear"`` or ``"nearest"``.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: numbers outside their limits.

    Example:

    >>> AugMix()(torch.rand(2, 8, 8, 3) * 255).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: float | Sequence[float] = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        if num_chains < 1 or chain_depth < 1 or alpha <= 0:
            raise ArgumentError(
                "AugMix takes at least 1 chain of at least 1 change and a positive alpha, but got "
                f"num_chains={num_chains!r}, chain_depth={chain_depth!r}, alpha={alpha!r}."
            )
        self.value_range = value_range_of(value_range, "AugMix")
        self.num_chains = num_chains
        self.chain_depth = chain_depth
        self.factor = factor_range(factor, "AugMix: factor", low=0.0)
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        layers = plain_augmentations(self.factor, self.value_range, interpolation, self.data_format)
        if all_ops:
            layers += further_augmentations(self.factor, self.value_range, self.data_format)
        self._ways = Sublayers(self, layers)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The chains, lists of pairs of a change's number and what it draws, and the shares."""
        if not training:
            return None
        draws, ways = self.draws(data, seed), self._ways.layers
        chains = []
        for _ in range(self.num_chains):
            depth = draws.pick(self.chain_depth, 1)[0] + 1
            chosen = [draws.pick(len(ways), 1)[0] for _ in range(depth)]
            chains.append([(i, ways[i].get_random_transformation(data, seed=seed)) for i in chosen])
        alpha = torch.full((self.num_chains,), float(self.alpha), device=draws.images.device)
        return {
            "chain_mixing_weights": draws.dirichlet(alpha),
            "weight_sample": draws.beta(alpha[0], alpha[0]),
            "chain_transforms": chains,
        }

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The mixed images."""
        shares = transformation["chain_mixing_weights"].to(images.dtype)
        mixed = torch.zeros_like(images)
        for share, chain in zip(shares.unbind(), transformation["chain_transforms"], strict=True):
            changed = images
            for i, drawn in chain:
                changed = self._ways.layers[i].transform_images(changed, drawn)
            mixed = mixed + share * changed
        own = transformation["weight_sample"].to(images.dtype)
        return torch.lerp(mixed, images, own).clamp(*self.value_range)


Factor = float | Sequence[float] | None


@serializable("keras.layers")
class RandomColorJitter(ImageLayer):
    """Change the brightness, contrast, saturation and hue of each image, in this order, while training.

    Args:
        value_range: the lowest and the highest value of a pixel; results end there.
        brightness_factor: see `RandomBrightness`; no change when not given.
        contrast_factor: see `RandomContrast`.
        saturation_factor: see `RandomSaturation`.
        hue_factor: see `RandomHue`.
        seed: ``None`` draws from torch's global generator; a whole number gives the layer a sequence of its own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, height, width, 3)`` or ``(height, width, 3)`` -> the same.

    Raises:
        ArgumentError: a factor outside its limits, or no range.

    Example:

    >>> RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)(torch.rand(2, 8, 8, 3) * 255).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Factor = None,
        contrast_factor: Factor = None,
        saturation_factor: Factor = None,
        hue_factor: Factor = None,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.value_range = value_range_of(value_range, "RandomColorJitter")
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        kinds = {
            RandomBrightness: brightness_factor,
            RandomContrast: contrast_factor,
            RandomSaturation: saturation_factor,
            RandomHue: hue_factor,
        }
        options = {"value_range": self.value_range, "data_format": self.data_format}
        layers = [kind(factor, **options) for kind, factor in kinds.items() if factor is not None]
        self._steps = Sublayers(self, layers)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What each of the four draws."""
        if not training:
            return None
        return [layer.get_random_transformation(data, seed=seed) for layer in self._steps.layers]

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The images, changed in all four ways."""
        del training
        for layer, drawn in zip(self._steps.layers, transformation or [], strict=False):
            images = layer.transform_images(images, drawn)
        return images
