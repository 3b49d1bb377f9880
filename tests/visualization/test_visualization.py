"""Pixels of drawn boxes and masks, and what goes to matplotlib."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from ramify import visualization
from ramify.errors import ArgumentError, ShapeError

RED = (255, 0, 0)
BOXES = {"boxes": np.array([[[2, 3, 6, 8], [1, 1, 2, 2]]]), "labels": np.array([[1, -1]])}
IMAGES = np.full((1, 10, 12, 3), 100.0)
MASK = np.zeros((1, 10, 12), dtype="int64")
MASK[0, 0, :3] = [1, 2, 3]
needs_matplotlib = pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is optional")


def test_a_box_is_its_outline():
    drawn = visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=RED, line_thickness=1)
    expected = np.full((10, 12, 3), 100)
    expected[3:9, 2:7] = RED
    expected[4:8, 3:6] = 100
    np.testing.assert_array_equal(drawn[0], expected)
    assert drawn.dtype == np.uint8
    assert IMAGES.max() == 100


def test_layouts_formats_and_thick_lines():
    first = torch.tensor(IMAGES).permute(0, 3, 1, 2)
    relative = {**BOXES, "boxes": torch.tensor(BOXES["boxes"]) / torch.tensor([12, 10, 12, 10])}
    drawn = visualization.draw_bounding_boxes(first, relative, "rel_xyxy", color=RED, data_format="channels_first")
    plain = visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=RED)
    np.testing.assert_array_equal(drawn.transpose(0, 2, 3, 1), plain)
    assert (plain[0, 5] == RED).all(-1).tolist() == [i in (2, 3, 6, 7) for i in range(12)]


def test_boxes_over_the_edge_and_names():
    pytest.importorskip("PIL")
    wide = {"boxes": [[[-5, -5, 30, 30]]], "labels": [[0]], "confidences": [[0.5]]}
    assert (visualization.draw_bounding_boxes(IMAGES, wide, "xyxy") == 100).all()
    images = np.zeros((1, 60, 90, 3))
    boxes = {"boxes": [[[20, 30, 50, 50]]], "labels": [[0]], "confidences": [[0.5]]}
    plain = visualization.draw_bounding_boxes(images, boxes, "xyxy", color=RED)
    named = visualization.draw_bounding_boxes(images, boxes, "xyxy", {0: "cat"}, RED)
    assert named[0, :28].any()
    assert not plain[0, :28].any()


def test_masks_are_blended_in():
    colors = {1: RED, 2: (0, 255, 0), 3: (0, 0, 255)}
    drawn = visualization.draw_segmentation_masks(IMAGES, MASK, color_mapping=colors, alpha=0.4, ignore_index=3)
    assert drawn[0, 0, :4].tolist() == [[162, 60, 60], [60, 162, 60], [100] * 3, [100] * 3]
    alone = visualization.draw_segmentation_masks(IMAGES, MASK[..., None], 4, colors, blend=False)
    assert alone[0, 0, :4].tolist() == [list(RED), [0, 255, 0], [0, 0, 255], [100] * 3]
    first = visualization.draw_segmentation_masks(
        IMAGES.transpose(0, 3, 1, 2), torch.tensor(MASK), 4, colors, blend=False, data_format="channels_first"
    )
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), alone)
    own = visualization.draw_segmentation_masks(IMAGES, MASK)[0, 0, :4]
    assert len({tuple(pixel) for pixel in own.tolist()}) == 4


@needs_matplotlib
def test_galleries(tmp_path):
    import matplotlib as mpl

    mpl.use("agg")
    images = np.random.default_rng(0).random((5, 8, 8, 1))
    figure = visualization.plot_image_gallery(
        images, [0, 1, 0, 1, 0], torch.tensor([0] * 5), {0: "a", 1: "b"}, cols=2, value_range=(0, 1), show=False
    )
    assert len(figure.axes) == 6
    assert figure.axes[1].get_title() == "true: b\npred: a"
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), (images[0, ..., 0] * 255).round())
    assert visualization.plot_image_gallery(images, path=tmp_path / "gallery.png") is None
    assert (tmp_path / "gallery.png").stat().st_size > 1000
    figure = visualization.plot_bounding_box_gallery(IMAGES, "xyxy", BOXES, BOXES, legend=True, show=False)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["true", "pred"]
    assert tuple(figure.axes[0].images[0].get_array()[3, 3]) == (255, 235, 59)
    figure = visualization.plot_segmentation_mask_gallery(IMAGES, 4, y_true=MASK, y_pred=MASK, show=False)
    assert figure.axes[0].images[0].get_array().shape == (10, 36, 3)


def test_what_cannot_be_is_said():
    draw = visualization.draw_bounding_boxes
    for call, error, says in (
        (lambda: draw(IMAGES[0], BOXES, "xyxy"), ShapeError, "four axes"),
        (lambda: draw(IMAGES, BOXES["boxes"], "xyxy"), ArgumentError, '"boxes" and "labels"'),
        (lambda: visualization.draw_segmentation_masks(IMAGES, MASK * 1.0), ArgumentError, "integers"),
        (lambda: visualization.draw_segmentation_masks(IMAGES, MASK[:, 1:]), ShapeError, "do not fit"),
        (lambda: visualization.draw_segmentation_masks(IMAGES, MASK, 2), ArgumentError, r"\[2, 3\]"),
        (lambda: visualization.draw_segmentation_masks(IMAGES, MASK, alpha=2), ArgumentError, "from 0 to 1"),
        (lambda: visualization.plot_image_gallery(IMAGES, path="x", show=True), ArgumentError, "not both"),
        (lambda: visualization.plot_image_gallery(IMAGES, [1]), ArgumentError, "label_map"),
        (lambda: visualization.plot_image_gallery(IMAGES, value_range=(1, 0)), ArgumentError, "value_range"),
        (
            lambda: visualization.plot_bounding_box_gallery(IMAGES, "xyxy", legend=True, legend_handles=[]),
            ArgumentError,
            "not both",
        ),
    ):
        with pytest.raises(error, match=says):
            call()
