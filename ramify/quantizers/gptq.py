"""GPTQ (Frantar et al., 2022): rounding one input after the other, with the error spread over those to come."""

from __future__ import annotations

from typing import Any

import torch

Tensor = torch.Tensor


def grid(weights: Tensor, bits: int, *, symmetric: bool = False, per_channel: bool = True) -> tuple[Tensor, Tensor]:
    """Scale and zero point for whole numbers ``0 ... 2 ** bits - 1``.

    Args:
        weights: of shape ``(outputs, inputs)``.
        bits: of a number.
        symmetric: whether the zero point is the middle of the range.
        per_channel: whether each output has its own.

    Returns:
        Both of shape ``(outputs, 1)``: ``(numbers - zero) * scale`` is near the weights.
    """
    least, most = weights.amin(1, keepdim=True).clamp_max(0), weights.amax(1, keepdim=True).clamp_min(0)
    if not per_channel:
        least, most = least.amin().expand_as(least), most.amax().expand_as(most)
    top = 2**bits - 1
    if symmetric:
        most = torch.maximum(most, -least)
        least = -most
    empty = least == most
    least, most = torch.where(empty, -1.0, least), torch.where(empty, 1.0, most)
    scale = (most - least) / top
    zero = torch.full_like(scale, (top + 1) // 2) if symmetric else (-least / scale).round()
    return scale, zero


class GPTQ:
    """The method for one matrix.

    Args:
        weights: of shape ``(outputs, inputs)``.
        config: a `GPTQConfig`.
    """

    def __init__(self, weights: Tensor, config: Any) -> None:
        self.weights = weights.to(torch.float32).clone()
        self.config = config
        self.inputs = weights.shape[1]
        self.count = 0
        self.hessian = weights.new_zeros(self.inputs, self.inputs, dtype=torch.float32)

    def see(self, x: Tensor) -> None:
        """Take inputs of shape ``(samples, inputs)`` into account."""
        x = x.to(torch.float32)
        total = self.count + len(x)
        self.hessian.mul_(self.count / total).addmm_(x.t(), x, alpha=2 / total)
        self.count = total

    def quantized(self) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        """Whole numbers, scales, zero points (the last two with a column for each group) and each input's group."""
        config, w, h = self.config, self.weights, self.hessian
        order = torch.argsort(h.diagonal(), descending=True) if config.activation_order else torch.arange(self.inputs)
        w, h = w[:, order].clone(), h[order][:, order].clone()
        dead = h.diagonal() == 0
        h.diagonal()[dead] = 1.0
        w[:, dead] = 0.0
        h.diagonal().add_(config.hessian_damping * h.diagonal().mean())
        upper = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
        size = self.inputs if config.group_size == -1 else config.group_size
        top = 2**config.weight_bits - 1
        numbers, scales, zeros = torch.empty_like(w), [], []
        for i in range(self.inputs):
            if i % size == 0:
                options = {"symmetric": config.symmetric, "per_channel": config.per_channel}
                scale, zero = grid(w[:, i : i + size], config.weight_bits, **options)
                scales.append(scale)
                zeros.append(zero)
            column = w[:, i : i + 1]
            numbers[:, i : i + 1] = whole = ((column / scale).round() + zero).clamp(0, top)
            error = (column - (whole - zero) * scale) / upper[i, i]
            w[:, i + 1 :] -= error * upper[i : i + 1, i + 1 :]
        back = torch.argsort(order)
        groups = (torch.arange(self.inputs) // size)[back]
        return numbers[:, back], torch.cat(scales, 1), torch.cat(zeros, 1), groups, None
