"""Convolution layers beside the same `torch.nn` module in channels-last memory: ratios of processor time, one thread.

usage: python benchmarks/convolutions.py [--rounds 9] [--seconds 0.1] [--only WORD]

A step is forward and backward, with the gradient of the images. Both take turns; a ratio is that of two turns which
follow each other. The median of the ratios is printed, with the middle half of them as the spread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ramify import layers

Made = tuple[layers.Layer, Callable[[Tensor], Tensor], tuple[int, ...]]
"""A layer, the same by hand on (batch, channels, ...), and the shape of the images, channels last."""


def plain(filters: int, channels: int, size: int, side: int, batch: int, strides: int = 1, groups: int = 1) -> Made:
    """A convolution of images, padded by zeros where it has no strides."""
    pad = size // 2 if strides == 1 else 0
    layer = layers.Conv2D(filters, size, strides, "valid" if strides > 1 else "same", groups=groups)
    hand = nn.Conv2d(channels, filters, size, strides, pad, groups=groups)
    return layer, hand.to(memory_format=torch.channels_last), (batch, side, side, channels)


def depthwise(channels: int, size: int, side: int, batch: int) -> Made:
    """A convolution of each channel on its own."""
    hand = nn.Conv2d(channels, channels, size, padding=size // 2, groups=channels)
    layer = layers.DepthwiseConv2D(size, padding="same")
    return layer, hand.to(memory_format=torch.channels_last), (batch, side, side, channels)


def separable(filters: int, channels: int, size: int, side: int, batch: int) -> Made:
    """A depthwise convolution, and one of a pixel."""
    deep = nn.Conv2d(channels, channels, size, padding=size // 2, groups=channels, bias=False)
    hand = nn.Sequential(deep, nn.Conv2d(channels, filters, 1))
    layer = layers.SeparableConv2D(filters, size, padding="same")
    return layer, hand.to(memory_format=torch.channels_last), (batch, side, side, channels)


def transposed(filters: int, channels: int, size: int, side: int, batch: int) -> Made:
    """A convolution that doubles the image."""
    hand = nn.ConvTranspose2d(channels, filters, size, 2, padding=(size - 2) // 2)
    layer = layers.Conv2DTranspose(filters, size, 2, padding="same")
    return layer, hand.to(memory_format=torch.channels_last), (batch, side, side, channels)


def sequence(filters: int, channels: int, size: int, steps: int, batch: int) -> Made:
    """A convolution of sequences."""
    return layers.Conv1D(filters, size), nn.Conv1d(channels, filters, size), (batch, steps, channels)


def volume(filters: int, channels: int, size: int, side: int, batch: int) -> Made:
    """A convolution of volumes."""
    hand = nn.Conv3d(channels, filters, size, padding=size // 2).to(memory_format=torch.channels_last_3d)
    return layers.Conv3D(filters, size, padding="same"), hand, (batch, side, side, side, channels)


CASES: dict[str, Callable[[], Made]] = {
    "3x3, 16 channels, 32x32": lambda: plain(16, 16, 3, 32, 16),
    "3x3, 64 channels, 56x56": lambda: plain(64, 64, 3, 56, 2),
    "3x3, 128 channels, 28x28": lambda: plain(128, 128, 3, 28, 2),
    "3x3, 256 channels, 14x14": lambda: plain(256, 256, 3, 14, 4),
    "3x3, 512 channels, 7x7": lambda: plain(512, 512, 3, 7, 4),
    "3x3, 512 channels, 7x7, one": lambda: plain(512, 512, 3, 7, 1),
    "1x1, 64 to 256, 56x56": lambda: plain(256, 64, 1, 56, 2),
    "1x1, 256 to 64, 56x56": lambda: plain(64, 256, 1, 56, 2),
    "1x1, 1024 to 256, 14x14": lambda: plain(256, 1024, 1, 14, 4),
    "1x1, 512 to 2048, 7x7": lambda: plain(2048, 512, 1, 7, 4),
    "7x7 by 2, 3 to 64, 230x230": lambda: plain(64, 3, 7, 230, 2, strides=2),
    "3x3 by 2, 128 channels, 29x29": lambda: plain(128, 128, 3, 29, 4, strides=2),
    "1x1 by 2, 256 to 512, 56x56": lambda: plain(512, 256, 1, 56, 2, strides=2),
    "3x3, 32 groups of 4, 28x28": lambda: plain(128, 128, 3, 28, 2, groups=32),
    "depthwise 3x3, 96, 56x56": lambda: depthwise(96, 3, 56, 2),
    "depthwise 3x3, 512, 14x14": lambda: depthwise(512, 3, 14, 4),
    "separable 3x3, 128 to 256, 28x28": lambda: separable(256, 128, 3, 28, 2),
    "transposed 2x2 by 2, 128 to 64": lambda: transposed(64, 128, 2, 28, 2),
    "transposed 4x4 by 2, 256 to 128": lambda: transposed(128, 256, 4, 14, 2),
    "sequences, 5, 64 channels, 128": lambda: sequence(64, 64, 5, 128, 16),
    "volumes, 3x3x3, 32 channels, 16": lambda: volume(32, 32, 3, 16, 1),
}


def step_of(module: Callable[[Tensor], Tensor], weights: list[Any], x: Tensor, gradient: Tensor) -> Callable[[], Any]:
    """Forward and backward."""

    def step() -> None:
        for tensor in (x, *weights):
            tensor.grad = None
        module(x).backward(gradient)

    return step


def forward_of(module: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], Any]:
    """Forward alone."""

    def forward() -> None:
        with torch.no_grad():
            module(x)

    return forward


def seconds(action: Callable[[], Any], count: int) -> float:
    """Processor time of one call, where there are several in a row."""
    start = time.process_time()
    for _ in range(count):
        action()
    return (time.process_time() - start) / count


def ratios(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int, least: float) -> list[float]:
    """Our seconds divided by theirs, of turns that follow each other, in order of size."""
    count = max(1, round(least / max(seconds(ours, 2), seconds(theirs, 2))))
    pairs = [(seconds(ours, count), seconds(theirs, count)) for _ in range(rounds)]
    return sorted(one / other for one, other in pairs)


def measured(made: Made, rounds: int, least: float) -> dict[str, list[float]]:
    """The ratios of a case."""
    layer, hand, shape = made
    torch.manual_seed(0)
    x = torch.randn(shape, requires_grad=True)
    axes = range(1, len(shape) - 1)

    def by_hand(images: Tensor) -> Tensor:
        return hand(images.permute(0, -1, *axes)).permute(0, *(axis + 1 for axis in axes), 1)

    gradient = torch.randn_like(layer(x))
    if by_hand(x).shape != gradient.shape:
        raise RuntimeError(f"{layer} and what stands for it by hand do not compute the same")
    own, other = layer.trainable_weights, list(hand.parameters())  # type: ignore[attr-defined]
    step = step_of(layer, own, x, gradient), step_of(by_hand, other, x, gradient)
    forward = forward_of(layer, x), forward_of(by_hand, x)
    return {"step": ratios(*step, rounds, least), "forward": ratios(*forward, rounds, least)}


def main() -> None:
    """Measure all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="least length of a turn")
    parser.add_argument("--only", default="", help="cases with this word")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, ramify / by hand, medians of {options.rounds} rounds (middle half)")
    print(f"{'':34}{'step':>22}{'forward':>22}")
    for name, make in CASES.items():
        if options.only in name:
            cells = ""
            for found in measured(make(), options.rounds, options.seconds).values():
                quarter = len(found) // 4
                cells += f"{statistics.median(found):8.2f} ({found[quarter]:.2f}-{found[-1 - quarter]:.2f})".rjust(22)
            print(f"{name:34}{cells}", flush=True)


if __name__ == "__main__":
    main()
