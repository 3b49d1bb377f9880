"""Pooling against Keras, and against windows cut out by hand where Keras on PyTorch averages padding."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.layers import pooling as ours
from ramify.layers.core.input_layer import Input

SIZE = {1: (11,), 2: (9, 8), 3: (6, 5, 7)}
LAYOUTS = ["channels_last", "channels_first"]
KINDS = ["Max", "Average"]
WINDOWS = [
    {"pool_size": 2},
    {"pool_size": 3, "strides": 2},
    {"pool_size": 3, "strides": 1, "padding": "same"},
    {"pool_size": 2, "padding": "same"},
    {"pool_size": 2, "strides": 1, "padding": "same"},
    {"pool_size": 1, "strides": 2, "padding": "same"},
]
CASES = [
    *((f"{kind}Pooling{r}D", case) for kind in ("Max", "Average") for r in (1, 2, 3) for case in WINDOWS),
    *((f"MaxPooling{r}D", {"pool_size": 4, "strides": s, "padding": "same"}) for r in (1, 2) for s in (1, 2, 3)),
    ("MaxPooling2D", {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}),
    *((f"Global{kind}Pooling{r}D", {"keepdims": keep}) for kind in KINDS for r in (1, 2, 3) for keep in (False, True)),
    *((f"Adaptive{kind}Pooling{r}D", {"output_size": n}) for kind in KINDS for r in (1, 2, 3) for n in (2, 4)),
]


def shape_of(name, layout):
    spatial = SIZE[int(name[-2])]
    return (2, *spatial, 3) if layout == "channels_last" else (2, 3, *spatial)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_values_gradients_and_shapes(name, case, layout):
    shape = shape_of(name, layout)
    x = torch.randn(shape)
    results = []
    for home in (keras.layers, ours):
        layer = getattr(home, name)(**case, data_format=layout)
        one = x.clone().requires_grad_()
        y = layer(one)
        weights = torch.linspace(-1, 1, y.numel()).reshape(y.shape)
        results.append((y.detach(), torch.autograd.grad((y * weights).sum(), one)[0]))
    torch.testing.assert_close(results[1], results[0], rtol=1e-5, atol=1e-6)
    real = tuple(results[1][0].shape)
    assert getattr(ours, name)(**case, data_format=layout)(Input(shape[1:])).shape == (None, *real[1:])
    open_shape = tuple(size if size == 3 else None for size in shape[1:])
    unknown = getattr(ours, name)(**case, data_format=layout)(Input(open_shape)).shape
    assert all(size is None or size == real[axis] for axis, size in enumerate(unknown))
    assert len(unknown) == len(real)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_configs_are_those_of_keras(name, case):
    theirs, mine = (getattr(m, name)(**case, name="layer").get_config() for m in (keras.layers, ours))
    theirs["dtype"] = mine["dtype"] = None
    assert mine == theirs
    again = getattr(ours, name).from_config({**mine, "dtype": "float32"}).get_config()
    assert {**again, "dtype": None} == mine


@pytest.mark.parametrize(("size", "window", "step"), list(itertools.product(range(3, 9), (1, 2, 3, 4), (1, 2, 3))))
def test_same_averages_only_what_is_there(size, window, step):
    x = np.random.randn(1, size, 2).astype("float32")
    outputs = -(-size // step)
    total = max((outputs - 1) * step + window - size, 0)
    padded = np.pad(x, ((0, 0), (total // 2, total - total // 2), (0, 0)), constant_values=np.nan)
    windows = [padded[:, i * step : i * step + window] for i in range(outputs)]
    for layer, summary in ((ours.AveragePooling1D, np.nanmean), (ours.MaxPooling1D, np.nanmax)):
        want = np.stack([summary(w, axis=1) for w in windows], axis=1)
        got = layer(window, step, "same")(torch.from_numpy(x))
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_steps_do_not_count(layout, keepdims):
    x = np.random.randn(2, 5, 3).astype("float32")
    x = x if layout == "channels_last" else x.transpose(0, 2, 1)
    mask = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 1, 0]], bool)
    options = {"data_format": layout, "keepdims": keepdims}
    want = keras.layers.GlobalAveragePooling1D(**options)(x, mask=mask)
    got = ours.GlobalAveragePooling1D(**options)(torch.from_numpy(x), mask=torch.from_numpy(mask))
    torch.testing.assert_close(got, want)


def test_integers_are_averaged_as_floats():
    x = torch.arange(8).reshape(1, 4, 2)
    assert ours.GlobalAveragePooling1D()(x).tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ours.MaxPooling2D(0),
        lambda: ours.MaxPooling2D((2, 2, 2)),
        lambda: ours.MaxPooling2D(2, padding="causal"),
        lambda: ours.MaxPooling2D(2, data_format="NHWC"),
        lambda: ours.AdaptiveMaxPooling2D((None, 2)),
    ],
)
def test_wrong_arguments_are_refused(make):
    with pytest.raises(ArgumentError):
        make()


def test_a_window_larger_than_the_image_is_refused():
    with pytest.raises(ShapeError, match="smaller"):
        ours.MaxPooling2D(8)(Input((6, 6, 1)))
