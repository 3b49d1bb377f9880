"""Random numbers for a batch of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.seeds import Stream

Tensor = torch.Tensor


class Draws:
    """Draws beside a batch of images, without a look at any value.

    Args:
        images: the batch, ``(batch, ...)``.
        stream: where the randomness comes from.
    """

    def __init__(self, images: Tensor, stream: Stream) -> None:
        self.images = images
        self.count = images.shape[0]
        self._stream = stream
        self._generator = stream.generator(images.device)

    def uniform(self, shape: Sequence[int], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Float32 numbers between two limits."""
        return torch.empty(shape, device=self.images.device).uniform_(low, high, generator=self._generator)

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Float32 numbers of the standard normal distribution."""
        return torch.empty(shape, device=self.images.device).normal_(generator=self._generator)

    def factors(self, limits: tuple[float, float]) -> Tensor:
        """One number between two limits per image, ``(batch, 1, 1, 1)``."""
        return self.uniform((self.count, 1, 1, 1), *limits)

    def chance(self, limits: tuple[float, float]) -> Tensor:
        """For each image, yes with a probability that is itself drawn between two limits; ``(batch,)``."""
        return self.uniform((self.count,)) < self.uniform((self.count,), *limits)

    def signs(self, shape: Sequence[int]) -> Tensor:
        """-1 or 1, each as likely."""
        return self.uniform(shape, -1, 1).sign()

    def order(self) -> Tensor:
        """The images' indices in random order, ``(batch,)``."""
        return self.uniform((self.count,)).argsort()

    def beta(self, first: Tensor, second: Tensor) -> Tensor:
        """Numbers of the beta distributions with the given parameters, two numbers of a Dirichlet distribution."""
        return self.dirichlet(torch.stack([first, second], -1))[..., 0]

    def dirichlet(self, alpha: Tensor) -> Tensor:
        """Shares that add up to 1 along the last axis, of the Dirichlet distribution with the given parameters."""
        if alpha.device.type == "meta":  # before 2.12, torch has no gamma distribution for shapes alone
            return torch.empty_like(alpha)
        # The public samplers take no generator.
        gammas = torch._standard_gamma(alpha, generator=self._generator)  # noqa: SLF001 - see above
        gammas = gammas.clamp_(min=torch.finfo(torch.float32).tiny)
        return gammas / gammas.sum(-1, keepdim=True)

    def pick(self, choices: int, count: int) -> list[int]:
        """Some of the numbers from 0 to `choices`, each different, as Python numbers; drawn on the host."""
        host = Draws(torch.empty(choices), self._stream) if self.images.device.type != "meta" else None
        return list(range(count)) if host is None else host.order().tolist()[:count]


def factor_range(value: Any, who: str, low: float = -1.0, high: float = 1.0) -> tuple[float, float]:
    """The range that a factor is drawn from: a pair as it is, sorted, and a number as the range to it around zero.

    Args:
        value: number or pair of numbers.
        who: layer and argument, for the message.
        low: the smallest number allowed, and the least that a range begins with.
        high: the largest number allowed.

    Raises:
        ArgumentError: anything else, or numbers outside.

    >>> factor_range(0.2, "RandomBrightness: factor"), factor_range((0.5, 0.1), "RandomBrightness: factor")
    ((-0.2, 0.2), (0.1, 0.5))
    """
    is_pair = isinstance(value, (list, tuple))
    numbers = list(value) if is_pair else [value]
    fits = len(numbers) == 1 + is_pair and all(
        isinstance(n, (int, float)) and not isinstance(n, bool) and low <= n <= high for n in numbers
    )
    if not fits:
        raise ArgumentError(f"{who} is a number or a pair of numbers from {low:g} to {high:g}, but got {value!r}.")
    if is_pair:
        return min(numbers), max(numbers)
    return max(low, -abs(value)), abs(value)


def per_image(drawn: Tensor) -> Tensor:
    """One number per image, ``(batch,)`` or with more axes of size 1, so that it broadcasts over a batch of images."""
    return drawn.reshape(-1, 1, 1, 1)
