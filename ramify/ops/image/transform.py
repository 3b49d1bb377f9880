"""Images moved, turned, sheared and bent."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ShapeError
from ramify.image_format import checked_choice
from ramify.ops.convert import like
from ramify.ops.image.coordinates import checked_fill_mode, read
from ramify.ops.image.filters import blurred
from ramify.ops.image.layout import as_float, as_was, channels_last
from ramify.ops.op import op
from ramify.seeds import check_seed, generator

Tensor = torch.Tensor
_ORDER = {"nearest": 0, "bilinear": 1}


def _order(interpolation: str, who: str) -> int:
    return _ORDER[checked_choice(interpolation, tuple(_ORDER), f"{who}: interpolation")]


def _grid(x: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of every pixel."""
    _, height, width, _ = x.shape
    rows = torch.arange(height, dtype=torch.float32, device=x.device)
    columns = torch.arange(width, dtype=torch.float32, device=x.device)
    down, across = torch.meshgrid(rows, columns, indexing="ij")
    return down, across


def _read(x: Tensor, rows: Tensor, columns: Tensor, order: int, fill_mode: str, fill_value: float) -> Tensor:
    """Images ``(batch, height, width, channels)`` read at rows and columns ``(batch, height, width)``."""
    image = torch.arange(x.shape[0], device=x.device).view(-1, 1, 1)
    return as_was(read(as_float(x), [rows, columns], order, fill_mode, fill_value, image), x.dtype)


@op
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Each image under a projective map: the pixel at ``(x, y)`` is read at ``(x', y')``.

    ``x' = (a0 x + a1 y + a2) / k`` and ``y' = (b0 x + b1 y + b2) / k`` with ``k = c0 x + c1 y + 1``.

    Args:
        images: images, with or without a batch axis.
        transform: ``[a0, a1, a2, b0, b1, b2, c0, c1]`` for all images, or one row for each.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside, as in `map_coordinates`.
        fill_value: for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of the same shape and dtype.

    >>> image = torch.tensor([[[1.0], [2.0], [3.0]]])
    >>> affine_transform(image, torch.tensor([1.0, 0, 1, 0, 1, 0, 0, 0])).flatten()
    tensor([2., 3., 0.])
    """
    who = "affine_transform"
    order = _order(interpolation, who)
    checked_fill_mode(fill_mode, who)
    images, transform = like(images, transform)
    x, back = channels_last(images, data_format, who)
    if transform.ndim not in {1, 2} or transform.shape[-1] != 8:
        raise ShapeError(f"{who} takes 8 numbers, or 8 for each image, but received shape {tuple(transform.shape)}.")
    return back(_mapped(x, as_float(transform), order, fill_mode, fill_value))


def _mapped(x: Tensor, transform: Tensor, order: int, fill_mode: str, fill_value: float) -> Tensor:
    if transform.ndim == 2 and transform.shape[0] not in {1, x.shape[0]}:
        raise ShapeError(
            f"There are {transform.shape[0]} transforms for {x.shape[0]} images. Give one, or one for each."
        )
    rows, columns = _grid(x)
    transform = transform.expand(x.shape[0], 8)
    a0, a1, a2, b0, b1, b2, c0, c1 = (part.view(-1, 1, 1) for part in transform.unbind(-1))
    scale = c0 * columns + c1 * rows + 1
    across, down = (a0 * columns + a1 * rows + a2) / scale, (b0 * columns + b1 * rows + b2) / scale
    return _read(x, down, across, order, fill_mode, fill_value)


@op
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Each image seen so that four of its points come to lie on four others.

    Args:
        images: images, with or without a batch axis.
        start_points: four points ``(x, y)`` of the image, shape ``(4, 2)``, or ``(batch, 4, 2)``.
        end_points: where they come to lie, likewise.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: what lies outside.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of the same shape and dtype.

    >>> corners = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]])
    >>> image = torch.rand(4, 4, 1)
    >>> bool(torch.allclose(perspective_transform(image, corners, corners), image, atol=1e-4))
    True
    """
    who = "perspective_transform"
    order = _order(interpolation, who)
    images, start, end = like(images, start_points, end_points)
    x, back = channels_last(images, data_format, who)
    if start.shape[-2:] != (4, 2) or end.shape[-2:] != (4, 2):
        raise ShapeError(f"{who} takes four points (x, y), but received {tuple(start.shape)}, {tuple(end.shape)}.")
    return back(_mapped(x, _perspective(as_float(start), as_float(end)), order, "constant", fill_value))


def _perspective(start: Tensor, end: Tensor) -> Tensor:
    """The map that leads from each end point to its start point: eight linear equations."""
    start, end = torch.broadcast_tensors(start, end)
    x, y = end.unbind(-1)
    one, nought = torch.ones_like(x), torch.zeros_like(x)
    u, v = start.unbind(-1)
    across = torch.stack([x, y, one, nought, nought, nought, -x * u, -y * u], -1)
    down = torch.stack([nought, nought, nought, x, y, one, -x * v, -y * v], -1)
    return torch.linalg.solve(torch.cat([across, down], -2), torch.cat([u, v], -1))


@op
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Each image bent by a smooth random field.

    Source: Simard et al., 2003, "Best practices for convolutional neural networks applied to visual document analysis".

    Args:
        images: images, with or without a batch axis.
        alpha: how far pixels move: by some ``0.28 * alpha`` pixels, whatever `sigma`: the field is drawn with a
            deviation of ``alpha * sigma``, then smoothed.
        sigma: how smooth the field is: the standard deviation of the Gaussian, in pixels.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside, as in `map_coordinates`.
        fill_value: for ``"constant"``.
        seed: ``None`` for torch's global generator, a whole number, or a `SeedGenerator`.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of the same shape and dtype.

    >>> elastic_transform(torch.ones(8, 8, 3)).shape
    torch.Size([8, 8, 3])
    """
    who = "elastic_transform"
    order = _order(interpolation, who)
    checked_fill_mode(fill_mode, who)
    x, back = channels_last(images, data_format, who)
    seed = check_seed(seed, who)
    source = None if x.device.type == "meta" else generator(seed, x.device)
    field = torch.empty((2, *x.shape[:3]), device=x.device).normal_(std=sigma, generator=source) * alpha
    size = max(int(6 * sigma) | 1, 3)
    field = blurred(field.flatten(0, 1).unsqueeze(1), (size, size), (sigma, sigma)).view(field.shape)
    rows, columns = _grid(x)
    return back(_read(x, rows + field[0], columns + field[1], order, fill_mode, fill_value))
