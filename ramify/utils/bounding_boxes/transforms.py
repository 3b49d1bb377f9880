"""What becomes of boxes when their image is cut, padded or moved."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.image_format import checked_choice
from ramify.losses.tensors import as_tensor
from ramify.utils.bounding_boxes.formats import FORMATS, boxes_of, from_xyxy, to_xyxy

Tensor = torch.Tensor


def clip_to_image_size(
    bounding_boxes: dict[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Cut off what lies outside the image; boxes of which nothing is left get the label -1.

    Args:
        bounding_boxes: a dict of ``"boxes"``, ``(n, 4)`` or ``(batch, n, 4)``, and ``"labels"``, ``(n,)`` or
            ``(batch, n)``; what else it has is kept.
        height: of the image in pixels; not needed for relative formats.
        width: likewise.
        bounding_box_format: see `convert_format`.

    Returns:
        A new dict.

    Raises:
        ArgumentError: no dict of boxes and labels, or no size for a format in pixels.

    Example:

    >>> boxes = {"boxes": [[-5, 0, 10, 200], [150, 0, 160, 9]], "labels": [3, 4]}
    >>> clipped = clip_to_image_size(boxes, height=100, width=100)
    >>> clipped["boxes"].tolist(), clipped["labels"].tolist()
    ([[0.0, 0.0, 10.0, 100.0], [100.0, 0.0, 100.0, 9.0]], [3.0, -1.0])
    """
    if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ArgumentError('clip_to_image_size takes a dict with "boxes" and "labels".')
    name = checked_choice(bounding_box_format, FORMATS, "clip_to_image_size: bounding_box_format")
    if name.startswith("rel"):
        height = width = 1
    elif height is None or width is None:
        raise ArgumentError(f"clip_to_image_size needs height and width for boxes in the format {name!r}.")
    boxes = boxes_of(bounding_boxes["boxes"], "clip_to_image_size")
    clipped = _within(to_xyxy(boxes, name, height, width), height, width)
    labels = as_tensor(bounding_boxes["labels"])
    gone = (clipped[..., 2:] <= clipped[..., :2]).any(-1)
    return {
        **bounding_boxes,
        "boxes": from_xyxy(clipped, name, height, width),
        "labels": torch.where(gone, torch.full_like(labels, -1), labels),
    }


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Tensor:
    """The boxes in a piece that is cut out of the image, counted from its corner and clipped to it.

    Args:
        boxes: ``(n, 4)`` or ``(batch, n, 4)``.
        top: first row of the piece.
        left: first column of the piece.
        height: of the piece.
        width: of the piece.
        bounding_box_format: see `convert_format`; in pixels.

    Returns:
        Tensor of the shape of `boxes`.

    Raises:
        ArgumentError: a relative format: the size of the whole image is not known here.

    Example:

    >>> crop([[10, 20, 50, 60]], top=10, left=20, height=40, width=30)
    tensor([[ 0., 10., 30., 40.]])
    """
    name = _in_pixels(bounding_box_format, "crop")
    moved = _shifted(to_xyxy(boxes_of(boxes, "crop"), name), -as_tensor(left), -as_tensor(top))
    return from_xyxy(_within(moved, height, width), name)


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The boxes in an image that got rows above and columns to the left.

    Args:
        boxes: ``(n, 4)`` or ``(batch, n, 4)``.
        top: how many rows are added above.
        left: how many columns are added on the left.
        height: of the image; not used, boxes in pixels do not depend on it.
        width: likewise.
        bounding_box_format: see `convert_format`; in pixels.

    Returns:
        Tensor of the shape of `boxes`.

    Raises:
        ArgumentError: a relative format.

    Example:

    >>> pad([[10, 20, 50, 60]], top=1, left=2)
    tensor([[12., 21., 52., 61.]])
    """
    del height, width
    name = _in_pixels(bounding_box_format, "pad")
    return from_xyxy(_shifted(to_xyxy(boxes_of(boxes, "pad"), name), as_tensor(left), as_tensor(top)), name)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: int,
    width: int,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The upright boxes around the given ones after these were moved, rotated, scaled and sheared.

    A point p goes to ``c + scale * A (p - c + t)``: the translation t comes first, A rotates about the center c and
    shears. All but `boxes` and the size are numbers, or one for each image, ``(batch,)``.

    Args:
        boxes: ``(n, 4)`` or ``(batch, n, 4)``.
        angle: in degrees, counterclockwise as one looks at the image.
        translate_x: to the right, as a share of ``width - 1``.
        translate_y: downwards, as a share of ``height - 1``.
        scale: factor.
        shear_x: how far rows slide along x, in degrees.
        shear_y: how far columns slide along y, in degrees.
        height: of the image in pixels.
        width: of the image in pixels.
        center_x: what stays in place, as a share of ``width - 1``; the middle when ``None``.
        center_y: as a share of ``height - 1``.
        bounding_box_format: see `convert_format`.

    Returns:
        Tensor of the shape of `boxes` (of ``(batch, n, 4)`` where a number per image is given).

    Raises:
        ArgumentError: an unknown format.

    Example:

    >>> affine_transform([[0, 0, 10, 10]], 0, 0.1, 0, 1, 0, 0, height=101, width=101)
    tensor([[10.,  0., 20., 10.]])
    """
    name = checked_choice(bounding_box_format, FORMATS, "affine_transform: bounding_box_format")
    given = boxes_of(boxes, "affine_transform")
    given = given if given.is_floating_point() else given.to(torch.float32)
    corners = to_xyxy(given, name, height, width)

    def number(value: Any) -> Tensor:
        """Of shape (), or (batch, 1, 1) to stand before boxes and their corners."""
        value = as_tensor(value, given.dtype, given.device)
        return value.reshape(-1, 1, 1) if value.ndim else value

    turn = torch.deg2rad(number(angle))
    slide_x, slide_y = torch.tan(torch.deg2rad(number(shear_x))), torch.tan(torch.deg2rad(number(shear_y)))
    cos, sin = torch.cos(turn), torch.sin(turn)
    below = (slide_y * cos - sin, slide_y * sin + cos)
    right = (cos - slide_x * below[0], sin + slide_x * below[1])  # this minus is Keras's, which has no plain reading
    middle_x = number(0.5 if center_x is None else center_x) * (width - 1)
    middle_y = number(0.5 if center_y is None else center_y) * (height - 1)
    x = corners[..., [0, 2, 2, 0]] - middle_x + number(translate_x) * (width - 1)
    y = corners[..., [1, 1, 3, 3]] - middle_y + number(translate_y) * (height - 1)
    new_x = middle_x + number(scale) * (right[0] * x + right[1] * y)
    new_y = middle_y + number(scale) * (below[0] * x + below[1] * y)
    around = torch.stack([new_x.amin(-1), new_y.amin(-1), new_x.amax(-1), new_y.amax(-1)], -1)
    return from_xyxy(around, name, height, width)


def _in_pixels(name: str, who: str) -> str:
    name = checked_choice(name, FORMATS, f"{who}: bounding_box_format")
    if name.startswith("rel"):
        raise ArgumentError(
            f"{who} takes boxes in pixels, but bounding_box_format={name!r} is relative to an image that changes. "
            "Convert them with `convert_format` first."
        )
    return name


def _shifted(corners: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """The corners, moved by numbers of pixels (or one for each image)."""
    offset = torch.stack(torch.broadcast_tensors(right, down), -1).repeat_interleave(2, -1)[..., [0, 2, 1, 3]]
    offset = offset.to(corners.device, corners.dtype)
    return corners + (offset.unsqueeze(-2) if offset.ndim > 1 else offset)


def _within(corners: Tensor, height: Any, width: Any) -> Tensor:
    """The corners, none of them outside an image (or one for each in the batch)."""
    rows, columns = (as_tensor(size, corners.dtype, corners.device) for size in (height, width))
    most = torch.stack(torch.broadcast_tensors(columns, rows, columns, rows), -1)
    most = most.unsqueeze(-2) if most.ndim > 1 else most
    return torch.minimum(corners.clamp_min(0), most)
