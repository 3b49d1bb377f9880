"""ZeroPadding, Cropping and UpSampling against Keras."""

from __future__ import annotations

import keras
import pytest
import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.layers.core.input_layer import Input
from ramify.layers.reshaping import margins, up_sampling

HOME = {"ZeroPadding": margins, "Cropping": margins, "UpSampling": up_sampling}
SIZE = {1: (11,), 2: (9, 8), 3: (6, 5, 7)}
CASES = [
    *((f"{kind}{r}D", {}) for kind in HOME for r in (1, 2, 3)),
    ("ZeroPadding1D", {"padding": (0, 3)}),
    ("ZeroPadding2D", {"padding": 2}),
    ("ZeroPadding2D", {"padding": (1, 2)}),
    ("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}),
    ("ZeroPadding3D", {"padding": ((1, 0), (2, 3), (0, 1))}),
    ("Cropping1D", {"cropping": 3}),
    ("Cropping1D", {"cropping": (0, 3)}),
    ("Cropping2D", {"cropping": 2}),
    ("Cropping2D", {"cropping": ((1, 0), (2, 3))}),
    ("Cropping3D", {"cropping": (0, 1, 2)}),
    ("UpSampling1D", {"size": 3}),
    ("UpSampling2D", {"size": (3, 1)}),
    ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}),
    ("UpSampling2D", {"size": (1, 3), "interpolation": "bicubic"}),
    ("UpSampling3D", {"size": (1, 3, 2)}),
]


def both(name, case, layout):
    if name not in ("Cropping1D", "UpSampling1D"):
        case = {**case, "data_format": layout}
    return getattr(keras.layers, name)(**case, name="layer"), getattr(HOME[name[:-2]], name)(**case, name="layer")


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "case"), CASES)
def test_values_gradients_and_shapes(name, case, layout):
    spatial = SIZE[int(name[-2])]
    shape = (2, *spatial, 3) if layout == "channels_last" or name[-2] == "1" else (2, 3, *spatial)
    x = torch.randn(shape)
    results = []
    for layer in both(name, case, layout):
        one = x.clone().requires_grad_()
        y = layer(one)
        weights = torch.linspace(-1, 1, y.numel()).reshape(y.shape)
        results.append((y.detach(), torch.autograd.grad((y * weights).sum(), one)[0]))
    torch.testing.assert_close(results[1], results[0], rtol=1e-5, atol=1e-5)
    real = tuple(results[1][0].shape)
    assert both(name, case, layout)[1](Input(shape[1:])).shape == (None, *real[1:])
    open_shape = tuple(size if size == 3 else None for size in shape[1:])
    unknown = both(name, case, layout)[1](Input(open_shape)).shape
    assert len(unknown) == len(real)
    assert all(size is None or size == real[axis] for axis, size in enumerate(unknown))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_configs_are_those_of_keras(name, case):
    theirs, mine = (layer.get_config() for layer in both(name, case, "channels_last"))
    theirs["dtype"] = mine["dtype"] = None
    assert mine == theirs
    again = getattr(HOME[name[:-2]], name).from_config({**mine, "dtype": "float32"}).get_config()
    assert {**again, "dtype": None} == mine


@pytest.mark.parametrize(
    "make",
    [
        lambda: margins.ZeroPadding2D(-1),
        lambda: margins.ZeroPadding2D((1, 2, 3)),
        lambda: margins.Cropping1D((1, 2, 3)),
        lambda: up_sampling.UpSampling1D(0),
        lambda: up_sampling.UpSampling2D((2, 1.5)),
        lambda: up_sampling.UpSampling2D(2, interpolation="area"),
    ],
)
def test_wrong_arguments_are_refused(make):
    with pytest.raises(ArgumentError):
        make()


def test_cropping_everything_away_is_refused():
    with pytest.raises(ShapeError, match="leaves nothing"):
        margins.Cropping2D(2)(Input((4, 6, 1)))


def test_cropping_is_a_view():
    x = torch.randn(1, 4, 4, 2)
    assert margins.Cropping2D(1)(x).untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.uint8, torch.int64])
def test_repeated_pixels_are_the_very_ones_whatever_the_factor(dtype):
    x = torch.arange(250).reshape(1, 125, 1, 2).to(dtype)
    for factor in (*range(1, 30), 41, 47):  # 1/25 and others are rounded down
        y = up_sampling.UpSampling2D((factor, 2), dtype=str(dtype)[6:])(x)
        assert torch.equal(y, x.repeat_interleave(factor, 1).repeat_interleave(2, 2))
