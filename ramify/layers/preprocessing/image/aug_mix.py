"""`AugMix`: an image mixed with several changed versions of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.augmentations import further_augmentations, plain_augmentations
from ramify.layers.preprocessing.image.base import ImageLayer, value_range_of
from ramify.layers.preprocessing.image.draws import factor_range
from ramify.layers.preprocessing.image.sublayers import Sublayers
from ramify.registry import serializable

Tensor = torch.Tensor


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
        super().__init__(data_format=data_format, **kwargs)
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
        self.seeded(seed)
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

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """The mixed images."""
        del training
        if transformation is None:
            return images
        shares = transformation["chain_mixing_weights"].to(images.dtype)
        mixed = torch.zeros_like(images)
        for share, chain in zip(shares.unbind(), transformation["chain_transforms"], strict=True):
            changed = images
            for i, drawn in chain:
                changed = self._ways.layers[i].transform_images(changed, drawn)
            mixed = mixed + share * changed
        own = transformation["weight_sample"].to(images.dtype)
        return torch.lerp(mixed, images, own).clamp(*self.value_range)
