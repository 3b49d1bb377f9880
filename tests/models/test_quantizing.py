"""Quantizing whole models: which layers, by which method, and what is left of their answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, layers
from ramify.errors import ArgumentError
from ramify.quantizers import AWQConfig, GPTQConfig


def texts() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 50, (12, 16))


def transformer() -> Model:
    ramify.utils.set_random_seed(0)
    words = Input((16,), dtype="int32")
    x = layers.Embedding(50, 32, name="table")(words)
    for i in range(2):
        query, key, value = (layers.Dense(32, name=f"{word}_{i}")(x) for word in ("query", "key", "value"))
        y = layers.Attention(use_scale=True)([query, value, key])
        x = layers.LayerNormalization()(x + y)
        y = layers.Dense(64, activation="gelu", name=f"up_{i}")(x)
        x = layers.LayerNormalization()(x + layers.Dense(32, name=f"down_{i}")(y))
    return Model(words, layers.Dense(50, name="head")(x))


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_a_transformer_answers_nearly_the_same(mode, tmp_path):
    model = transformer()
    x = texts()
    before = model.predict(x, verbose=0)
    size = sum(w.numel() * w.element_size() for w in model.weights)
    model.quantize(mode)
    after = model.predict(x, verbose=0)
    assert np.abs(after - before).mean() < 0.25 * np.abs(before).mean()
    if mode != "float8":
        assert sum(w.numel() * w.element_size() for w in model.weights) < 0.5 * size
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(ramify.models.load_model(tmp_path / "m.keras").predict(x, verbose=0), after)


@pytest.mark.parametrize(
    "config",
    [
        GPTQConfig(texts(), None, sequence_length=16, group_size=16),
        GPTQConfig(texts(), None, sequence_length=16, group_size=16, activation_order=True, symmetric=True),
        GPTQConfig(texts(), None, sequence_length=16, group_size=-1, weight_bits=8),
        AWQConfig(texts(), None, sequence_length=16, group_size=16),
    ],
    ids=lambda c: c.policy,
)
def test_methods_that_look_at_data(config, tmp_path):
    model = transformer()
    x = texts()
    before = model.predict(x, verbose=0)
    model.quantize(config.mode, config=config)
    after = model.predict(x, verbose=0)
    assert np.abs(after - before).mean() < 0.2 * np.abs(before).mean()
    assert model.get_layer("up_0").quantization_mode == config.mode
    assert model.get_layer("table").quantization_mode is None
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(ramify.models.load_model(tmp_path / "m.keras").predict(x, verbose=0), after)


def _after(config, weight, x):
    start = Input((weight.shape[0],))
    dense = layers.Dense(weight.shape[1], use_bias=False)
    model = Model(start, dense(start))
    dense.set_weights([weight])
    model.quantize(config=config)
    return model.predict(x, verbose=0)


@pytest.mark.parametrize("kind", [GPTQConfig, AWQConfig])
def test_it_is_better_than_rounding(kind):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(64, 32)) @ rng.normal(size=(32, 32)) * np.linspace(0.01, 3, 32)).astype("float32")
    weight = rng.normal(size=(32, 24)).astype("float32")
    wanted = x @ weight
    looked = np.abs(_after(kind(list(x), None, group_size=32), weight, x) - wanted).mean()
    rounded = np.abs(_after(ramify.quantizers.Int4QuantizationConfig(block_size=32), weight, x) - wanted).mean()
    assert looked < rounded


def test_blocks_one_after_the_other():
    class Blocks(Model):
        def get_quantization_layer_structure(self, mode=None):
            return {"pre_block_layers": [self.get_layer("table")], "sequential_blocks": [self.get_layer("block")]}

    words = Input((16,), dtype="int32")
    inner = Sequential([Input((16, 32)), layers.Dense(64, activation="relu"), layers.Dense(32)], name="block")
    x = inner(layers.Embedding(50, 32, name="table")(words))
    model = Blocks(words, layers.Dense(3, name="head")(x))
    before = model.predict(texts(), verbose=0)
    model.quantize(
        config=GPTQConfig(texts(), None, sequence_length=16, group_size=32), filters=lambda one: one in inner.layers
    )
    assert inner.layers[0].is_quantized
    assert not model.get_layer("head").is_quantized
    assert np.abs(model.predict(texts(), verbose=0) - before).mean() < 0.2 * np.abs(before).mean()


def test_filters():
    model = transformer()
    model.quantize("int8", filters=["up_", "^head$"])
    done = {layer.name for layer in model.layers if layer.quantization_mode}
    assert done == {"up_0", "up_1", "head"}
    model.quantize("int8", filters=lambda layer: layer.name == "table")
    assert model.get_layer("table").is_quantized
    with pytest.raises(ArgumentError, match="filters let through"):
        model.quantize("int8", filters="nothing")


def test_training_goes_on_around_quantized_layers():
    start = Input((4,))
    frozen = layers.Dense(4, name="frozen")
    model = Model(start, layers.Dense(1)(frozen(start)))
    model.quantize("int8", filters="frozen")
    model.compile(ramify.optimizers.Adam(0.05), "mse")
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    losses = model.fit(x, x.sum(1), epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert frozen.kernel.dtype is torch.int8


def test_errors():
    start = Input((4, 4, 1))
    with pytest.raises(ArgumentError, match="no layer to quantize"):
        Model(start, layers.Conv2D(1, 1)(start)).quantize("int8")
    model = Model(start, layers.Dense(1)(start))
    with pytest.raises(ArgumentError, match="looks at data"):
        model.quantize("gptq")
    with pytest.raises(ArgumentError, match="contradicts"):
        model.quantize("int8", config=GPTQConfig([[1]], None))
    with pytest.raises(ArgumentError, match="no data to look at"):
        model.quantize(config=GPTQConfig(None, None))
