"""Boxes as Keras has them, and in the formats that it does not take."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.utils import bounding_boxes as ours
from ramify.utils.bounding_boxes.formats import FORMATS

theirs = keras.utils.bounding_boxes
KERAS_FORMATS = [name for name in FORMATS if name != "rel_center_yxhw"]
BOXES = np.array([[10, 20, 50, 60], [70, 80, 100, 120], [5, 5, 6, 90]], dtype="float32")
SHAPE = (200, 150, 3)
SIZE = {"height": 200, "width": 150}


def near(got, expected, tolerance=1e-4):
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance, check_dtype=True)


def written(name, boxes=BOXES):
    return ours.convert_format(boxes, "xyxy", name, **SIZE)


@pytest.mark.parametrize("source", KERAS_FORMATS)
@pytest.mark.parametrize("target", KERAS_FORMATS)
def test_every_format_to_every_other_is_as_in_keras(source, target):
    boxes = written(source)
    near(
        ours.convert_format(boxes, source.upper(), target, **SIZE), theirs.convert_format(boxes, source, target, **SIZE)
    )


def test_one_size_for_each_image_and_the_format_that_keras_lacks():
    boxes = torch.tensor(BOXES).expand(2, 3, 4)
    relative = ours.convert_format(
        boxes, "xyxy", "rel_center_yxhw", torch.tensor([100.0, 200.0]), torch.tensor([50, 25])
    )
    near(relative[1, 0], torch.tensor([40 / 200, 30 / 25, 40 / 200, 40 / 25]))
    near(ours.convert_format(relative[1], "rel_center_yxhw", "xyxy", 200, 25), boxes[1])
    assert (
        ours.convert_format({"boxes": boxes, "labels": 7}, "xyxy", "xywh", dtype="float16")["boxes"].dtype
        == torch.float16
    )


@pytest.mark.parametrize("name", KERAS_FORMATS)
@pytest.mark.parametrize("batched", [(), (0,), (1,), (0, 1)])
def test_overlaps_of_all_pairs(name, batched):
    others = BOXES[:2] + 5
    first, second = written(name), written(name, others)
    expected = theirs.compute_iou(first, second, name, image_shape=SHAPE)
    first, second = (x[None] if i in batched else x for i, x in enumerate((first, second)))
    got = ours.compute_iou(first, second, name, image_shape=SHAPE)
    near(got, expected[None] if batched else expected)


@pytest.mark.parametrize("name", [name for name in KERAS_FORMATS if not name.startswith("rel")])
def test_complete_overlap(name):
    first, second = written(name), written(name, BOXES[::-1].copy() + 4)
    near(ours.compute_ciou(first, second, name), theirs.compute_ciou(first, second, name))
    relative = [ours.convert_format(x, name, f"rel_{name}", **SIZE) for x in (first, second)]
    near(ours.compute_ciou(*relative, f"rel_{name}", SHAPE), ours.compute_ciou(first, second, name))


def test_masked_pairs_and_boxes_without_area():
    filled = np.array([[10, 20, 50, 60], [-1, -1, -1, -1]], dtype="float32")
    for pair in ((filled, BOXES), (BOXES, filled)):
        near(ours.compute_iou(*pair, "xyxy", True, -5), theirs.compute_iou(*pair, "xyxy", True, -5))
    assert ours.compute_iou(BOXES * 0, BOXES * 0, "xyxy").abs().max() == 0
    assert ours.compute_ciou(BOXES * 0, BOXES * 0, "xyxy").abs().max() == 0


@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.3]])
@pytest.mark.parametrize("name", ["xyxy", "rel_yxyx"])
def test_deltas_and_back(encoding, variance, name):
    anchors, boxes = BOXES + 3, written(name)[None]
    arguments = ("xyxy", name, encoding, variance, SHAPE)
    deltas = ours.encode_box_to_deltas(anchors, boxes, *arguments)
    near(deltas, theirs.encode_box_to_deltas(anchors, boxes, *arguments))
    near(ours.decode_deltas_to_boxes(anchors, deltas, *arguments), boxes)
    near(ours.decode_deltas_to_boxes({"p3": anchors}, {"p3": deltas}, *arguments)["p3"], boxes)


def test_empty_boxes_have_deltas():
    near(
        ours.encode_box_to_deltas(BOXES, BOXES * 0, "xyxy", "xyxy"),
        theirs.encode_box_to_deltas(BOXES, BOXES * 0, "xyxy", "xyxy"),
    )


@pytest.mark.parametrize("name", ["xyxy", "rel_xyxy", "center_yxhw"])
def test_clipped_to_the_image(name):
    boxes = np.array([[-10, 20, 500, 60], [160, 80, 170, 120], [1, 2, 3, 4]], dtype="float32")
    labels = np.array([4, 5, 6])
    got = ours.clip_to_image_size(
        {"boxes": written(name, boxes), "labels": labels, "scores": 1}, **SIZE, bounding_box_format=name
    )
    expected = theirs.clip_to_image_size({"boxes": boxes, "labels": labels}, **SIZE)
    near(ours.convert_format(got["boxes"], name, "xyxy", **SIZE), expected["boxes"])
    assert got["labels"].tolist() == expected["labels"].tolist() == [4, -1, 6]
    assert got["scores"] == 1


def test_cropped_and_padded():
    near(ours.crop(BOXES, 10, 20, 40, 30), theirs.crop(BOXES, 10, 20, 40, 30))
    near(ours.pad(BOXES, 10, 20), theirs.pad(BOXES, 10, 20))
    near(
        ours.pad(written("xywh"), 10, 20, bounding_box_format="xywh"),
        written("xywh", BOXES + np.array([20, 10, 20, 10])),
    )
    near(ours.crop(written("xywh"), 10, 20, 40, 30, "xywh"), written("xywh", ours.crop(BOXES, 10, 20, 40, 30)))
    several = ours.crop(np.stack([BOXES] * 2), [0, 10], [0, 20], [200, 40], [200, 30])
    near(several, torch.stack([torch.tensor(BOXES), ours.crop(BOXES, 10, 20, 40, 30)]))


@pytest.mark.parametrize(
    "change",
    [
        {"angle": 30},
        {"shear_x": 10, "shear_y": 20, "translate_x": 0.1},
        {"angle": -70, "scale": 1.5, "shear_x": 7, "shear_y": 11, "translate_x": 0.1, "translate_y": -0.2},
        {"angle": 20, "scale": 0.5, "center_x": 0.3, "center_y": 0.4, "shear_x": 5},
    ],
    ids=str,
)
def test_moved_by_an_affine_map(change):
    numbers = dict.fromkeys(["angle", "translate_x", "translate_y", "shear_x", "shear_y"], 0) | {"scale": 1} | change
    arrays = {name: np.array([number, 0.1], dtype="float32") for name, number in numbers.items()}
    boxes = np.stack([BOXES, BOXES + 1])
    expected = theirs.affine_transform(boxes, **arrays, **SIZE)
    near(ours.affine_transform(boxes, **arrays, **SIZE), expected, 1e-3)
    near(ours.affine_transform(BOXES, **numbers, **SIZE), expected[0], 1e-3)
    relative = ours.affine_transform(written("rel_xywh"), **numbers, **SIZE, bounding_box_format="rel_xywh")
    near(ours.convert_format(relative, "rel_xywh", "xyxy", **SIZE), expected[0], 1e-3)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ours.convert_format(BOXES, "xyxy", "corners"), ArgumentError, "target is one of"),
        (lambda: ours.convert_format(BOXES, "xyxy", "rel_xyxy", 3), ArgumentError, "height=3, width=None"),
        (lambda: ours.convert_format(BOXES[:, :3], "xyxy", "xywh"), ShapeError, r"\(3, 3\)"),
        (lambda: ours.compute_iou(BOXES[0], BOXES, "xyxy"), ShapeError, r"\(batch, n, 4\)"),
        (lambda: ours.compute_ciou(BOXES, BOXES, "rel_xyxy"), ArgumentError, "image_shape"),
        (lambda: ours.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", "xyxy"), ArgumentError, "encoding_format"),
        (
            lambda: ours.decode_deltas_to_boxes(BOXES, BOXES, "xyxy", "xyxy", variance=[1]),
            ArgumentError,
            "four numbers",
        ),
        (lambda: ours.decode_deltas_to_boxes({1: BOXES}, BOXES, "xyxy", "xyxy"), ArgumentError, "two dicts"),
        (lambda: ours.clip_to_image_size(BOXES, 3, 3), ArgumentError, "dict"),
        (lambda: ours.clip_to_image_size({"boxes": BOXES, "labels": [1, 2, 3]}), ArgumentError, "height and width"),
        (lambda: ours.crop(BOXES, 0, 0, 1, 1, "rel_xyxy"), ArgumentError, "relative"),
    ],
)
def test_what_cannot_be_is_said(call, error, says):
    with pytest.raises(error, match=says):
        call()
