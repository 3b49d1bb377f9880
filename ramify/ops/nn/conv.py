"""Convolutions: plain, depthwise, separable and transposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError, ShapeError
from ramify.image_format import checked_choice, per_axis
from ramify.ops.convert import like
from ramify.ops.nn.layout import from_front, lifted, to_front
from ramify.ops.nn.padding import same_pads, transposed_pads
from ramify.ops.op import op

Tensor = torch.Tensor
Sizes = int | Sequence[int]
_KERNELS = {2: F.conv2d, 3: F.conv3d}


def _convolved(
    x: Tensor, weight: Tensor, strides: Sizes, padding: str, dilation: Sizes, groups: int, rank: int, who: str
) -> Tensor:
    """Convolve ``(batch, channels, ...)`` with ``(out, in, ...)``; padding that is lopsided takes a copy."""
    choices = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    padding = checked_choice(padding, choices, f"{who}: padding")
    steps, taps = (lifted(per_axis(v, rank, f"{who}: {n}")) for v, n in ((strides, "strides"), (dilation, "dilation")))
    windows = tuple((k - 1) * d + 1 for k, d in zip(weight.shape[2:], taps, strict=True))
    pads: Any = tuple((0, 0) for _ in windows)
    if padding == "same":
        pads = same_pads(x.shape[2:], windows, steps)
    elif padding == "causal":
        pads = ((0, 0), (windows[-1] - 1, 0))
    if any(before != after for before, after in pads):
        x, pads = F.pad(x, [n for pair in reversed(pads) for n in pair]), tuple((0, 0) for _ in windows)
    return _KERNELS[len(windows)](x, weight, None, steps, tuple(before for before, _ in pads), taps, groups)


def _weight(kernel: Tensor, rank: int, who: str) -> Tensor:
    """A kernel ``(k..., a, b)`` as torch's ``(b, a, k...)``; a view."""
    if kernel.ndim != rank + 2:
        raise ShapeError(f"{who} takes a kernel of {rank + 2} axes here, but received shape {tuple(kernel.shape)}.")
    kernel = kernel.permute(rank + 1, rank, *range(rank))
    return kernel.unsqueeze(2) if rank == 1 else kernel


@op
def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution over one, two or three spatial axes.

    Args:
        inputs: tensor of shape ``(batch, ..., channels)``.
        kernel: shape ``(k..., channels / groups, filters)``; the number of groups follows from it.
        strides: one step or one per axis.
        padding: ``"valid"``, ``"same"`` (``ceil(size / stride)`` outputs) or, for sequences, ``"causal"``.
        data_format: ``"channels_last"``, or ``"channels_first"`` for channels behind the batch; the global setting when
            not given.
        dilation_rate: distance between the kernel's taps, one or one per axis.

    Returns:
        A tensor of shape ``(batch, ..., filters)``.

    Raises:
        ShapeError: ranks or channels that do not fit.

    >>> conv(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4)).shape
    torch.Size([1, 3, 3, 4])
    """
    x, kernel = like(inputs, kernel)
    x, rank, last = to_front(x, data_format, "conv")
    weight = _weight(kernel, rank, "conv")
    channels, each = x.shape[1], weight.shape[1]
    if channels % each or weight.shape[0] % (channels // each):
        raise ShapeError(
            f"conv received {channels} channels and a kernel of shape {tuple(kernel.shape)}, whose last axes are "
            "(channels / groups, filters). The channels must be a multiple of the first, the filters of the groups."
        )
    return from_front(
        _convolved(x, weight, strides, padding, dilation_rate, channels // each, rank, "conv"), rank, last
    )


def _depthwise(kernel: Tensor, rank: int, who: str) -> Tensor:
    """A kernel ``(k..., channels, multiplier)`` as torch's ``(channels * multiplier, 1, k...)``; a view."""
    if kernel.ndim != rank + 2:
        raise ShapeError(f"{who} takes a kernel of {rank + 2} axes here, but received shape {tuple(kernel.shape)}.")
    weight = kernel.flatten(-2).movedim(-1, 0).unsqueeze(1)
    return weight.unsqueeze(2) if rank == 1 else weight


@op
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Convolution of each channel with kernels of its own; arguments as in `conv`.

    Args:
        inputs: tensor of shape ``(batch, ..., channels)``.
        kernel: shape ``(k..., channels, multiplier)``.
        strides: one step or one per axis.
        padding: ``"valid"`` or ``"same"``.
        data_format: where the channels are.
        dilation_rate: distance between the kernel's taps.

    Returns:
        A tensor of shape ``(batch, ..., channels * multiplier)``.

    >>> depthwise_conv(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4)).shape
    torch.Size([1, 3, 3, 8])
    """
    x, kernel = like(inputs, kernel)
    x, rank, last = to_front(x, data_format, "depthwise_conv")
    weight = _depthwise(kernel, rank, "depthwise_conv")
    x = _convolved(x, weight, strides, padding, dilation_rate, x.shape[1], rank, "depthwise_conv")
    return from_front(x, rank, last)


@op
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """`depthwise_conv`, then a mixture of the channels at each place; arguments as in `conv`.

    Args:
        inputs: tensor of shape ``(batch, ..., channels)``.
        depthwise_kernel: shape ``(k..., channels, multiplier)``.
        pointwise_kernel: shape ``(1..., channels * multiplier, filters)``.
        strides: one step or one per axis.
        padding: ``"valid"`` or ``"same"``.
        data_format: where the channels are.
        dilation_rate: distance between the kernel's taps.

    Returns:
        A tensor of shape ``(batch, ..., filters)``.

    >>> separable_conv(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4), torch.ones(1, 1, 8, 5)).shape
    torch.Size([1, 3, 3, 5])
    """
    x, depthwise, pointwise = like(inputs, depthwise_kernel, pointwise_kernel)
    x, rank, last = to_front(x, data_format, "separable_conv")
    who = "separable_conv"
    x = _convolved(x, _depthwise(depthwise, rank, who), strides, padding, dilation_rate, x.shape[1], rank, who)
    return from_front(_convolved(x, _weight(pointwise, rank, who), 1, "valid", 1, 1, rank, who), rank, last)


@op
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """The gradient of a convolution by its input, as a function of its own: it enlarges.

    Args:
        inputs: tensor of shape ``(batch, ..., channels)``.
        kernel: shape ``(k..., filters, channels)``.
        strides: how many outputs apart two neighbouring inputs land, one or one per axis.
        padding: ``"valid"`` or ``"same"`` (``size * stride`` outputs).
        output_padding: fixes the output size to ``(size - 1) * stride + reach - 2 * cut + output_padding``, with `cut`
            0 for ``"valid"`` and half of the kernel's reach for ``"same"``.
        data_format: where the channels are, as in `conv`.
        dilation_rate: distance between the kernel's taps, one or one per axis.

    Returns:
        A tensor of shape ``(batch, ..., filters)``.

    Source:
        Dumoulin and Visin, 2016, "A guide to convolution arithmetic for deep learning".

    >>> conv_transpose(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 4, 2), 2, "same").shape
    torch.Size([1, 10, 10, 4])
    """
    who = "conv_transpose"
    x, kernel = like(inputs, kernel)
    x, rank, last = to_front(x, data_format, who)
    weight, padding = _weight(kernel, rank, who), checked_choice(padding, ("valid", "same"), f"{who}: padding")
    steps = lifted(per_axis(strides, rank, f"{who}: strides"))
    taps = lifted(per_axis(dilation_rate, rank, f"{who}: dilation_rate"))
    extra = _extra(output_padding, rank)
    plans = [
        transposed_pads((size - 1) * tap + 1, step, padding, more)
        for size, tap, step, more in zip(weight.shape[2:], taps, steps, extra, strict=True)
    ]
    pads, tails, cuts = (tuple(column) for column in zip(*plans, strict=True))
    x = (F.conv_transpose3d if rank == 3 else F.conv_transpose2d)(x, weight, None, steps, pads, 0, 1, taps)
    if any(tails) or any(cuts):
        x = F.pad(x, [n for tail, cut in zip(reversed(tails), reversed(cuts), strict=True) for n in (0, tail - cut)])
    return from_front(x, rank, last)


def _extra(output_padding: Sizes | None, rank: int) -> tuple[int | None, ...]:
    if output_padding is None:
        return (None,) * max(rank, 2)
    extra = per_axis(output_padding, rank, "conv_transpose: output_padding", least=0)
    if min(extra) < 0:
        raise ArgumentError(f"conv_transpose takes an output_padding from 0 up, but got {output_padding!r}.")
    return lifted(extra, 0)
