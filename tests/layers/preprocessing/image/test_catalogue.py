"""One table pushes every image layer through: modes, dtypes, layouts, seeds, configs, shapes."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import InputError
from ramify.layers.preprocessing import image as family

# name: arguments, whether it acts outside of training, dtype kept for whole numbers
TABLE = {
    "AugMix": ({}, False, False),
    "AutoContrast": ({}, True, False),
    "CenterCrop": ({"height": 6, "width": 5}, True, False),
    "ContrastLimitedAdaptiveHistogramEqualization": ({"tile_grid_size": (2, 3)}, True, True),
    "CutMix": ({}, False, False),
    "Equalization": ({}, False, False),
    "MaxNumBoundingBoxes": ({"max_number": 4}, False, True),
    "MixUp": ({}, False, False),
    "RandAugment": ({}, False, False),
    "RandomBrightness": ({"factor": 0.4}, False, True),
    "RandomColorDegeneration": ({"factor": 0.4}, False, False),
    "RandomColorJitter": (
        {"brightness_factor": 0.2, "contrast_factor": 0.3, "saturation_factor": (0.3, 0.6), "hue_factor": 0.2},
        False,
        False,
    ),
    "RandomContrast": ({"factor": 0.4}, False, False),
    "RandomCrop": ({"height": 6, "width": 5, "seed": 3}, True, False),
    "RandomElasticTransform": ({}, False, False),
    "RandomErasing": ({}, False, False),
    "RandomFlip": ({}, False, False),
    "RandomGaussianBlur": ({}, False, False),
    "RandomGrayscale": ({}, False, True),
    "RandomHue": ({"factor": 0.4}, False, False),
    "RandomInvert": ({}, False, False),
    "RandomPerspective": ({}, False, False),
    "RandomPosterization": ({"factor": 4}, False, False),
    "RandomRotation": ({"factor": 0.2}, False, False),
    "RandomSaturation": ({"factor": 0.4}, False, False),
    "RandomSharpness": ({"factor": 0.4}, False, False),
    "RandomShear": ({"x_factor": 0.4, "y_factor": 0.2}, False, False),
    "RandomTranslation": ({"height_factor": 0.4, "width_factor": 0.2}, False, False),
    "RandomZoom": ({"height_factor": 0.4}, False, False),
    "Resizing": ({"height": 6, "width": 5}, True, True),
    "Solarization": ({"addition_factor": 0.3, "threshold_factor": 0.3}, False, False),
}
NAMES = sorted(TABLE)
RANDOM = [
    name for name in NAMES
    if name.startswith("Rand") or name in ("AugMix", "CutMix", "MixUp", "Solarization")
]  # fmt: skip


def make(name, **extra):
    return getattr(family, name)(**{**TABLE[name][0], **extra})


def pictures(count=3, height=12, width=10):
    return torch.rand(count, height, width, 3) * 255


def test_the_table_is_whole():
    assert sorted(family.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_shapes_dtypes_and_range(name):
    layer = make(name)
    for dtype in (torch.float32, torch.uint8):
        x = pictures().to(dtype)
        for training in (True, False):
            y = layer(x, training=training)
            assert y.dtype == (dtype if TABLE[name][2] else torch.float32)
            assert y.shape == (3, 6, 5, 3) if "height" in TABLE[name][0] else y.shape == x.shape
            assert torch.isfinite(y.float()).all()
            assert y.min() >= -1e-3
            assert y.max() <= 255 + 1e-3
            assert layer(x[0], training=training).shape == y.shape[1:]


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_is_real(name):
    x = pictures()
    for shape in ((12, 10, 3), (None, None, 3)):
        for dtype in ("float32", "uint8"):
            symbolic = ramify.Input(shape, dtype=dtype)
            y = make(name)(symbolic)
            real = make(name)(x.to(getattr(torch, dtype)))
            assert y.dtype == real.dtype
            assert all(a in (None, b) for a, b in zip(y.shape, real.shape, strict=True))
            if None not in shape:
                assert y.shape == (None, *real.shape[1:])
            model = ramify.Model(symbolic, y)
            assert model(x.to(getattr(torch, dtype))).shape == real.shape


@pytest.mark.parametrize("name", NAMES)
def test_idle_outside_of_training(name):
    x = pictures()
    layer = make(name)
    if TABLE[name][1]:
        assert torch.equal(layer(x, training=False), layer(x, training=False))
    else:
        assert torch.equal(layer(x, training=False), x)
        symbolic = ramify.Input((12, 10, 3))
        model = ramify.Model(symbolic, make(name)(symbolic))
        assert np.array_equal(model.predict(x.numpy(), verbose=0), x.numpy())
        assert torch.equal(make(name).eval()(x), x)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - {"RandomCrop"}))
def test_by_itself_it_augments(name):
    torch.manual_seed(1)
    x, layer = pictures(), make(name)
    assert any(not torch.equal(layer(x), x) for _ in range(20))


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    x = pictures()
    first, second = make(name, seed=11), make(name, seed=11)
    draws = [first(x) for _ in range(4)]
    assert all(torch.equal(a, second(x)) for a in draws)
    assert any(not torch.equal(draws[0], other) for other in draws[1:])
    torch.manual_seed(5)
    free = make(name, seed=None)(x)
    torch.manual_seed(5)
    assert torch.equal(free, make(name, seed=None)(x))


@pytest.mark.parametrize("name", NAMES)
def test_layouts_agree(name):
    x = pictures()
    extra = {"seed": 7} if name in RANDOM else {}
    if name == "RandomErasing":
        extra["fill_value"] = 9.0  # the noise has the layout of the images
    last = make(name, **extra)(x)
    first = make(name, data_format="channels_first", **extra)(x.permute(0, 3, 1, 2).contiguous())
    torch.testing.assert_close(first.permute(0, 2, 3, 1), last, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_config(name):
    theirs = getattr(keras.layers, name)(**TABLE[name][0]).get_config()
    layer = make(name)
    ours = layer.get_config()
    for config in (theirs, ours):
        del config["name"]
    assert json.loads(json.dumps(theirs)) == json.loads(json.dumps(ours))
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"MixUp", "CutMix"}))
def test_an_image_does_not_depend_on_its_neighbours(name):
    x = pictures(4)
    layer = make(name, **({"seed": 2} if name in RANDOM else {}))
    if name == "RandomErasing":
        layer.fill_value = 0.0
    drawn = layer.get_random_transformation(x, training=True)
    changed = x.clone()
    changed[1:] = 255 - changed[1:]
    torch.testing.assert_close(
        layer.transform_images(x, drawn)[0], layer.transform_images(changed, drawn)[0], rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16(name):
    y = make(name, dtype="bfloat16")(pictures())
    assert y.dtype == torch.bfloat16
    assert torch.isfinite(y).all()


@pytest.mark.parametrize("name", NAMES)
def test_dicts(name):
    data = {"images": pictures(), "labels": torch.eye(3), "segmentation_masks": torch.randint(0, 4, (3, 12, 10, 1))}
    out = make(name)(data, training=True)
    assert set(out) == set(data)
    assert out["labels"].shape == (3, 3)
    assert out["segmentation_masks"].shape[:3] == out["images"].shape[:3]
    torch.testing.assert_close(out["labels"].sum(1), torch.ones(3))
    single = make(name)({"images": pictures()[0], "labels": torch.ones(3)}, training=True)
    assert single["images"].ndim == 3
    assert single["labels"].shape == (3,)


@pytest.mark.parametrize(
    "name",
    [n for n in NAMES if n.startswith(("RandomFlip", "RandomRot", "RandomTr", "RandomZ", "RandomSh", "RandomP"))],
)
def test_masks_move_with_images(name):
    if "Sharp" in name or "Poster" in name:
        return
    mask = torch.randint(0, 2, (8, 12, 10, 1))
    image = mask.float()
    extra = {} if name == "RandomFlip" else {"interpolation": "nearest"}
    out = make(name, **extra)({"images": image, "segmentation_masks": mask}, training=True)
    assert out["segmentation_masks"].dtype == mask.dtype
    torch.testing.assert_close(out["images"], out["segmentation_masks"].float())


@pytest.mark.parametrize("name", ["RandomHue", "RandomSaturation", "RandomGrayscale", "RandomColorDegeneration"])
def test_colours_need_three_channels(name):
    with pytest.raises(ramify.errors.ShapeError, match="3 channels"):
        make(name)(torch.rand(2, 4, 4, 1), training=True)


def test_what_is_no_image():
    with pytest.raises(InputError, match="3 axes"):
        family.RandomFlip()(torch.rand(4, 4))
