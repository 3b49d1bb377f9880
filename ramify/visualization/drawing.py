"""Boxes and masks drawn into images."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.image_format import checked_data_format
from ramify.utils.bounding_boxes import convert_format

Array = np.ndarray[Any, Any]
Color = Sequence[int]


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Color = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> Array:
    """Images with the outlines of boxes, and where names are given, with these and how sure a model is.

    Args:
        images: ``(batch, height, width, 3)`` from 0 to 255, or ``(batch, 3, height, width)``; numbers of any dtype.
        bounding_boxes: a dict of ``"boxes"`` ``(batch, n, 4)``, ``"labels"`` ``(batch, n)`` and, if wanted,
            ``"confidences"`` ``(batch, n)``. Boxes with the label -1 are not drawn.
        bounding_box_format: see `ramify.utils.bounding_boxes.convert_format`.
        class_mapping: label -> name to write at the box; needs Pillow.
        color: red, green, blue, from 0 to 255.
        line_thickness: of the outlines, in pixels; they lie on both sides of the box's edge.
        text_thickness: of the letters; 1 is plain.
        font_scale: size of the letters; 1 is 12 pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        Array of the shape and the layout of `images`, uint8.

    Raises:
        ShapeError: images of another rank.
        ArgumentError: no dict of boxes and labels, or an unknown format.
        ImportError: names are to be written without Pillow.

    Example:

    >>> boxes = {"boxes": [[[2, 2, 6, 6]]], "labels": [[0]]}
    >>> drawn = draw_bounding_boxes(np.zeros((1, 9, 9, 3)), boxes, "xyxy", color=(255, 0, 0), line_thickness=1)
    >>> int((drawn[0, :, :, 0] == 255).sum())
    16
    """
    pixels, channels_first = pixels_of(images, data_format, "draw_bounding_boxes")
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ArgumentError('draw_bounding_boxes takes a dict with "boxes" and "labels".')
    height, width = pixels.shape[1:3]
    boxes = convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width).cpu().numpy()
    labels = as_array(bounding_boxes["labels"])
    sure = bounding_boxes.get("confidences")
    sure = None if sure is None else as_array(sure)
    drawn = pixels.clip(0, 255).astype("uint8")
    for i, image in enumerate(drawn):
        for j in np.flatnonzero(labels[i] != -1):
            corners = boxes[i, j].round().astype(int)
            _outline(image, corners, color, line_thickness)
            label = int(labels[i, j])
            if class_mapping is not None and label in class_mapping:
                text = class_mapping[label] if sure is None else f"{class_mapping[label]} | {sure[i, j]:.2f}"
                _write(image, text, corners, color, font_scale, text_thickness)
    return drawn.transpose(0, 3, 1, 2) if channels_first else drawn


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Color] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> Array:
    """Images with the classes of their pixels in colors.

    Args:
        images: ``(batch, height, width, 3)`` from 0 to 255, or ``(batch, 3, height, width)``; numbers of any dtype.
        segmentation_masks: integers ``(batch, height, width)`` or ``(batch, height, width, 1)``; 0 is background, which
            is not drawn.
        num_classes: number of classes, background included; as many as the masks have when ``None``.
        color_mapping: class -> red, green, blue; colors around the color wheel when ``None``.
        alpha: how far the colors cover the image, from 0 to 1.
        blend: false draws the colors alone.
        ignore_index: a further class that is not drawn.
        data_format: ``"channels_last"`` or ``"channels_first"``, of the images.

    Returns:
        Array of the shape and the layout of `images`, uint8.

    Raises:
        ShapeError: images or masks of another shape.
        ArgumentError: masks that are not of integers, an alpha out of its range, or classes without a color.

    Example:

    >>> drawn = draw_segmentation_masks(np.zeros((1, 1, 2, 3)), np.array([[[0, 1]]]), color_mapping={1: (255, 0, 0)})
    >>> drawn[0, 0].tolist()
    [[0, 0, 0], [204, 0, 0]]
    """
    pixels, channels_first = pixels_of(images, data_format, "draw_segmentation_masks")
    masks = as_array(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise ArgumentError(f"draw_segmentation_masks takes masks of integers, but got {masks.dtype}. Convert them.")
    if masks.ndim == 4:
        masks = masks[:, 0] if channels_first and masks.shape[1] == 1 else masks[..., 0]
    if masks.shape != pixels.shape[:3]:
        raise ShapeError(f"Masks of shape {masks.shape} do not fit images of shape {pixels.shape}.")
    if not 0 <= alpha <= 1:
        raise ArgumentError(f"draw_segmentation_masks takes an alpha from 0 to 1, but got {alpha}.")
    shown = (masks > 0) & (masks != ignore_index)
    classes = np.unique(masks[shown]).tolist()
    count = num_classes or max(classes, default=0) + 1
    colors = color_mapping if color_mapping is not None else palette(count)
    without = [number for number in classes if number not in colors]
    if without:
        raise ArgumentError(
            f"The masks have the classes {without}, which have no color. Raise num_classes, or add them."
        )
    drawn = pixels.clip(0, 255).astype("float32")
    share = alpha if blend else 1.0
    for number in classes:
        here = shown & (masks == number)
        drawn[here] = drawn[here] * (1 - share) + np.asarray(colors[number], dtype="float32") * share
    result = drawn.round().astype("uint8")
    return result.transpose(0, 3, 1, 2) if channels_first else result


def palette(count: int) -> dict[int, tuple[int, int, int]]:
    """A color for each class from 1 to ``count - 1``, far apart for neighbors.

    >>> palette(2)
    {1: (230, 46, 46)}
    """
    golden = 0.618033988749895  # steps of the golden ratio never come close to an earlier one soon
    hues = ((number - 1) * golden % 1 for number in range(1, count))
    colors = [[round(part * 255) for part in colorsys.hsv_to_rgb(hue, 0.8, 0.9)] for hue in hues]
    return {number: (red, green, blue) for number, (red, green, blue) in enumerate(colors, 1)}


def as_array(value: Any) -> Array:
    """A tensor or list as an array."""
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def pixels_of(images: Any, data_format: str | None, who: str) -> tuple[Array, bool]:
    """Images with the channels last, and whether they came with the channels first.

    Raises:
        ShapeError: they have another rank.
    """
    pixels = as_array(images)
    first = checked_data_format(data_format, who) == "channels_first"
    if pixels.ndim != 4:
        raise ShapeError(f"{who} takes images of four axes, (batch, height, width, channels), but got {pixels.shape}.")
    return pixels.transpose(0, 2, 3, 1) if first else pixels, first


def _outline(image: Array, corners: Array, color: Color, thickness: int) -> None:
    left, top, right, bottom = corners.tolist()
    before = (thickness - 1) // 2
    after = thickness - before

    def fill(x1: int, y1: int, x2: int, y2: int) -> None:
        image[max(y1 - before, 0) : max(y2 + after, 0), max(x1 - before, 0) : max(x2 + after, 0)] = color

    fill(left, top, right, top)
    fill(left, bottom, right, bottom)
    fill(left, top, left, bottom)
    fill(right, top, right, bottom)


def _write(image: Array, text: str, corners: Array, color: Color, scale: float, thickness: int) -> None:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ImportError("Names of boxes are written by Pillow. Install it with `pip install pillow`.") from error
    picture = Image.fromarray(image)
    size = 12 * scale
    place = (int(corners[0]), max(int(corners[1] - size - 4), 0))
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text(place, text, fill=tuple(color), font=font, stroke_width=max(thickness - 1, 0))
    image[:] = np.asarray(picture)
