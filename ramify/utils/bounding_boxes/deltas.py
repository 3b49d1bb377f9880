"""Boxes as what a detector predicts: how far, and by which factor, they are off their anchors."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.image_format import checked_choice
from ramify.losses.tensors import as_tensor
from ramify.utils.bounding_boxes.formats import boxes_of, convert_format, image_size

Tensor = torch.Tensor
_CENTERED = ("center_xywh", "center_yxhw")


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Tensor:
    """Boxes relative to anchors: ``(center - anchor center) / anchor size`` and ``log(size / anchor size)``.

    (Ren et al., "Faster R-CNN", 2015, equation 2.)

    Args:
        anchors: ``(n, 4)``.
        boxes: ``(n, 4)`` or ``(batch, n, 4)``.
        anchor_format: the format of `anchors`; see `convert_format`.
        box_format: the format of `boxes`.
        encoding_format: the order of the result, ``"center_yxhw"`` or ``"center_xywh"``.
        variance: four numbers that the result is divided by, or ``None``.
        image_shape: ``(height, width, channels)``, for relative formats.

    Returns:
        Of the shape of `boxes`, float32.

    Raises:
        ArgumentError: another encoding, not four variances, or a relative format without `image_shape`.

    Example:

    >>> encode_box_to_deltas([[0, 0, 10, 10]], [[5, 0, 15, 10]], "xyxy", "xyxy", "center_xywh")
    tensor([[0.5000, 0.0000, 0.0000, 0.0000]])
    """
    encoding = checked_choice(encoding_format, _CENTERED, "encode_box_to_deltas: encoding_format")
    factors = _variance(variance, "encode_box_to_deltas")
    height, width = image_size(image_shape, anchor_format, box_format)
    anchor = convert_format(boxes_of(anchors, "encode_box_to_deltas"), anchor_format, encoding, height, width)
    box = convert_format(boxes_of(boxes, "encode_box_to_deltas"), box_format, encoding, height, width)
    least = dtypes.epsilon()
    anchor_size, size = anchor[..., 2:].clamp_min(least), box[..., 2:].clamp_min(least)
    deltas = torch.cat([(box[..., :2] - anchor[..., :2]) / anchor_size, torch.log(size / anchor_size)], -1)
    return deltas if factors is None else deltas / factors.to(deltas)


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes that `encode_box_to_deltas` was given.

    Args:
        anchors: ``(n, 4)``, or a dict of them, one for each level of a pyramid.
        boxes_delta: ``(n, 4)`` or ``(batch, n, 4)``, or a dict with the keys of `anchors`.
        anchor_format: the format of `anchors`; see `convert_format`.
        box_format: the format of the result.
        encoded_format: the order of `boxes_delta`, ``"center_yxhw"`` or ``"center_xywh"``.
        variance: four numbers that `boxes_delta` is multiplied with, or ``None``.
        image_shape: ``(height, width, channels)``, for relative formats.

    Returns:
        Of the shape (or a dict of the shapes) of `boxes_delta`, float32.

    Raises:
        ArgumentError: another encoding, not four variances, a relative format without `image_shape`, or a dict for one
            argument but not the other.

    Example:

    >>> decode_deltas_to_boxes([[0, 0, 10, 10]], [[0.5, 0, 0, 0]], "xyxy", "xyxy", "center_xywh")
    tensor([[ 5.,  0., 15., 10.]])
    """
    encoded = checked_choice(encoded_format, _CENTERED, "decode_deltas_to_boxes: encoded_format")
    factors = _variance(variance, "decode_deltas_to_boxes")
    height, width = image_size(image_shape, anchor_format, box_format)

    def decode(anchor: Any, delta: Any) -> Any:
        anchor = convert_format(boxes_of(anchor, "decode_deltas_to_boxes"), anchor_format, encoded, height, width)
        delta = boxes_of(delta, "decode_deltas_to_boxes", torch.float32)
        if factors is not None:
            delta = delta * factors.to(delta)
        size = anchor[..., 2:]
        boxes = torch.cat([delta[..., :2] * size + anchor[..., :2], delta[..., 2:].exp() * size], -1)
        return convert_format(boxes, encoded, box_format, height, width)

    levels = [set(value) if isinstance(value, dict) else None for value in (anchors, boxes_delta)]
    if levels[0] != levels[1]:
        raise ArgumentError(
            "decode_deltas_to_boxes takes two tensors, or two dicts with the same keys, but got "
            f"{_said(levels[0])} for anchors and {_said(levels[1])} for boxes_delta."
        )
    if isinstance(anchors, dict):
        return {level: decode(anchors[level], boxes_delta[level]) for level in anchors}
    return decode(anchors, boxes_delta)


def _said(levels: Any) -> str:
    return "a tensor" if levels is None else f"a dict of {sorted(levels, key=str)}"


def _variance(variance: Any, who: str) -> Tensor | None:
    if variance is None:
        return None
    factors = as_tensor(variance, torch.float32)
    if factors.shape[-1:] != (4,):
        raise ArgumentError(f"{who} takes four numbers for variance, but got {variance!r}.")
    return factors
