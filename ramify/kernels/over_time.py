"""What torch's recurrent kernels want their weights to look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def over_time(
    kernel: Callable[..., Any], inputs: torch.Tensor, state: torch.Tensor, weights: list[torch.Tensor]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """All steps of a kernel with one state, `torch.gru` and its like.

    Time goes first: torch would turn the outputs of the other order in place, which captured steps cannot replay.

    Args:
        kernel: the function.
        inputs: ``(batch, time, inputs)``.
        state: ``(batch, units)``.
        weights: what `flat_weights` made.
    """
    training = torch.is_grad_enabled()
    steps, start = inputs.transpose(0, 1), state.unsqueeze(0)
    outputs, last = kernel(steps, start, weights, len(weights) > 2, 1, 0.0, training, False, False)
    return outputs.transpose(0, 1), [last[0]]


def flat_weights(
    kernel: torch.Tensor,
    recurrent: torch.Tensor,
    bias: torch.Tensor | None,
    recurrent_bias: torch.Tensor | None = None,
) -> list[torch.Tensor]:
    """The list of weights that `torch.lstm` and its like take.

    Args:
        kernel: ``(gates * units, inputs)``; a transposed view is copied, which oneDNN does more slowly (measured: one
            sequence of 100 steps and 128 units takes 0.85 ms so, 1.0 ms else); a plan for inference copies it once.
        recurrent: ``(gates * units, units)``.
        bias: ``(gates * units,)``, or ``None``.
        recurrent_bias: torch adds two biases; zeros when not given.

    On a GPU cuDNN wants all of them in one piece of memory, and packs and warns at every call where they are not; so
    they are packed here.
    """
    weights = [kernel.contiguous(), recurrent.contiguous()]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias) if recurrent_bias is None else recurrent_bias]
    if kernel.device.type != "cuda":
        return weights
    pieces = torch.cat([weight.reshape(-1) for weight in weights]).split([weight.numel() for weight in weights])
    return [piece.view(weight.shape) for piece, weight in zip(pieces, weights, strict=True)]
