"""Images in another size."""

from __future__ import annotations

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
_TORCH = {"nearest": "nearest-exact", "bilinear": "bilinear", "bicubic": "bicubic", "area": "area"}
_RADIUS = {"lanczos3": 3, "lanczos5": 5}
KINDS = (*_TORCH, *_RADIUS)


def resized(planes: Tensor, size: tuple[int, int], interpolation: str, *, antialias: bool = False) -> Tensor:
    """Images in another size and the same dtype; whole numbers are rounded.

    Args:
        planes: ``(batch, channels, height, width)``.
        size: new height and width.
        interpolation: one of `KINDS`.
        antialias: whether a smaller image takes every pixel of the larger one into account.

    Returns:
        ``(batch, channels, *size)``.
    """
    dtype = planes.dtype
    if tuple(planes.shape[-2:]) == tuple(size):
        return planes
    if not dtype.is_floating_point and interpolation == "nearest":
        rows, columns = (_nearest(old, new, planes) for old, new in zip(planes.shape[-2:], size, strict=True))
        return planes[:, :, rows[:, None], columns]
    values = planes if dtype.is_floating_point else planes.to(torch.float32)
    if interpolation in _RADIUS:
        radius = _RADIUS[interpolation]
        rows, columns = (
            _lanczos(old, new, radius, values, antialias=antialias)
            for old, new in zip(planes.shape[-2:], size, strict=True)
        )
        values = rows @ values @ columns.t()
    else:
        smooth = interpolation in ("bilinear", "bicubic")
        options = {"align_corners": False, "antialias": antialias} if smooth else {}
        values = F.interpolate(values, size, mode=_TORCH[interpolation], **options)
    return values if dtype.is_floating_point else whole(values, dtype)


def whole(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Values rounded to a dtype of whole numbers, at its limits where they lie beyond."""
    limits = torch.iinfo(dtype)
    return values.round().clamp(limits.min, limits.max).to(dtype)


def _nearest(old: int, new: int, like: Tensor) -> Tensor:
    places = (torch.arange(new, dtype=torch.float32, device=like.device) + 0.5) * (old / new)
    return places.to(torch.int64).clamp(max=old - 1)


def _lanczos(old: int, new: int, radius: int, like: Tensor, *, antialias: bool) -> Tensor:
    """The share of each old pixel in each new one, ``(new, old)``: a windowed sinc of `radius` lobes.

    Source: Duchon, 1979, "Lanczos filtering in one and two dimensions".
    """
    step = old / new
    stretch = max(step, 1.0) if antialias else 1.0
    centers = (torch.arange(new, dtype=torch.float32, device=like.device)[:, None] + 0.5) * step - 0.5
    distance = (torch.arange(old, dtype=torch.float32, device=like.device) - centers).abs() / stretch
    shares = torch.sinc(distance) * torch.sinc(distance / radius) * (distance < radius)
    return (shares / shares.sum(1, keepdim=True)).to(like.dtype)
