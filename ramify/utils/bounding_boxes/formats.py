"""The ways to write a box down as four numbers, and `convert_format` between them."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.image_format import checked_choice, image_data_format
from ramify.losses.tensors import as_tensor

Tensor = torch.Tensor
ABSOLUTE = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
FORMATS = (*ABSOLUTE, *(f"rel_{name}" for name in ABSOLUTE))


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: Any = "float32",
) -> Any:
    """Write boxes in another format.

    ======================  ===================================================================
    ``"xyxy"``              left, top, right, bottom, in pixels
    ``"yxyx"``              top, left, bottom, right
    ``"xywh"``              left, top, width, height
    ``"center_xywh"``       middle column, middle row, width, height
    ``"center_yxhw"``       middle row, middle column, height, width
    ``"rel_..."``           any of these as a share of the image: columns from 0 to 1, rows from 0 to 1
    ======================  ===================================================================

    Args:
        boxes: ``(..., 4)``, or a dict with such ``"boxes"``; what else it has is kept.
        source: the format that `boxes` has; case does not matter.
        target: the wanted one.
        height: of the image in pixels, for relative formats; a number or one for each image, ``(batch,)``.
        width: likewise.
        dtype: of the result.

    Returns:
        Tensor of the shape of `boxes`, or a new dict with it.

    Raises:
        ArgumentError: an unknown format, or a relative one without the image's size.
        ShapeError: boxes that are not four numbers.

    Example:

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "xywh")
    tensor([[10., 20., 20., 40.]])
    >>> convert_format([[10, 20, 30, 60]], "xyxy", "rel_yxyx", height=80, width=40)
    tensor([[0.2500, 0.2500, 0.7500, 0.7500]])
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    source = checked_choice(source, FORMATS, "convert_format: source")
    target = checked_choice(target, FORMATS, "convert_format: target")
    values = boxes_of(boxes, "convert_format", dtypes.to_torch(dtype))
    return from_xyxy(to_xyxy(values, source, height, width), target, height, width)


def boxes_of(boxes: Any, who: str, dtype: torch.dtype | None = None) -> Tensor:
    """Boxes as a tensor ``(..., 4)``.

    Raises:
        ShapeError: the last axis is not 4.
    """
    values = as_tensor(boxes, dtype)
    if values.ndim == 0 or values.shape[-1] != 4:
        raise ShapeError(f"{who} takes boxes of shape (..., 4), but got {tuple(values.shape)}.")
    return values


def sides(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The four numbers, ``(...)`` each."""
    first, second, third, fourth = boxes.unbind(-1)
    return first, second, third, fourth


def image_size(image_shape: Any, *formats: str) -> tuple[Any, Any]:
    """Height and width of ``(height, width, channels)``, or of a channels-first shape where that is the default.

    Raises:
        ArgumentError: a relative format without an image shape.
    """
    if image_shape is None:
        if any(str(name).lower().startswith("rel") for name in formats):
            raise ArgumentError(
                f"Boxes in a relative format ({', '.join(formats)}) need the size of the image. "
                "Give image_shape=(height, width, channels)."
            )
        return None, None
    rows = -3 if image_data_format() == "channels_last" else -2
    return image_shape[rows], image_shape[rows + 1]


def to_xyxy(boxes: Tensor, source: str, height: Any = None, width: Any = None) -> Tensor:
    """Boxes of the format `source` as corners in pixels, of the same dtype."""
    kind = source.removeprefix("rel_")
    a, b, c, d = sides(boxes)
    if kind in ("yxyx", "center_yxhw"):
        a, b, c, d = b, a, d, c
    if kind == "xywh":
        c, d = a + c, b + d
    elif kind.startswith("center"):
        a, b, c, d = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    corners = torch.stack([a, b, c, d], -1)
    return corners * _scale(corners, source, height, width) if source.startswith("rel") else corners.to(boxes.dtype)


def from_xyxy(boxes: Tensor, target: str, height: Any = None, width: Any = None) -> Tensor:
    """Boxes given as corners in pixels in the format `target`, of the same dtype."""
    kind = target.removeprefix("rel_")
    corners = boxes / _scale(boxes, target, height, width) if target.startswith("rel") else boxes
    a, b, c, d = sides(corners)
    if kind == "xywh":
        c, d = c - a, d - b
    elif kind.startswith("center"):
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    if kind in ("yxyx", "center_yxhw"):
        a, b, c, d = b, a, d, c
    return torch.stack([a, b, c, d], -1).to(boxes.dtype)


def _scale(boxes: Tensor, name: str, height: Any, width: Any) -> Tensor:
    """Width, height, width, height of the image, to be multiplied with corners."""
    if height is None or width is None:
        raise ArgumentError(
            f"Boxes in the format {name!r} need the size of the image, but got height={height}, width={width}. "
            "Give both, in pixels."
        )
    rows, columns = (torch.as_tensor(size, dtype=boxes.dtype, device=boxes.device) for size in (height, width))
    scale = torch.stack([columns, rows, columns, rows], -1)
    return scale.reshape(-1, *(1,) * (boxes.ndim - 2), 4) if scale.ndim > 1 else scale
