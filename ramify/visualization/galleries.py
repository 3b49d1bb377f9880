"""Many images in one figure, drawn by matplotlib."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ramify.errors import ArgumentError
from ramify.visualization.drawing import (
    Array,
    Color,
    as_array,
    draw_bounding_boxes,
    draw_segmentation_masks,
    pixels_of,
)


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[Any, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: str | os.PathLike[str] | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> Any:
    """Images side by side, with the classes that they have and those that a model gives them.

    Args:
        images: ``(batch, height, width, channels)`` or ``(batch, channels, height, width)``.
        y_true: class of each image, ``(batch,)``.
        y_pred: predicted class of each image, ``(batch,)``.
        label_map: class -> name; needed for `y_true` and `y_pred`.
        rows: rows of the gallery; as many as are needed when ``None``.
        cols: columns of the gallery; about as many as rows when both are ``None``.
        value_range: least and greatest value of a pixel.
        scale: size of an image in inches.
        path: file to write the figure to, in place of showing it.
        show: whether to show the figure; true unless there is a `path`.
        transparent: whether the file has a transparent background.
        dpi: dots per inch of the file.
        legend_handles: matplotlib patches for a legend.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        The matplotlib figure; ``None`` where it was shown or written.

    Raises:
        ImportError: matplotlib is not installed.
        ShapeError: images of another rank.
        ArgumentError: both `path` and `show`, or classes without `label_map`.
    """
    if path is not None and show:
        raise ArgumentError("plot_image_gallery writes to `path` or shows the figure, not both. Leave one of them out.")
    if label_map is None and (y_true is not None or y_pred is not None):
        raise ArgumentError("plot_image_gallery needs a label_map, class -> name, for y_true and y_pred.")
    pixels = _shown(images, value_range, data_format)
    count = len(pixels)
    if cols is None:
        cols = math.ceil(count / rows) if rows else math.ceil(math.sqrt(count))
    rows = rows or math.ceil(count / cols)
    plt = _matplotlib()
    figure, axes = plt.subplots(rows, cols, figsize=(cols * scale, rows * scale), squeeze=False, layout="tight")
    for axis in axes.flat:
        axis.axis("off")
    for i, axis in zip(range(count), axes.flat, strict=False):
        axis.imshow(pixels[i].squeeze(-1) if pixels.shape[-1] == 1 else pixels[i], cmap="gray", vmin=0, vmax=255)
        named = {"true": y_true, "pred": y_pred}
        lines = [f"{what}: {(label_map or {})[_key(y[i])]}" for what, y in named.items() if y is not None]
        if lines:
            axis.set_title("\n".join(lines), fontsize=8)
    if legend_handles is not None:
        figure.legend(handles=list(legend_handles), loc="lower center")
    if path is not None:
        figure.savefig(path, transparent=transparent, dpi=dpi)
    elif show is None or show:
        plt.show()
    else:
        plt.close(figure)  # out of pyplot's list; the figure itself lives on
        return figure
    plt.close(figure)
    return None


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Color = (0, 188, 212),
    pred_color: Color = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> Any:
    """Images side by side, with the boxes that are in them and those that a model finds.

    Args:
        images: as in `plot_image_gallery`.
        bounding_box_format: see `ramify.utils.bounding_boxes.convert_format`.
        y_true: boxes, as in `draw_bounding_boxes`.
        y_pred: boxes that a model found.
        value_range: least and greatest value of a pixel.
        true_color: red, green, blue.
        pred_color: red, green, blue.
        line_thickness: of the outlines, in pixels.
        font_scale: size of the letters; 1 is 12 pixels.
        text_thickness: of the letters; `line_thickness` when ``None``.
        class_mapping: label -> name.
        ground_truth_mapping: that of `y_true`, where it is another one.
        prediction_mapping: that of `y_pred`, where it is another one.
        legend: whether to say what the colors mean.
        legend_handles: matplotlib patches for another legend.
        rows: as in `plot_image_gallery`.
        cols: as in `plot_image_gallery`.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: go to `plot_image_gallery`.

    Returns:
        As `plot_image_gallery`.

    Raises:
        ArgumentError: both `legend` and `legend_handles`; what `draw_bounding_boxes` refuses.
        ImportError: matplotlib is not installed.
    """
    if legend and legend_handles is not None:
        raise ArgumentError("plot_bounding_box_gallery takes `legend` or `legend_handles`, not both.")
    pixels = _shown(images, value_range, data_format)
    thickness = line_thickness if text_thickness is None else text_thickness
    drawings = (
        (y_true, true_color, ground_truth_mapping),
        (y_pred, pred_color, prediction_mapping),
    )
    for boxes, color, mapping in drawings:
        if boxes is not None:
            names = mapping if mapping is not None else class_mapping
            look: tuple[Any, ...] = (names, color, line_thickness, thickness, font_scale, "channels_last")
            pixels = draw_bounding_boxes(pixels, boxes, bounding_box_format, *look)
    if legend:
        legend_handles = _patches({"true": true_color, "pred": pred_color})
    layout: dict[str, Any] = {
        "rows": rows,
        "cols": cols,
        "legend_handles": legend_handles,
        "data_format": "channels_last",
    }
    return plot_image_gallery(pixels, **layout, **kwargs)


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Color] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> Any:
    """Images side by side with their masks: each image, and next to it that with the true and the predicted classes.

    Args:
        images: as in `plot_image_gallery`.
        num_classes: number of classes, background included.
        value_range: least and greatest value of a pixel.
        y_true: masks, as in `draw_segmentation_masks`.
        y_pred: masks that a model made.
        color_mapping: class -> red, green, blue.
        blend: false draws the colors alone.
        alpha: how far the colors cover the image, from 0 to 1.
        ignore_index: a class that is not drawn.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: go to `plot_image_gallery`.

    Returns:
        As `plot_image_gallery`.

    Raises:
        ArgumentError: what `draw_segmentation_masks` refuses.
        ImportError: matplotlib is not installed.
    """
    pixels = _shown(images, value_range, data_format)
    look: tuple[Any, ...] = (num_classes, color_mapping, alpha, blend, ignore_index, "channels_last")
    masks = [mask for mask in (y_true, y_pred) if mask is not None]
    columns = [pixels, *(draw_segmentation_masks(pixels, mask, *look) for mask in masks)]
    joined = np.concatenate(columns, axis=2)
    return plot_image_gallery(joined, data_format="channels_last", **kwargs)


def _shown(images: Any, value_range: tuple[float, float], data_format: str | None) -> Array:
    """Pixels from 0 to 255 with the channels last, uint8."""
    pixels, _ = pixels_of(images, data_format, "A gallery")
    low, high = value_range
    if not low < high:
        raise ArgumentError(f"A gallery takes a value_range (least, greatest), but got {value_range}.")
    scaled = (pixels.astype("float32") - low) * (255 / (high - low))
    return scaled.round().clip(0, 255).astype("uint8")


def _key(label: Any) -> Any:
    value = as_array(label)
    return value.item() if value.ndim == 0 else int(value.argmax())


def _patches(colors: Mapping[str, Color]) -> list[Any]:
    _matplotlib()
    from matplotlib.patches import Patch

    return [Patch(color=[part / 255 for part in color], label=name) for name, color in colors.items()]


def _matplotlib() -> Any:
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError("Galleries are drawn by matplotlib. Install it with `pip install matplotlib`.") from error
    return plt
