"""Activations and filters: the right numbers, as images that other programs can read."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.visualize import activations, filters
from ramify.visualize.grids import grid, png_bytes


def read_png(data):
    """A reader of what a PNG of filter 0 holds, by the standard."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            size = struct.unpack(">IIBBBBB", content)
        body += content if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour, *_ = size
    assert (depth, colour) == (8, 2)
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def vision():
    x = ramify.Input((12, 12, 3), name="photo")
    h = layers.Conv2D(6, 3, activation="relu", name="edges")(x)
    return ramify.Model(x, layers.Dense(4, name="out")(layers.Flatten(name="flat")(h)), name="vision")


PHOTO = np.random.default_rng(0).random((2, 12, 12, 3)).astype("float32")


def test_png_reads_back():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert np.array_equal(read_png(png_bytes(pixels)), pixels)


def test_activations_are_what_the_layers_return():
    model = vision()
    found = activations(model, PHOTO)
    assert list(found) == ["edges", "flat", "out"]
    np.testing.assert_allclose(found["edges"], model.get_layer("edges")(PHOTO).detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["out"], model.predict(PHOTO, verbose=0), rtol=1e-5, atol=1e-6)


def test_names_of_nested_repeated_and_several_results():
    x, i = ramify.Input((5, 4), name="x"), ramify.Input((5, 4))
    cell = ramify.Model(i, layers.LSTM(3, return_state=True, name="lstm")(i), name="cell")
    first, second = cell(x), cell(x * 2)
    found = activations(ramify.Model(x, layers.Add(name="sum")([first[0], second[1]])), np.ones((2, 5, 4), "float32"))
    names = {"cell.lstm", "cell.lstm[1]", "cell.lstm[2]", "cell.lstm #2", "cell.lstm #2[1]", "mul", "sum"}
    assert names <= set(found)
    np.testing.assert_allclose(found["sum"], found["cell.lstm"] + found["cell.lstm #2[1]"], rtol=1e-6)


def test_only_some_and_those_that_are_not_there():
    model = vision()
    assert list(activations(model, PHOTO, ["out", "edges"])) == ["edges", "out"]
    assert list(activations(model, PHOTO, model.get_layer("flat"))) == ["flat"]
    with pytest.raises(ArgumentError, match=r"'nope'. The calls are edges, flat, out"):
        activations(model, PHOTO, "nope")
    with pytest.raises(KeyError, match="the calls are edges"):
        activations(model, PHOTO)["nope"]


def test_a_model_without_a_graph():
    class Plain(ramify.Model):
        def __init__(self):
            super().__init__()
            self.one = layers.Dense(3, name="one")

        def call(self, x):
            return self.one(x)

    model = Plain()
    x = np.ones((2, 4), "float32")
    model(x)
    np.testing.assert_allclose(activations(model, x)["one"], model(x).detach().numpy(), rtol=1e-6)


def test_every_channel_has_its_tile():
    found = activations(vision(), PHOTO)
    pixels = found.grid("edges", sample=1, zoom=1).pixels
    assert pixels.shape == (3 * 12 - 2, 2 * 12 - 2, 3) or pixels.shape == (2 * 12 - 2, 3 * 12 - 2, 3)
    values = found["edges"][1, :, :, 0]
    tile = pixels[:10, :10].astype(int).sum(-1)
    assert np.unravel_index(tile.argmax(), tile.shape) == np.unravel_index(values.argmax(), values.shape)


def test_channels_that_stand_first():
    x = ramify.Input((2, 6, 8))
    h = layers.Conv2D(3, 3, data_format="channels_first", name="c")(x)
    tiles = activations(ramify.Model(x, layers.ReLU(name="r")(h)), np.ones((1, 2, 6, 8), "float32"))
    assert tiles["c"].shape == (1, 3, 4, 6)
    height, width, _ = tiles.grid("c", zoom=1).pixels.shape
    assert (height + 2) % 6 == 0
    assert (width + 2) % 8 == 0


@pytest.mark.parametrize("scale", ["tile", "all"])
def test_colours_tell_signs_and_sizes(scale):
    tiles = np.array([[[-1.0, 0.0], [0.5, 1.0]], [[-0.1, 0.0], [0.0, 0.1]]])
    pixels = grid(tiles, scale, zoom=1, columns=2).pixels.astype(int)
    low, zero, high = pixels[0, 0], pixels[0, 1], pixels[1, 1]
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert (zero > 240).all()
    second = pixels[1, 5]
    assert (second == high).all() if scale == "tile" else (second != high).any()


def test_odd_numbers_are_drawn():
    image = grid(np.array([[[np.nan, np.inf], [0.0, 0.0]]]), zoom=1)
    assert image.pixels.shape == (2, 2, 3)
    assert grid(np.zeros((1, 2, 2)), zoom=1).pixels.max() < 50
    with pytest.raises(ArgumentError, match="'tile' or 'all'"):
        grid(np.zeros((1, 2, 2)), "each")


def test_filters():
    model = vision()
    image = filters(model.get_layer("edges"), zoom=1)
    assert np.asarray(image).shape == (2 * 5 - 2, 3 * 5 - 2, 3) or np.asarray(image).shape == (3 * 5 - 2, 2 * 5 - 2, 3)
    kernel = model.get_layer("edges").kernel.detach().numpy()
    first = image.pixels[:3, :3] / 255
    np.testing.assert_allclose(first, (kernel[..., 0] - kernel.min()) / np.ptp(kernel), atol=0.003)
    assert "kernel (600, 4)" in filters(model.get_layer("out")).title
    with pytest.raises(ArgumentError, match="has no kernel"):
        filters(model.get_layer("flat"))


def test_files(tmp_path):
    found = activations(vision(), torch.as_tensor(PHOTO))
    paths = found.save(tmp_path / "maps")
    assert [path.name for path in paths] == ["000_edges.png", "001_flat.png", "002_out.png"]
    assert np.array_equal(read_png(paths[0].read_bytes()), found.grid("edges").pixels)
    assert "data:image/png;base64," in found.grid("out").save(tmp_path / "out.svg").read_text()
    with pytest.raises(ArgumentError, match="Change its ending"):
        found.grid("out").save(tmp_path / "out.jpg")
    assert "<img" in found._repr_html_()
