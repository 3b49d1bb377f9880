"""Images cut at their borders, or with pixels put around them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError, ShapeError
from ramify.graph import is_probing
from ramify.ops.image.layout import channels_last
from ramify.ops.op import op

Tensor = torch.Tensor


def _sides(before: int | None, after: int | None, total: int | None, names: tuple[str, str, str], who: str) -> Any:
    """What changes on the two sides of an axis; one of them may follow from what changes in total."""
    if sum(value is None for value in (before, after, total)) != 1:
        given = ", ".join(f"{name}={value}" for name, value in zip(names, (before, after, total), strict=True))
        raise ArgumentError(f"{who} needs exactly two of {', '.join(names)}, but got {given}.")
    if total is not None:
        before = total - (after or 0) if before is None else before
        after = total - before
    if not is_probing() and min(before or 0, after or 0) < 0:  # a size that is unknown yet may turn out to fit
        raise ShapeError(f"{who} takes no negative amounts, but got {before} and {after}. Give a size that fits.")
    return before, after


@op
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """A part of each image. Of the two croppings and the target size of an axis, exactly two are given.

    Args:
        images: images, with or without a batch axis.
        top_cropping: rows to take away above.
        left_cropping: columns to take away on the left.
        bottom_cropping: rows to take away below.
        right_cropping: columns to take away on the right.
        target_height: rows to keep.
        target_width: columns to keep.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A view of the images.

    Raises:
        ArgumentError: not exactly two per axis.
        ShapeError: more is to be taken away than there is.

    >>> crop_images(torch.ones(8, 9, 3), 1, 2, target_height=4, target_width=4).shape
    torch.Size([4, 4, 3])
    """
    x, back = channels_last(images, data_format, "crop_images")
    rows = None if target_height is None else x.shape[1] - target_height
    columns = None if target_width is None else x.shape[2] - target_width
    names = ("top_cropping", "bottom_cropping", "target_height"), ("left_cropping", "right_cropping", "target_width")
    top, bottom = _sides(top_cropping, bottom_cropping, rows, names[0], "crop_images")
    left, right = _sides(left_cropping, right_cropping, columns, names[1], "crop_images")
    height, width = x.shape[1] - top - bottom, x.shape[2] - left - right
    if height <= 0 or width <= 0:
        raise ShapeError(f"crop_images would leave {height} x {width} pixels of {x.shape[1]} x {x.shape[2]}.")
    return back(x.narrow(1, top, height).narrow(2, left, width))


@op
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Zeros around each image. Of the two paddings and the target size of an axis, exactly two are given.

    Args:
        images: images, with or without a batch axis.
        top_padding: rows to add above.
        left_padding: columns to add on the left.
        bottom_padding: rows to add below.
        right_padding: columns to add on the right.
        target_height: rows to have in the end.
        target_width: columns to have in the end.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when not given.

    Returns:
        A tensor of the dtype of the images.

    Raises:
        ArgumentError: not exactly two per axis.
        ShapeError: the target is smaller than the images.

    >>> pad_images(torch.ones(8, 9, 3), 1, 2, target_height=12, target_width=12).shape
    torch.Size([12, 12, 3])
    """
    x, back = channels_last(images, data_format, "pad_images")
    rows = None if target_height is None else target_height - x.shape[1]
    columns = None if target_width is None else target_width - x.shape[2]
    names = ("top_padding", "bottom_padding", "target_height"), ("left_padding", "right_padding", "target_width")
    top, bottom = _sides(top_padding, bottom_padding, rows, names[0], "pad_images")
    left, right = _sides(left_padding, right_padding, columns, names[1], "pad_images")
    return back(F.pad(x, (0, 0, left, right, top, bottom)))
