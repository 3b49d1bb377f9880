"""Sizes: `Resizing` and `CenterCrop` against Keras, and what Keras on torch cannot do."""

from __future__ import annotations

import keras
import pytest
import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image import CenterCrop, RandomCrop, Resizing
from ramify.layers.preprocessing.image.resampling import resized

SIZES = [(7, 9), (9, 7), (13, 5), (8, 8)]
TARGETS = [(4, 5), (12, 20), (7, 3), (5, 5)]
OPTIONS = [
    {},
    {"antialias": True},
    {"crop_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True, "fill_value": 9.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.int32])
def test_against_keras(dtype, interpolation, options):
    for size in SIZES:
        x = (torch.rand(2, *size, 3) * 255).to(dtype)
        for target in TARGETS:
            expected = keras.layers.Resizing(*target, interpolation=interpolation, **options)(x)
            found = Resizing(*target, interpolation=interpolation, **options)(x)
            assert found.dtype == expected.dtype
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_center_crop_against_keras(data_format):
    for size in SIZES:
        x = torch.rand(2, *size, 3)
        x = x if data_format == "channels_last" else x.permute(0, 3, 1, 2).contiguous()
        for target in TARGETS:
            expected = keras.layers.CenterCrop(*target, data_format=data_format)(x)
            torch.testing.assert_close(CenterCrop(*target, data_format=data_format)(x), expected)


def test_masks_keep_their_classes():
    data = {"images": torch.rand(2, 9, 8, 3), "segmentation_masks": torch.randint(0, 5, (2, 9, 8, 1)) * 50}
    out = Resizing(5, 13)(data)["segmentation_masks"]
    expected = keras.layers.Resizing(5, 13)(data)["segmentation_masks"]
    assert torch.equal(out, expected.to(out.dtype))


@pytest.mark.parametrize("kind", ["lanczos3", "lanczos5"])
def test_lanczos(kind):
    flat = torch.full((1, 2, 9, 11), 3.0)
    torch.testing.assert_close(resized(flat, (5, 17), kind), torch.full((1, 2, 5, 17), 3.0))
    wave = torch.sin(torch.arange(64) / 6.0).reshape(1, 1, 1, 64)
    finer = torch.sin(((torch.arange(128) + 0.5) / 2 - 0.5) / 6.0)
    found = resized(wave, (1, 128), kind)[0, 0, 0]
    assert (found - finer)[16:-16].abs().max() < 5e-3  # the ripple of the window
    noise = torch.randn(1, 1, 64, 64)
    assert resized(noise, (16, 16), kind, antialias=True).std() < 0.5 * resized(noise, (16, 16), kind).std()


def test_area():
    x = torch.rand(2, 8, 6, 3)
    expected = F.adaptive_avg_pool2d(x.permute(0, 3, 1, 2), (4, 3)).permute(0, 2, 3, 1)
    torch.testing.assert_close(Resizing(4, 3, interpolation="area")(x), expected)


def test_random_crop_finds_every_place():
    x = torch.arange(20.0).reshape(1, 4, 5, 1)
    corners = {int(RandomCrop(3, 3)(x)[0, 0, 0, 0]) for _ in range(200)}
    assert corners == {0, 1, 2, 5, 6, 7}
    assert torch.equal(RandomCrop(3, 3)(x, training=False), Resizing(3, 3, crop_to_aspect_ratio=True)(x))
    assert RandomCrop(6, 3)(x, training=True).shape == (1, 6, 3, 1)


@pytest.mark.parametrize(
    "options",
    [
        {"height": 0, "width": 2},
        {"height": 2, "width": 2, "interpolation": "cubic"},
        {"height": 2, "width": 2, "crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
        {"height": 2, "width": 2, "fill_mode": "reflect"},
    ],
)
def test_wrong_arguments(options):
    with pytest.raises(ArgumentError, match="Resizing"):
        Resizing(**options)
