"""Every convolution against Keras: outputs, gradients, shapes and configs, on the same weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from ramify.layers import convolutional as ours
from ramify.layers.core.input_layer import Input

SIZE = {1: (11,), 2: (9, 8), 3: (6, 5, 7)}
RANK = {"1": 1, "2": 2, "3": 3}

PLAIN = [
    {"kernel_size": 3},
    {"kernel_size": 1, "activation": "relu"},
    {"kernel_size": 2, "padding": "same"},
    {"kernel_size": 3, "padding": "same", "use_bias": False},
    {"kernel_size": 3, "padding": "same", "strides": 2},
    {"kernel_size": 4, "padding": "same", "strides": 3},
    {"kernel_size": 3, "strides": 2},
    {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
    {"kernel_size": 2, "dilation_rate": 2, "activation": "tanh"},
]
CASES = [
    *((f"Conv{rank}D", {"filters": 4, **case}) for rank in (1, 2, 3) for case in PLAIN),
    *((f"Conv{rank}D", {"filters": 6, "kernel_size": 3, "padding": "same", "groups": 2}) for rank in (1, 2, 3)),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal"}),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 3}),
    ("Conv1D", {"filters": 3, "kernel_size": 4, "padding": "causal", "strides": 2}),
    ("Conv2D", {"filters": 3, "kernel_size": (1, 3), "padding": "same", "strides": (2, 1)}),
    ("Conv2D", {"filters": 3, "kernel_size": (3, 2), "dilation_rate": (1, 2), "padding": "same"}),
    ("Conv2D", {"filters": 136, "kernel_size": 11, "padding": "same"}),
    *((f"Conv{rank}DTranspose", {"filters": 3, **case}) for rank in (1, 2, 3) for case in PLAIN),
    *(
        (f"Conv{rank}DTranspose", {"filters": 3, "kernel_size": k, "strides": s, "padding": p, "output_padding": extra})
        for rank in (1, 2)
        for p in ("valid", "same")
        for k, s, extra in [(3, 2, 0), (3, 2, 1), (2, 3, 2), (5, 3, 1), (4, 2, 1), (1, 2, 1)]
    ),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": (2, 5), "strides": (3, 2), "padding": "same"}),
    ("Conv3DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}),
    *((f"DepthwiseConv{rank}D", case) for rank in (1, 2) for case in PLAIN),
    *((f"DepthwiseConv{rank}D", {"kernel_size": 3, "depth_multiplier": 3}) for rank in (1, 2)),
    *((f"SeparableConv{rank}D", {"filters": 5, **case}) for rank in (1, 2) for case in PLAIN),
    *((f"SeparableConv{rank}D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2}) for rank in (1, 2)),
]
LAYOUTS = ["channels_last", "channels_first"]


def rank_of(name):
    return int(name.removesuffix("Transpose")[-2])


def shape_of(name, layout, channels=4):
    spatial = SIZE[rank_of(name)]
    return (2, *spatial, channels) if layout == "channels_last" else (2, channels, *spatial)


def pair(name, case, layout):
    theirs = getattr(keras.layers, name)(**case, data_format=layout)
    mine = getattr(ours, name)(**case, data_format=layout)
    shape = shape_of(name, layout)
    theirs.build(shape)
    mine.build(shape)
    weights = [np.random.normal(size=w.shape).astype("float32") for w in theirs.weights]
    theirs.set_weights(weights)
    mine.set_weights(weights)
    return theirs, mine, torch.randn(shape)


def gradients(layer, weights, x, seed):
    x = x.clone().requires_grad_()
    y = layer(x)
    return y, torch.autograd.grad(y, [x, *weights], seed(y))


def close(a, b):
    scale = max(float(b.detach().abs().max()), 1.0)
    torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-5 * scale)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_values_and_gradients_are_those_of_keras(name, case, layout):
    theirs, mine, x = pair(name, case, layout)
    cotangent = {}

    def seed(y):
        return cotangent.setdefault(0, torch.randn(y.shape))

    want, their_gradients = gradients(theirs, [w.value for w in theirs.weights], x, seed)
    got, my_gradients = gradients(mine, mine.weights, x, seed)
    close(got, want)
    for a, b in zip(my_gradients, their_gradients, strict=True):
        close(a, b)
    with torch.no_grad():
        close(mine(x), want)  # what inference keeps for itself gives the same
        close(mine(x), want)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_symbolic_shapes_are_the_real_ones(name, case, layout):
    shape = shape_of(name, layout)
    layer = getattr(ours, name)(**case, data_format=layout)
    symbolic = layer(Input(shape[1:])).shape
    real = tuple(layer(torch.zeros(shape)).shape)
    assert symbolic == (None, *real[1:])
    channel = -1 if layout == "channels_last" else 1
    open_shape = [None] * (len(shape) - 1)
    open_shape[min(channel, 0)] = shape[channel]
    unknown = getattr(ours, name)(**case, data_format=layout)(Input(tuple(open_shape))).shape
    assert unknown[channel] == real[channel]
    assert sum(size is None for size in unknown) == len(real) - 1


@pytest.mark.parametrize(("name", "case"), CASES)
def test_configs_are_those_of_keras(name, case):
    theirs = (
        getattr(keras.layers, name)(**case, name="layer", kernel_constraint=None)
        if name.startswith("Conv")
        else (getattr(keras.layers, name)(**case, name="layer"))
    )
    mine = getattr(ours, name)(**case, name="layer")
    want = theirs.get_config()
    assert plain(mine.get_config()) == plain(want)
    again = type(mine).from_config(mine.get_config())
    assert plain(again.get_config()) == plain(want)


def plain(value):
    """The config without what Keras writes about where its classes live, seeds and tuples."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("module", "registered_name", "seed")}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def test_weights_have_the_names_and_the_order_of_keras():
    for name in ("Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"):
        theirs, mine, _ = pair(name, {"kernel_size": 3, **({} if "Depth" in name else {"filters": 2})}, "channels_last")
        assert [(w.name, tuple(w.shape)) for w in mine.weights] == [(w.name, tuple(w.shape)) for w in theirs.weights]
