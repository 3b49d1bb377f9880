"""What must hold whatever is drawn: nothing changes at factor 0, everything at factor 1, boxes, wrong arguments."""

from __future__ import annotations

import pytest
import torch

from ramify.errors import ArgumentError
from ramify.layers.preprocessing import image as family

NOTHING = [
    ("RandomRotation", (0.0,)),
    ("RandomTranslation", (0.0, 0.0)),
    ("RandomZoom", (0.0,)),
    ("RandomShear", (0.0, 0.0)),
    ("RandomPerspective", (0.0,)),
    ("RandomContrast", (0.0,)),
    ("RandomBrightness", (0.0,)),
    ("RandomHue", (0.0,)),
    ("RandomSaturation", ((0.5, 0.5),)),
    ("RandomColorJitter", ()),
    ("RandomColorDegeneration", (0.0,)),
    ("RandomGrayscale", (0.0,)),
    ("RandomInvert", (0.0,)),
    ("RandomPosterization", ((8, 8),)),
    ("RandomSharpness", ((0.5, 0.5),)),
    ("RandomGaussianBlur", (0.0,)),
    ("RandomErasing", (0.0,)),
    ("RandomElasticTransform", (0.0,)),
    ("RandomElasticTransform", (1.0, 0.0)),
    ("Solarization", (0.0, (1.0, 1.0))),
]


@pytest.mark.parametrize(("name", "args"), NOTHING)
def test_nothing_changes(name, args):
    x = torch.randint(0, 254, (3, 12, 10, 3)).float()
    layer = getattr(family, name)(*args)
    torch.testing.assert_close(layer(x, training=True), x, rtol=0, atol=1e-3)


def test_invert_and_grey_everything():
    x = torch.rand(3, 4, 4, 3) * 255
    torch.testing.assert_close(family.RandomInvert((1.0, 1.0))(x), 255 - x)
    grey = family.RandomGrayscale(1.0)(x)
    torch.testing.assert_close(grey[..., 0], x @ torch.tensor([0.2989, 0.587, 0.114]), rtol=1e-5, atol=1e-3)
    assert torch.equal(grey[..., 0], grey[..., 2])


def test_each_image_has_a_draw_of_its_own():
    x = torch.rand(1, 12, 10, 3).expand(32, 12, 10, 3) * 255
    for layer in (family.RandomRotation(0.2), family.RandomHue(0.5), family.RandomErasing((1.0, 1.0))):
        assert len({tuple(image.flatten().tolist()) for image in layer(x)}) > 16


def test_erasing_erases_the_share_it_says():
    erased = family.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0.0)(torch.ones(50, 20, 20, 1))
    assert torch.equal((erased == 0).sum((1, 2, 3)), torch.full((50,), 100))


def test_elastic_moves_no_further_than_it_says():
    x = torch.arange(64.0).reshape(1, 1, 64, 1).expand(8, 64, 64, 1)
    layer = family.RandomElasticTransform((1.0, 1.0), (1.0, 1.0), fill_mode="nearest")
    moved = (layer(x) - x).abs()
    assert 0.5 < moved.max() < 0.1 * 64 + 1e-3


def test_saturation_stays_in_range():
    x = torch.rand(8, 4, 4, 3) * 255
    y = family.RandomSaturation((0.9, 1.0))(x)
    assert y.min() >= 0
    assert y.max() <= 255.001


def test_rand_augment_takes_different_ways():
    layer, x = family.RandAugment(num_ops=2), torch.rand(2, 8, 8, 3) * 255
    chosen = [tuple(layer.get_random_transformation(x)["layer_idxes"]) for _ in range(40)]
    assert all(len(set(pair)) == 2 for pair in chosen)
    assert len({i for pair in chosen for i in pair}) > 8


def test_number_of_boxes():
    boxes = {"boxes": torch.rand(2, 5, 4), "labels": torch.randint(0, 9, (2, 5))}
    for number in (3, 8):
        out = family.MaxNumBoundingBoxes(number)({"images": torch.rand(2, 8, 8, 3), "bounding_boxes": boxes})
        kept = out["bounding_boxes"]
        assert kept["boxes"].shape == (2, number, 4)
        assert kept["labels"].shape == (2, number)
        assert torch.equal(kept["labels"][:, :3], boxes["labels"][:, :3])
        assert number < 5 or bool((kept["boxes"][:, 5:] == -1).all())


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("RandomRotation", (1.5,)),
        ("RandomRotation", (0.1, "mirror")),
        ("RandomFlip", ("diagonal",)),
        ("RandomZoom", (-1.0,)),
        ("RandomContrast", ("much",)),
        ("RandomBrightness", (0.1, (255, 0))),
        ("RandomPosterization", (9,)),
        ("RandomGaussianBlur", (1.0, 4)),
        ("RandomGrayscale", (2.0,)),
        ("RandAugment", ((0, 255), 12)),
        ("AugMix", ((0, 255), 0)),
        ("MixUp", (0.0,)),
        ("Equalization", ((0, 255), 1)),
        ("MaxNumBoundingBoxes", (0,)),
    ],
)
def test_wrong_arguments(name, args):
    with pytest.raises(ArgumentError, match=name):
        getattr(family, name)(*args)
