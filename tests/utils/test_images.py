"""Images as files and arrays, beside Keras."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
import torch

from ramify import preprocessing, utils
from ramify.errors import ArgumentError

X = (np.random.default_rng(0).random((5, 7, 3)) * 300 - 20).astype("float32")


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(
    ("x", "data_format"),
    [
        (X, None),
        (X[..., :1], None),
        (np.concatenate([X, X[..., :1]], -1), "channels_last"),
        (X.transpose(2, 0, 1), "channels_first"),
        (np.full((2, 2, 1), 7.0), None),
    ],
)
def test_arrays_become_the_images_that_keras_makes(x, data_format, scale):
    x = x if scale else np.clip(x, 0, 255)
    ours, real = utils.array_to_img(x, data_format, scale), keras.utils.array_to_img(x, data_format, scale)
    assert ours.mode == real.mode
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(real))
    for layout in (None, "channels_first"):
        np.testing.assert_array_equal(utils.img_to_array(ours, layout), keras.utils.img_to_array(real, layout))
    assert utils.array_to_img(torch.tensor(np.array(x)), data_format, scale).size == real.size


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"color_mode": "grayscale"},
        {"color_mode": "rgba"},
        {"target_size": (3, 4)},
        {"target_size": (9, 9), "interpolation": "bilinear"},
        {"target_size": (4, 4), "keep_aspect_ratio": True},
        {"target_size": (3, 12), "keep_aspect_ratio": True, "interpolation": "lanczos"},
    ],
)
def test_files_are_read_as_keras_reads_them(tmp_path, options):
    path = tmp_path / "image.png"
    utils.save_img(path, X)
    ours, real = utils.load_img(path, **options), keras.utils.load_img(path, **options)
    assert (ours.mode, ours.size) == (real.mode, real.size)
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(real))
    assert utils.load_img(io.BytesIO(path.read_bytes())).size == (7, 5)


@pytest.mark.parametrize(
    ("shape", "size"), [((5, 7, 3), (4, 4)), ((2, 9, 4, 3), (4, 6)), ((6, 6, 3), (3, 3)), ((4, 9, 1), (12, 5))]
)
def test_smart_resize(shape, size):
    x = np.random.default_rng(1).random(shape).astype("float32")
    want = keras.preprocessing.image.smart_resize(x, size)
    got = preprocessing.image.smart_resize(x, size)
    assert isinstance(got, np.ndarray)
    np.testing.assert_allclose(got, want, atol=1e-6)
    assert preprocessing.image.smart_resize(torch.tensor(x), size).shape == want.shape


def test_a_jpeg_has_no_transparency(tmp_path):
    utils.save_img(tmp_path / "a.jpg", np.zeros((4, 4, 4)))
    assert utils.load_img(tmp_path / "a.jpg").mode == "RGB"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: utils.array_to_img(np.zeros((2, 2))), r"rank 3.*\(2, 2\)"),
        (lambda: utils.array_to_img(np.zeros((2, 2, 5))), "1, 3 or 4 channels"),
        (lambda: utils.img_to_array(np.zeros((2, 2, 2, 2))), "rank 2 or 3"),
        (lambda: utils.load_img("x.png", color_mode="cmyk"), "color_mode"),
        (lambda: utils.load_img(3), "not a int"),
        (lambda: preprocessing.image.smart_resize(X, (3,)), "height, width"),
        (lambda: preprocessing.image.smart_resize(X[0], (3, 3)), "rank 3 or 4"),
    ],
)
def test_what_is_no_image(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
