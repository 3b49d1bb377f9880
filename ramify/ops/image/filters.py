"""Images convolved with fixed kernels, and their likeness judged by such."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ShapeError
from ramify.image_format import checked_data_format
from ramify.ops.convert import floating, like
from ramify.ops.image.layout import as_float, as_was, channels_last
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor


def _gaussian(size: int, sigma: float, x: Tensor) -> Tensor:
    """The weights of a Gaussian on `size` pixels, which sum to 1."""
    place = torch.arange(size, dtype=x.dtype, device=x.device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (place / sigma) ** 2)
    return weights / weights.sum()


def _both_ways(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Images ``(batch, channels, ...)`` convolved with a column and then a row, channel by channel."""
    channels = x.shape[1]
    x = F.conv2d(x, down.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(x, across.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def blurred(x: Tensor, size: Sequence[int], sigma: Sequence[float]) -> Tensor:
    """Images ``(batch, channels, height, width)`` blurred by a Gaussian, with zeros around them."""
    down, across = (_gaussian(n, s, x) for n, s in zip(size, sigma, strict=True))
    before = [(n - 1) // 2 for n in size]
    pads = (before[1], size[1] - 1 - before[1], before[0], size[0] - 1 - before[0])
    return _both_ways(F.pad(x, pads), down, across)


@op
def gaussian_blur(
    images: Any,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Each pixel replaced by a mean of those around it, weighted by a Gaussian; zeros lie around the image.

    Args:
        images: images, with or without a batch axis.
        kernel_size: height and width of the window.
        sigma: standard deviation of the Gaussian down and across, in pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of the same shape and dtype.

    >>> gaussian_blur(torch.ones(5, 5, 1))[2, 2]
    tensor([1.])
    """
    x, back = channels_last(images, data_format, "gaussian_blur")
    y = blurred(as_float(x).movedim(-1, 1), tuple(kernel_size), tuple(sigma))
    return back(as_was(y.movedim(1, -1), x.dtype))


@op
def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """How steeply brightness rises down and across; zeros lie around the image.

    Source: Sobel and Feldman, 1968, "An isotropic 3x3 image gradient operator".

    Args:
        images: images of shape ``(batch, height, width, channels)``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor with one axis more, of size 2: down, across.

    >>> sobel_edges(torch.ones(1, 4, 4, 3)).shape
    torch.Size([1, 4, 4, 3, 2])
    """
    x = to_tensor(images)
    if x.ndim != 4:
        raise ShapeError(f"sobel_edges takes a batch of images, but received shape {tuple(x.shape)}.")
    last = checked_data_format(data_format, "sobel_edges") == "channels_last"
    y = F.pad(as_float(x).movedim(-1, 1) if last else as_float(x), (1, 1, 1, 1))
    smooth, slope = y.new_tensor([1.0, 2.0, 1.0]), y.new_tensor([-1.0, 0.0, 1.0])
    edges = torch.stack([_both_ways(y, slope, smooth), _both_ways(y, smooth, slope)], -1)
    return as_was(edges.movedim(1, 3) if last else edges, x.dtype)


@op
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity of images: 1 for equal ones, less the more their means, contrasts and shapes differ.

    Source: Wang et al., 2004, "Image quality assessment: from error visibility to structural similarity", IEEE TIP 13.

    Args:
        image1: images, with or without a batch axis, at least as large as the filter.
        image2: images of the same shape.
        max_val: the largest value that there can be.
        filter_size: side of the Gaussian window.
        filter_sigma: its standard deviation.
        k1: steadies the comparison of means.
        k2: steadies that of contrasts.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        One number for each image.

    >>> ssim(torch.ones(16, 16, 3), torch.ones(16, 16, 3))
    tensor(1.)
    """
    image1, image2 = like(image1, image2)
    if image1.shape != image2.shape:
        shapes = f"{tuple(image1.shape)} and {tuple(image2.shape)}"
        raise ShapeError(f"ssim takes images of one shape, but received {shapes}.")
    x, _ = channels_last(image1, data_format, "ssim")
    y, _ = channels_last(image2, data_format, "ssim")
    x, y = as_float(x).movedim(-1, 1), as_float(y).movedim(-1, 1)
    if min(x.shape[2:]) < filter_size:
        raise ShapeError(f"ssim looks through {filter_size} pixels, but received images of {tuple(x.shape[2:])}.")
    window = _gaussian(filter_size, filter_sigma, x)
    means = [_both_ways(part, window, window) for part in (x, y, x * x, y * y, x * y)]
    mean1, mean2, square1, square2, product = means
    steady1, steady2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    both = mean1 * mean2
    squares = mean1 * mean1 + mean2 * mean2
    brightness = (2 * both + steady1) / (squares + steady1)
    contrast = (2 * (product - both) + steady2) / (square1 + square2 - squares + steady2)
    result = as_was((brightness * contrast).mean((1, 2, 3)), floating(image1).dtype)
    return result[0] if image1.ndim == 3 else result
