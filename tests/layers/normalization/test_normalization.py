"""The normalizing layers against Keras on the same weights: values, gradients, shapes, configs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError
from ramify.layers import normalization as ours

TABLE = [
    ("BatchNormalization", {}, (4, 6)),
    ("BatchNormalization", {}, (4, 5, 6)),
    ("BatchNormalization", {}, (4, 5, 3, 6)),
    ("BatchNormalization", {}, (4, 5, 3, 2, 6)),
    ("BatchNormalization", {"axis": 1}, (4, 6, 3)),
    ("BatchNormalization", {"axis": 2}, (4, 3, 6, 5)),
    ("BatchNormalization", {"scale": False}, (4, 5, 3, 6)),
    ("BatchNormalization", {"center": False, "epsilon": 0.1}, (4, 5, 3, 6)),
    ("BatchNormalization", {"center": False, "scale": False}, (4, 6)),
    (
        "BatchNormalization",
        {"beta_initializer": "ones", "gamma_regularizer": "l2", "beta_constraint": "non_neg"},
        (4, 6),
    ),
    ("LayerNormalization", {}, (4, 6)),
    ("LayerNormalization", {"epsilon": 0.1}, (4, 3, 6)),
    ("LayerNormalization", {"axis": [1, 2]}, (4, 3, 6)),
    ("LayerNormalization", {"axis": (2, 1)}, (4, 3, 6)),
    ("LayerNormalization", {"scale": False}, (4, 3, 6)),
    ("LayerNormalization", {"center": False}, (4, 3, 6)),
    ("LayerNormalization", {"gamma_regularizer": "l2", "beta_initializer": "ones"}, (4, 6)),
    ("GroupNormalization", {"groups": 2, "epsilon": 0.1}, (4, 6)),
    ("GroupNormalization", {"groups": 2}, (4, 5, 6)),
    ("GroupNormalization", {"groups": -1}, (4, 5, 3, 6)),
    ("GroupNormalization", {"groups": 1, "center": False}, (4, 5, 3, 6)),
    ("GroupNormalization", {"groups": 3, "axis": 1, "scale": False, "epsilon": 0.1}, (4, 6, 3, 5)),
    ("RMSNormalization", {}, (4, 6)),
    ("RMSNormalization", {"epsilon": 0.1}, (4, 3, 6)),
    ("RMSNormalization", {"axis": [1, 2]}, (4, 3, 6)),
    ("UnitNormalization", {}, (4, 6)),
    ("UnitNormalization", {"axis": 1}, (4, 3, 6)),
    ("UnitNormalization", {"axis": [1, 2]}, (4, 3, 6)),
]
IDS = [f"{name}{kwargs}{shape}" for name, kwargs, shape in TABLE]


def pair(name, kwargs, shape):
    """Our layer and Keras's, built, with equal random weights."""
    a, b = getattr(ours, name)(name="x", **kwargs), getattr(keras.layers, name)(name="x", **kwargs)
    assert a.get_config() == b.get_config()
    a.build((None, *shape[1:]))
    b.build((None, *shape[1:]))
    values = [np.random.rand(*w.shape).astype("float32") + 0.5 for w in b.weights]
    assert [w.name for w in a.weights] == [w.name for w in b.weights]
    a.set_weights(values)
    b.set_weights(values)
    return a, b


def check(a, b, x, **options):
    u, v = torch.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, want = a(u, **options), b(v, **options)
    np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-4, atol=1e-5)
    weight = torch.randn(y.shape)
    (y * weight).sum().backward()
    (want * weight).sum().backward()
    np.testing.assert_allclose(u.grad, v.grad, rtol=1e-4, atol=2e-5)
    for p, q in zip(a.trainable_weights, b.trainable_weights, strict=True):
        np.testing.assert_allclose(p.grad, q.value.grad, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(("name", "kwargs", "shape"), TABLE, ids=IDS)
def test_equals_keras(name, kwargs, shape):
    a, b = pair(name, kwargs, shape)
    x = np.random.randn(*shape).astype("float32") * 2 + 1
    check(a, b, x)
    if name == "BatchNormalization":
        for layer in (a, b):
            for weight in layer.trainable_weights:
                (weight if layer is a else weight.value).grad = None
        check(a, b, x, training=True)
    assert a.get_config() == b.get_config()
    assert type(a).from_config(a.get_config()).get_config() == a.get_config()
    if a.weights:
        assert a.get_build_config() == b.get_build_config()


@pytest.mark.parametrize(("name", "kwargs", "shape"), TABLE, ids=IDS)
def test_symbolic_shapes(name, kwargs, shape):
    layer = getattr(ours, name)(**kwargs)
    known = {layer.axis} if isinstance(layer.axis, int) else set(layer.axis)
    known = {axis % len(shape) for axis in known}
    open_shape = [size if i in known else None for i, size in enumerate(shape)]
    assert layer(ramify.Input(batch_shape=open_shape)).shape == tuple(open_shape)
    assert layer(torch.ones(shape)).shape == shape


def test_a_layer_norm_over_an_axis_in_the_middle():
    layer, x = ours.LayerNormalization(axis=1), torch.randn(2, 5, 3)
    want = (x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, correction=0, keepdim=True) + 1e-3)
    torch.testing.assert_close(layer(x), want)
    rms = ours.RMSNormalization(axis=1)
    torch.testing.assert_close(rms(x), x / torch.sqrt(x.square().mean(1, keepdim=True) + 1e-6))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_deprecated_rms_scaling():
    a, b = pair("LayerNormalization", {"rms_scaling": True}, (4, 6))
    check(a, b, np.random.randn(4, 6).astype("float32"))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization"])
def test_dtypes(name, policy):
    kwargs = {"groups": 2} if name == "GroupNormalization" else {}
    layer = getattr(ours, name)(dtype=policy, **kwargs)
    x = torch.randn(8, 4, 4, 6, dtype=torch.float64 if policy == "float64" else torch.float32)
    training = {"training": True} if name == "BatchNormalization" else {}
    y = layer(x, **training)
    assert y.dtype is layer.compute_torch_dtype
    assert all(w.dtype is layer.variable_torch_dtype for w in layer.weights)
    exact = getattr(ours, name)(**kwargs)(x.float(), **training)
    torch.testing.assert_close(y.float(), exact, rtol=0.05, atol=0.05)
    y.sum().backward()
    assert all(w.grad is not None for w in layer.trainable_weights)


def test_errors():
    with pytest.raises(ShapeError, match=r"axis 1.*size is unknown"):
        ours.BatchNormalization(axis=1)(ramify.Input((None, 3)))
    with pytest.raises(ShapeError, match="not there"):
        ours.BatchNormalization(axis=5)(ramify.Input((3,)))
    with pytest.raises(ShapeError, match="the batch's"):
        ours.LayerNormalization(axis=0)(ramify.Input((3,)))
    with pytest.raises(ShapeError, match=r"4 channels.*32 groups"):
        ours.GroupNormalization()(ramify.Input((3, 4)))
    with pytest.raises(ArgumentError, match="renorm_clipping takes 'rmin'"):
        ours.BatchNormalization(renorm=True, renorm_clipping={"most": 1.0})
    with pytest.raises(ArgumentError, match="axis"):
        ours.UnitNormalization(axis="a")
    layer = ours.BatchNormalization()
    layer(torch.ones(2, 3))
    with pytest.raises(ShapeError, match="size 3 on axis -1"):
        layer(ramify.Input((4,)))
