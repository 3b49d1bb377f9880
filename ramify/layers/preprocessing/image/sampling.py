"""Images read off at other places than their pixels: interpolation, and what lies outside."""

from __future__ import annotations

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("bilinear", "nearest")
_PADDING = {"reflect": "reflection", "nearest": "border", "constant": "zeros"}


def sample(planes: Tensor, x: Tensor, y: Tensor, interpolation: str, fill_mode: str, fill_value: float = 0.0) -> Tensor:
    """The values of images at given places.

    Args:
        planes: ``(batch, channels, height, width)``.
        x: columns to read at, in pixels, ``(batch, new height, new width)`` float32.
        y: rows to read at.
        interpolation: ``"bilinear"`` or ``"nearest"``.
        fill_mode: outside lie the image mirrored (``"reflect"``), again (``"wrap"``), its edge (``"nearest"``), or
            `fill_value` (``"constant"``).
        fill_value: see `fill_mode`.

    Returns:
        ``(batch, channels, new height, new width)``.
    """
    dtype = planes.dtype
    planes = planes.to(torch.float32)
    height, width = planes.shape[-2:]
    if fill_mode == "wrap":  # one more column and row, the first ones, close the seam
        x, y = x.remainder(width), y.remainder(height)
        planes = torch.cat([planes, planes[..., :1]], -1)
        planes = torch.cat([planes, planes[..., :1, :]], -2)
        height, width = height + 1, width + 1
    shifted = fill_mode == "constant" and fill_value != 0
    if shifted:
        planes = planes - fill_value
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    padding = _PADDING.get(fill_mode, "border")
    values = F.grid_sample(planes, grid, mode=interpolation, padding_mode=padding, align_corners=False)
    if shifted:
        values = values + fill_value
    return values.to(dtype)


def warp(planes: Tensor, matrix: Tensor, interpolation: str, fill_mode: str, fill_value: float = 0.0) -> Tensor:
    """Images as a projective map of the plane shows them.

    The pixel at column x and row y is read at ``((a x + b y + c) / d, (e x + f y + g) / d)``, ``d = h x + i y + 1``.

    Args:
        planes: ``(batch, channels, height, width)``.
        matrix: ``(batch, 8)``, the numbers a b c e f g h i; or ``(batch, 6)`` for an affine map, where h and i are 0.
        interpolation: see `sample`.
        fill_mode: see `sample`.
        fill_value: see `sample`.

    Returns:
        A tensor of the shape of `planes`.
    """
    height, width = planes.shape[-2:]
    x = torch.arange(width, dtype=torch.float32, device=planes.device)
    y = torch.arange(height, dtype=torch.float32, device=planes.device)[:, None]
    a, b, c, e, f, g, *rest = matrix.to(torch.float32)[:, :, None, None].unbind(1)
    columns, rows = a * x + b * y + c, e * x + f * y + g
    if rest:
        depth = rest[0] * x + rest[1] * y + 1
        columns, rows = columns / depth, rows / depth
    return sample(planes, columns, rows, interpolation, fill_mode, fill_value)
