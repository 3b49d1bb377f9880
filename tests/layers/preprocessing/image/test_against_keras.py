"""Real Keras and we, fed with what Keras drew, make the same images."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from ramify.layers.preprocessing import image as family

MOVING = [
    ("RandomRotation", (0.3,)),
    ("RandomTranslation", (0.9, 0.8)),
    ("RandomZoom", (0.5,)),
    ("RandomZoom", (0.5, (-0.4, 0.9))),
    ("RandomShear", (0.5, 0.9)),
]
COLORED = [
    ("RandomContrast", ((0.3, 0.8),)),
    ("RandomBrightness", (0.6,)),
    ("RandomHue", (0.9,)),
    ("RandomColorDegeneration", (0.9,)),
    ("RandomInvert", ()),
    ("RandomPosterization", (7,)),
    ("RandomSharpness", (0.9,)),
    ("RandomGaussianBlur", ()),
    ("Solarization", (0.3, 0.6)),
]


def both(name, args, x, **options):
    theirs, ours = getattr(keras.layers, name)(*args, **options), getattr(family, name)(*args, **options)
    drawn = theirs.get_random_transformation(x, training=True)
    expected = theirs.transform_images(x.clone(), drawn, training=True)
    return expected, ours.transform_images(x, drawn)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
@pytest.mark.parametrize(("name", "args"), MOVING)
def test_moving(name, args, fill_mode, interpolation):
    x = torch.rand(3, 9, 8, 3)
    options = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.3}
    expected, found = both(name, args, x, **options)
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
@pytest.mark.parametrize(("name", "args"), COLORED)
def test_colours(name, args, value_range, data_format):
    low, high = value_range
    x = torch.rand(4, 9, 8, 3) * (high - low) + low
    if data_format == "channels_first":
        x = x.permute(0, 3, 1, 2).contiguous()
    expected, found = both(name, args, x, value_range=value_range, data_format=data_format)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6 * (high - low))


def test_saturation():
    # Keras takes values to be from 0 to 1, whatever `value_range` says.
    expected, found = both("RandomSaturation", ((0.1, 0.9),), torch.rand(4, 9, 8, 3), value_range=(0, 1))
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_flip(mode):
    expected, found = both("RandomFlip", (mode,), torch.rand(8, 5, 4, 3))
    assert torch.equal(found, expected)


def test_grayscale():
    expected, found = both("RandomGrayscale", (0.5,), torch.rand(8, 5, 4, 3) * 255)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_crop():
    expected, found = both("RandomCrop", (3, 2), torch.rand(8, 5, 4, 3))
    assert torch.equal(found, expected)


def test_perspective():
    expected, found = both("RandomPerspective", (1.0, 0.6), torch.rand(16, 9, 8, 3), fill_value=0.3)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["CutMix", "MixUp"])
def test_mixtures(name):
    x, labels = torch.rand(6, 9, 8, 3), torch.eye(6)
    theirs, ours = getattr(keras.layers, name)(), getattr(family, name)()
    drawn = theirs.get_random_transformation(x, training=True)
    torch.testing.assert_close(ours.transform_images(x, drawn), theirs.transform_images(x, drawn, training=True))
    torch.testing.assert_close(ours.transform_labels(labels, drawn), theirs.transform_labels(labels, drawn))


@pytest.mark.parametrize("fill_value", [None, 3.0])
def test_erasing(fill_value):
    expected, found = both("RandomErasing", (), torch.rand(16, 9, 8, 3) * 255, fill_value=fill_value)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("value_range", [(0, 255), (0, 1), (-1, 1)])
def test_auto_contrast(value_range):
    low, high = value_range
    x = torch.rand(4, 9, 8, 3) * (high - low) * 0.5 + low
    x[0] = low
    expected, found = both("AutoContrast", (), x, value_range=value_range)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6 * (high - low))


@pytest.mark.filterwarnings("ignore:Tensor.T is deprecated")
@pytest.mark.parametrize("bins", [256, 17])
def test_equalization(bins):
    for image in torch.rand(3, 1, 9, 8, 3) * 255:  # one by one: Keras counts a batch together
        expected, found = both("Equalization", (), image, bins=bins)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("clip", [1000.0, 4.0, 1.3])
@pytest.mark.parametrize("grid", [(1, 1), (2, 2), (4, 3), (8, 8)])
@pytest.mark.parametrize("size", [(16, 16), (17, 30), (6, 8)])
def test_clahe(size, grid, clip):
    x = torch.rand(2, *size, 3) * 160 + 50
    name = "ContrastLimitedAdaptiveHistogramEqualization"
    expected, found = both(name, (), x, clip_limit=clip, tile_grid_size=grid)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


RANGES = [
    ("RandomContrast", ((0.1, 0.3),), "contrast_factor"),
    ("RandomBrightness", (0.2,), "rgb_delta"),
    ("RandomHue", (0.2,), "factor"),
    ("RandomSaturation", ((0.1, 0.7),), "factor"),
    ("RandomColorDegeneration", (0.2,), "factor"),
    ("RandomInvert", (0.3,), "apply_inversion"),
    ("RandomPosterization", (4,), "shift_factor"),
    ("RandomPosterization", ((2, 7),), "shift_factor"),
    ("RandomSharpness", (0.2,), "factor"),
    ("Solarization", (0.2, 0.3), "additions"),
    ("RandomRotation", ((0.1, 0.2),), "angle"),
    ("RandomTranslation", (0.1, (0.2, 0.3)), "translations"),
    ("RandomZoom", (0.1,), "height_zoom"),
    ("RandomShear", (0.1, 0.2), "shear_factor"),
    ("RandomPerspective", (0.4, 0.5), "end_points"),
    ("RandomPerspective", (0.4, 0.5), "apply_perspective"),
    ("RandomErasing", (0.4, (0.1, 0.2)), "batch_masks"),
    ("RandomErasing", (1.0, (0.1, 0.2)), "fill_value"),
    ("RandomGaussianBlur", (0.5,), "should_apply_blur"),
    ("CutMix", ((0.5, 0.5),), "mix_weight"),
    ("CutMix", ((0.5, 0.5),), "batch_masks"),
    ("MixUp", (0.9,), "mix_weight"),
    ("RandomFlip", (), "flips"),
]


@pytest.mark.parametrize(("name", "args", "key"), RANGES)
def test_what_is_drawn(name, args, key):
    """The distributions agree: same quantiles, as far as 4000 draws can tell."""
    size = 60 if "ask" in key else 8
    x = torch.zeros(4000, size, size, 1)
    keras.utils.set_random_seed(1)
    theirs = getattr(keras.layers, name)(*args).get_random_transformation(x, training=True)[key]
    ours = getattr(family, name)(*args).get_random_transformation(x, training=True)[key]
    a, b = (np.asarray(t.cpu(), dtype="float64").reshape(4000, -1) for t in (theirs, ours))
    if a.shape != b.shape or "mask" in key or key == "fill_value":
        a, b = a.mean(1, keepdims=True), b.mean(1, keepdims=True)
    spread = max(np.ptp(a), 1e-9)
    for q in (0.02, 0.25, 0.5, 0.75, 0.98):
        if a.dtype == bool or len(np.unique(a)) < 3:
            break
        np.testing.assert_allclose(np.quantile(a, q, 0) / spread, np.quantile(b, q, 0) / spread, atol=0.07)
    np.testing.assert_allclose(a.mean(0) / spread, b.mean(0) / spread, atol=0.04)
