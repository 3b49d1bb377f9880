"""How far boxes overlap: `compute_iou` for all pairs, `compute_ciou` box by box."""

from __future__ import annotations

import math
from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ShapeError
from ramify.utils.bounding_boxes.formats import boxes_of, convert_format, image_size, sides

Tensor = torch.Tensor


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Tensor:
    """The area that two boxes share, divided by the area that they cover together, for each pair.

    Args:
        boxes1: ``(m, 4)`` or ``(batch, m, 4)``.
        boxes2: ``(n, 4)`` or ``(batch, n, 4)``.
        bounding_box_format: the format of both; see `convert_format`.
        use_masking: pairs with a box whose corners are all negative (one that fills up a batch) get `mask_val`.
        mask_val: see `use_masking`.
        image_shape: ``(height, width, channels)``, for relative formats.

    Returns:
        ``(m, n)``, or ``(batch, m, n)`` where either is a batch; float32. Boxes without an area give 0.

    Raises:
        ShapeError: boxes of another rank.
        ArgumentError: a relative format without `image_shape`.

    Example:

    >>> compute_iou([[0, 0, 10, 10]], [[0, 0, 10, 5], [20, 20, 30, 30]], "xyxy")
    tensor([[0.5000, 0.0000]])
    """
    height, width = image_size(image_shape, bounding_box_format)
    first, second = (
        convert_format(boxes_of(boxes, "compute_iou"), bounding_box_format, "xyxy", height, width)
        for boxes in (boxes1, boxes2)
    )
    if not {first.ndim, second.ndim} <= {2, 3}:
        raise ShapeError(
            f"compute_iou takes boxes of shape (n, 4) or (batch, n, 4), but got {tuple(first.shape)} and "
            f"{tuple(second.shape)}."
        )
    first, second = first.unsqueeze(-2), second.unsqueeze(-3)
    ious = _iou(first, second)
    if use_masking:
        padding = (first < 0).all(-1) | (second < 0).all(-1)
        ious = ious.masked_fill(padding, mask_val)
    return ious


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Tensor:
    """The overlap of boxes, less what their centers lie apart and their shapes differ ("complete IoU").

    ``iou - d**2 / c**2 - alpha * v`` with the distance d of the centers, the diagonal c of the box around both,
    ``v = 4 / pi**2 * (atan(w1 / h1) - atan(w2 / h2))**2`` and ``alpha = v / (1 - iou + v)`` (Zheng et al.,
    "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression", 2020).

    Args:
        boxes1: ``(..., 4)``.
        boxes2: ``(..., 4)``, of a shape that broadcasts with that of `boxes1`.
        bounding_box_format: the format of both; see `convert_format`.
        image_shape: ``(height, width, channels)``, for relative formats.

    Returns:
        ``(...)``, float32; 1 for equal boxes, less than 0 for boxes far apart.

    Raises:
        ArgumentError: a relative format without `image_shape`.

    Example:

    >>> compute_ciou([[0, 0, 10, 10], [0, 0, 10, 10]], [[0, 0, 10, 10], [10, 0, 20, 10]], "xyxy")
    tensor([ 1.0000, -0.2000])
    """
    height, width = image_size(image_shape, bounding_box_format)
    first, second = (
        convert_format(boxes_of(boxes, "compute_ciou"), bounding_box_format, "xyxy", height, width)
        for boxes in (boxes1, boxes2)
    )
    epsilon = dtypes.epsilon()
    left1, top1, right1, bottom1 = sides(first)
    left2, top2, right2, bottom2 = sides(second)
    around = (torch.maximum(right1, right2) - torch.minimum(left1, left2)).square() + (
        torch.maximum(bottom1, bottom2) - torch.minimum(top1, top2)
    ).square()
    apart = ((left1 + right1 - left2 - right2).square() + (top1 + bottom1 - top2 - bottom2).square()) / 4
    angles = [
        torch.atan((right - left) / (bottom - top + epsilon))
        for left, top, right, bottom in ((left1, top1, right1, bottom1), (left2, top2, right2, bottom2))
    ]
    iou = _iou(first, second)
    shapes = 4 / math.pi**2 * (angles[0] - angles[1]).square()
    weight = shapes / (1 - iou + shapes + epsilon)
    return iou - apart / (around + epsilon) - weight * shapes


def _iou(first: Tensor, second: Tensor) -> Tensor:
    """Of corners that broadcast, ``(..., 4)``; 0 where neither has an area."""
    shared = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(first[..., :2], second[..., :2])
    both = shared.clamp_min(0).prod(-1)
    union = _area(first) + _area(second) - both
    return torch.where(union == 0, 0.0, both / torch.where(union == 0, 1.0, union))


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)
