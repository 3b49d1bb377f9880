"""Kernels lie in memory as torch reads them, and stay so whatever is done to them; their numbers are Keras's."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest
import torch

import ramify
from ramify import initializers, layers, optimizers

LAYERS = [
    ("Conv1D", {"filters": 6}, (10, 4), (2, 0, 1)),
    ("Conv2D", {"filters": 6}, (10, 10, 4), (3, 0, 1, 2)),
    ("Conv2D", {"filters": 6, "data_format": "channels_first"}, (4, 10, 10), (3, 2, 0, 1)),
    ("Conv2D", {"filters": 6, "groups": 2}, (10, 10, 4), (3, 0, 1, 2)),
    ("Conv3D", {"filters": 6}, (6, 6, 6, 4), (4, 0, 1, 2, 3)),
    ("Conv2DTranspose", {"filters": 6}, (10, 10, 4), (3, 0, 1, 2)),
    ("DepthwiseConv2D", {"depth_multiplier": 2}, (10, 10, 4), (2, 3, 0, 1)),
    ("DepthwiseConv2D", {"data_format": "channels_first"}, (4, 10, 10), (2, 3, 0, 1)),
]
OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb"]
OPTIMIZERS += ["Adafactor", "Muon", "ScheduleFreeAdamW"]


def made(name, options, shape):
    """A model of one such layer, and the layer."""
    layer = getattr(layers, name)(kernel_size=3, name="conv", **options)
    x = ramify.Input(shape)
    return ramify.Model(x, layers.Dense(2)(layers.Flatten()(layer(x)))), layer


def lies(tensor, axes):
    """Whether a tensor's axes are in this order in memory, without gaps."""
    return tensor.permute(axes).is_contiguous()


def through_file(name):
    def change(model, folder):
        path = folder / name
        model.save(path) if name == "model.keras" else model.save_weights(path)
        if name == "model.keras":
            return ramify.saving.load_model(path)
        model.set_weights([np.zeros(w.shape) for w in model.weights])
        model.load_weights(path)
        return model

    return change


def by_state_dict(model, folder):
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    buffer.seek(0)
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    model.load_state_dict(torch.load(buffer))
    return model


def by_clone(model, folder):
    clone = ramify.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def by_weights(model, folder):
    values = model.get_weights()
    model.set_weights([value * 0 for value in values])
    for weight, value in zip(model.weights, values, strict=True):
        weight.assign(value)
    return model


CHANGES = {
    "keras": through_file("model.keras"),
    "h5": through_file("model.weights.h5"),
    "safetensors": through_file("model.safetensors"),
    "state dict": by_state_dict,
    "clone": by_clone,
    "set and assign": by_weights,
    "deep copy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "other dtype": lambda model, folder: model.double().float(),
    "a step": lambda model, folder: (
        model.fit(np.zeros((2, *model.input_shape[1:])), np.zeros((2, 2)), verbose=0) and model
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "options", "shape", "axes"), LAYERS)
def test_memory_and_numbers_outlive(name, options, shape, axes, change, tmp_path):
    model, layer = made(name, options, shape)
    model.compile(optimizers.SGD(0.0), "mse")
    before, x = model.get_weights(), torch.randn(2, *shape)
    with torch.no_grad():
        expected = model(x)
    assert lies(layer.kernel, axes)
    changed = CHANGES[change](model, tmp_path)
    kernel = changed.get_layer("conv").kernel
    assert lies(kernel, axes)
    assert all(np.array_equal(*pair) for pair in zip(before, changed.get_weights(), strict=True))
    assert np.array_equal(kernel.numpy(), before[0])
    assert np.array_equal(np.asarray(kernel.detach()), before[0])
    with torch.no_grad():
        torch.testing.assert_close(changed(x), expected)


@pytest.mark.parametrize(("name", "options", "shape", "axes"), LAYERS)
def test_a_seed_gives_the_same_numbers_as_ever(name, options, shape, axes):
    start = "depthwise_initializer" if name.startswith("Depthwise") else "kernel_initializer"
    _, layer = made(name, {**options, start: initializers.GlorotUniform(seed=3)}, shape)
    expected = initializers.GlorotUniform(seed=3)(tuple(layer.kernel.shape))
    assert torch.equal(layer.kernel.detach(), torch.as_tensor(expected))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_keep_to_the_memory_of_the_kernels(name, tmp_path):
    """State lies as the kernels do, also when read from a file; the numbers are those of kernels in plain order."""
    torch.manual_seed(0)
    x, y = torch.randn(4, 10, 10, 4), torch.randn(4, 2)
    strided, layer = made(*LAYERS[1][:3])
    plain = copy.deepcopy(strided).to(memory_format=torch.contiguous_format)
    assert plain.get_layer("conv").kernel.is_contiguous()
    for model in (strided, plain):
        optimizer = getattr(optimizers, name)(0.01, use_ema=True, gradient_accumulation_steps=2)
        model.compile(optimizer, "mse", run_eagerly=True)
        for _ in range(4):
            model.train_on_batch(x, y)
    for one, other in zip(strided.weights, plain.weights, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert lies(layer.kernel, LAYERS[1][3])
    strided.save(tmp_path / "model.keras")
    loaded = ramify.saving.load_model(tmp_path / "model.keras")
    for model in (strided, loaded):
        states = [v for v in model.optimizer.variables if tuple(v.shape) == tuple(layer.kernel.shape)]
        assert states
        assert all(lies(state, LAYERS[1][3]) for state in states)
    assert all(torch.equal(*pair) for pair in zip(strided.weights, loaded.weights, strict=True))


@pytest.mark.parametrize("name", ["adam", "sgd"])
@pytest.mark.parametrize("how", [False, "captured"])
def test_fused_kernels_take_the_steps(name, how, monkeypatch):
    model, layer = made(*LAYERS[1][:3])
    optimizer = optimizers.Adam(0.01) if name == "adam" else optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "mse", jit_compile=how)
    calls, real = [], getattr(torch, f"_fused_{name}_")

    def watched(variables, grads, *state, **options):
        calls.append([v.stride() for v in variables])
        assert calls[-1] == [g.stride() for g in grads] == [s.stride() for s in state[0]]
        return real(variables, grads, *state, **options)

    monkeypatch.setattr(torch, f"_fused_{name}_", watched)
    x, y = torch.randn(4, 10, 10, 4), torch.randn(4, 2)
    for _ in range(6):
        model.train_on_batch(x, y)
    assert len(calls) == 6
    # Weights that lie otherwise than the state no longer may: the step is the same, without the fused kernel.
    twin = copy.deepcopy(model)
    model.to(memory_format=torch.contiguous_format)
    assert layer.kernel.is_contiguous()
    for one in (model, twin):
        one.train_on_batch(x, y)
    for mine, other in zip(model.weights, twin.weights, strict=True):
        torch.testing.assert_close(mine, other)


def test_gradients_of_any_order_are_put_in_that_of_the_weights():
    layer = layers.Conv2D(6, 3)
    layer.build((None, 8, 8, 4))
    before, gradient = layer.kernel.detach().clone(), torch.randn(3, 3, 4, 6).sign()
    optimizers.Adam(0.1).apply([gradient], [layer.kernel])
    torch.testing.assert_close(layer.kernel.detach(), before - 0.1 * gradient)


def test_replayed_steps_are_those_of_eager_ones():
    results = []
    for how in (False, "captured"):
        ramify.utils.set_random_seed(1)
        model, _ = made("Conv2D", {"filters": 6, "padding": "same", "activation": "relu"}, (10, 10, 4))
        model.compile(optimizers.Adam(0.01), "mse", jit_compile=how)
        x, y = torch.randn(4, 10, 10, 4), torch.randn(4, 2)
        for _ in range(6):
            model.train_on_batch(x, y)
        results.append(model.get_weights())
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


def test_plain_order_computes_the_same():
    layer = layers.Conv2D(6, 3)
    x = torch.randn(2, 8, 8, 4)
    expected = layer(x)
    assert layer.to(memory_format=torch.contiguous_format).kernel.is_contiguous()
    torch.testing.assert_close(layer(x), expected)
    assert layer.to(torch.float64, memory_format=torch.contiguous_format).kernel.dtype is torch.float64
    layer = layers.Conv2D(6, 3)
    expected = layer(x)
    assert not layer.to(memory_format=torch.channels_last).kernel.is_contiguous()
    torch.testing.assert_close(layer(x), expected)
