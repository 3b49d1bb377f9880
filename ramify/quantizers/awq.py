"""AWQ (Lin et al., 2023): inputs with large activations keep more of their weights' precision."""

from __future__ import annotations

from typing import Any

import torch

from ramify.quantizers.gptq import grid

Tensor = torch.Tensor
_KEPT = 512  # rows of input by which candidates are judged


class AWQ:
    """The method for one matrix.

    Args:
        weights: of shape ``(outputs, inputs)``.
        config: an `AWQConfig`.
    """

    def __init__(self, weights: Tensor, config: Any) -> None:
        self.weights = weights.to(torch.float32).clone()
        self.config = config
        self.inputs = weights.shape[1]
        self.count = 0
        self.total = self.weights.new_zeros(self.inputs)
        self.kept: list[Tensor] = []

    def see(self, x: Tensor) -> None:
        """Take inputs of shape ``(samples, inputs)`` into account."""
        x = x.to(torch.float32)
        self.total += x.abs().sum(0)
        room = _KEPT - sum(map(len, self.kept))
        if room > 0:
            self.kept.append(x[:room].clone())
        self.count += len(x)

    def quantized(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Whole numbers, scales, zero points, each input's group, and each input's factor."""
        x = torch.cat(self.kept)
        mean = (self.total / self.count).clamp_min(1e-8)
        wanted = x @ self.weights.t()
        best: Any = None
        least = float("inf")
        for step in range(self.config.num_grid_points):
            factors = mean ** (step / self.config.num_grid_points)
            factors = factors / (factors.amax() * factors.amin()).sqrt()
            parts = self._rounded(self.weights * factors)
            error = (x @ (self._floats(*parts) / factors).t() - wanted).square().mean().item()
            if error < least:
                best, least = (*parts, factors), error
        return tuple(best)

    def _rounded(self, w: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        size = self.inputs if self.config.group_size == -1 else self.config.group_size
        top = 2**self.config.weight_bits - 1
        pairs = [grid(w[:, i : i + size], self.config.weight_bits) for i in range(0, self.inputs, size)]
        scale, zero = (torch.cat(part, 1) for part in zip(*pairs, strict=True))
        groups = torch.arange(self.inputs) // size
        return ((w / scale[:, groups]).round() + zero[:, groups]).clamp(0, top), scale, zero, groups

    @staticmethod
    def _floats(numbers: Tensor, scale: Tensor, zero: Tensor, groups: Tensor) -> Tensor:
        return (numbers - zero[:, groups]) * scale[:, groups]
