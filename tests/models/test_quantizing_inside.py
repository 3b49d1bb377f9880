"""Quantizing layers that are parts of other layers: attention's projections, what wrappers hold, users' own parts."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, layers, quantizers

X = np.random.default_rng(0).normal(size=(3, 6, 8)).astype("float32")
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")  # Keras's
MODES = ["int8", "int4", "float8"]


def attending(library, gate=False):
    ramify.utils.set_random_seed(1)
    start = library.Input((6, 8))
    several = library.layers.MultiHeadAttention(2, 4, name="mha", use_gate=gate)(start, start)
    grouped = library.layers.GroupQueryAttention(4, 4, 2, name="gqa")(start, start)
    return library.Model(start, library.layers.Add()([several, grouped]))


@ramify.saving.register_keras_serializable("quantizing")
class Block(layers.Layer):
    """A user's layer: one part is built by `build`, the other by its first call."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.parts = [layers.Dense(units, name="first"), layers.Dense(units, name="second")]

    def build(self, input_shape):
        self.parts[0].build(input_shape)

    def call(self, x):
        return self.parts[1](torch.relu(self.parts[0](x)))


@ramify.saving.register_keras_serializable("quantizing")
class Whole(Model):
    """A user's model, with an attention layer and a block."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(2, 4, name="attention")
        self.block = Block(8, name="block")

    def call(self, x):
        return self.block(self.attention(x, x))


def blocks():
    start = Input((6, 8))
    x = layers.TimeDistributed(layers.Dense(8, name="inner"), name="shared")(Block(8, name="block")(start))
    return Model(start, layers.TimeDistributed(Block(4, name="deep"), name="td")(x))


def parts(model):
    """Path -> how it is quantized, for all that could be."""
    return {
        getattr(one, one.matrix_name).path.rpartition("/")[0]: one.quantization_mode
        for one in model.modules()
        if isinstance(one, (layers.Dense, layers.EinsumDense))
    }


def near(got, want):
    """Equal, but that a number on the edge between two of the 127 steps may be rounded either way."""
    np.testing.assert_allclose(got, want, rtol=0, atol=2 / 127 * np.abs(want).max())


def predict(model):
    return np.asarray(model.predict(X, verbose=0))


@pytest.mark.parametrize("gate", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_attention_is_quantized_as_in_keras(mode, gate, tmp_path):
    ours, theirs = attending(ramify, gate), attending(keras, gate)
    theirs.set_weights(ours.get_weights())
    before = predict(ours)
    ours.quantize(mode)
    theirs.quantize(mode)
    done = {one.path: one.quantization_mode for one in theirs._flatten_layers() if hasattr(one, "kernel")}
    assert parts(ours) == done
    assert set(done.values()) == {mode}
    after = predict(ours)
    near(after, predict(theirs))
    assert 0 < np.abs(after - before).mean() < (0.4 if mode == "int4" else 0.1) * np.abs(before).mean()
    # Weights travel both ways between models that are quantized alike; Keras's own .keras file, Keras cannot read.
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    fresh = attending(ramify, gate), attending(keras, gate)
    for model, file in zip(fresh, ("theirs", "ours"), strict=True):
        model.quantize(mode)
        model.load_weights(tmp_path / f"{file}.weights.h5")
        near(predict(model), after)
    # Ours, both can.
    ours.save(tmp_path / "ours.keras")
    loaded = ramify.models.load_model(tmp_path / "ours.keras")
    assert parts(loaded) == done
    np.testing.assert_array_equal(predict(loaded), after)
    near(predict(keras.models.load_model(tmp_path / "ours.keras")), after)
    loaded.save(tmp_path / "again.keras")
    np.testing.assert_array_equal(predict(ramify.models.load_model(tmp_path / "again.keras")), after)


@pytest.mark.parametrize("make", [blocks, Whole])
@pytest.mark.parametrize("mode", MODES)
def test_parts_of_own_layers_come_back_from_a_file(make, mode, tmp_path):
    model = make()
    before = predict(model)
    model.quantize(mode)
    assert set(parts(model).values()) == {mode}
    after = predict(model)
    assert 0 < np.abs(after - before).max() < 0.5 * np.abs(before).max()
    model.save(tmp_path / "m.keras")
    loaded = ramify.models.load_model(tmp_path / "m.keras")
    assert sorted(parts(loaded).values()) == sorted(parts(model).values())
    np.testing.assert_array_equal(predict(loaded), after)


@pytest.mark.parametrize(
    "config",
    [
        quantizers.Int8QuantizationConfig(activation_quantizer=None),
        quantizers.Int4QuantizationConfig(block_size=4),
        quantizers.GPTQConfig(list(X), None, group_size=4),
        quantizers.AWQConfig(list(X), None, group_size=4),
    ],
    ids=lambda config: config.policy,
)
@pytest.mark.parametrize("make", [lambda: attending(ramify), blocks])
def test_other_configs(make, config, tmp_path):
    model = make()
    before = predict(model)
    model.quantize(config=config)
    after = predict(model)
    assert 0 < np.abs(after - before).mean() < 0.5 * np.abs(before).mean()
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(predict(ramify.models.load_model(tmp_path / "m.keras")), after)


def test_filters_and_what_stays_whole():
    model = attending(ramify)
    model.quantize("int8", filters="mha/(query|key)")
    assert {path for path, mode in parts(model).items() if mode} == {"mha/query", "mha/key"}
    start = Input((8,))
    normed = layers.SpectralNormalization(layers.Dense(4, name="normed"))
    model = Model(start, layers.Dense(2)(normed(start)))
    model.quantize("int8")  # the wrapper goes on to divide the kernel of its layer
    assert not normed.layer.is_quantized
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 8)), np.ones((4, 2)), verbose=0)


def test_updates_of_projections_count():
    """LoRA of a projection, as in Keras, changes what attention computes."""
    pair = attending(ramify), attending(keras)
    pair[1].set_weights(pair[0].get_weights())
    for model in pair:
        dense = model.get_layer("mha").query_dense
        dense.enable_lora(2)
        dense.lora_kernel_b.assign(np.ones((2, 4), "float32"))
        dense.lora_kernel_a.assign(np.ones((8, 2, 2), "float32"))
    np.testing.assert_allclose(predict(pair[0]), predict(pair[1]), rtol=1e-4, atol=1e-5)


def test_hooks_of_projections_run():
    layer, seen = layers.MultiHeadAttention(2, 4), []
    x = torch.as_tensor(X)
    layer(x, x)
    layer.value_dense.register_forward_hook(lambda *found: seen.append(found[2].shape))
    layer(x, x)
    assert seen == [(3, 6, 2, 4)]
