"""Layers with quantized weights, against Keras's: outputs, gradients, files."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import layers, quantizers
from ramify.errors import ArgumentError, NotBuiltError

X2, X3 = (np.random.default_rng(i).normal(size=s).astype("float32") for i, s in enumerate([(3, 6), (3, 4, 6)]))
IDS = np.array([[1, 2, 0], [6, 6, 3]])
EINSUM = {"equation": "abc,cde->abde", "output_shape": (None, 2, 5), "bias_axes": "de"}
CASES = {
    "dense": ("Dense", {"units": 5, "activation": "relu"}, X2),
    "dense on three axes": ("Dense", {"units": 5}, X3),
    "einsum": ("EinsumDense", EINSUM, X3),
    "einsum turned": ("EinsumDense", {"equation": "abc,dc->abd", "output_shape": (None, 5)}, X3),
    "embedding": ("Embedding", {"input_dim": 7, "output_dim": 5}, IDS),
}
CONFIGS = {
    "int8": {},
    "int4": {},
    "float8": {},
    "int8, floats in": {"activation_quantizer": None},
    "int4, one block": {"block_size": None},
    "int4, blocks of 4": {"block_size": 4},
}


def config_of(module, name):
    mode = name.split(",")[0]
    kind = f"{mode.capitalize()}QuantizationConfig"
    return getattr(module, kind)(**CONFIGS[name])


def twins(case):
    name, options, x = CASES[case]
    ours, theirs = (getattr(module, name)(name="it", **options) for module in (layers, keras.layers))
    ours(x), theirs(x)
    theirs.set_weights(ours.get_weights())
    return ours, theirs, x


def combinations():
    tables = ("int8", "int4", "int4, one block", "int4, blocks of 4")  # what a table of vectors can be
    return [(case, config) for case in CASES for config in CONFIGS if case != "embedding" or config in tables]


@pytest.mark.parametrize(("case", "config"), combinations())
def test_as_keras(case, config):
    ours, theirs, x = twins(case)
    before = ours(x).detach()
    ours.quantize(config=config_of(quantizers, config))
    theirs.quantize(config=config_of(keras.quantizers, config))
    expected = theirs(x).detach().cpu().numpy()
    np.testing.assert_allclose(ours(x).detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    assert (ours(x) - before).abs().max() < 0.4 * before.abs().max()
    assert str(ours.dtype_policy.name) == theirs.dtype_policy.name
    assert ours.quantization_mode == theirs.quantization_mode
    stores = {}, {}
    ours.save_own_variables(stores[0])
    theirs.save_own_variables(stores[1])
    assert list(stores[0]) == list(stores[1])
    for key, mine in stores[0].items():
        np.testing.assert_allclose(np.asarray(mine.detach()), np.asarray(stores[1][key]), rtol=1e-6, err_msg=key)
    wanted = theirs.get_config()
    got = ours.get_config()
    assert got["dtype"] == wanted["dtype"]
    assert got["quantization_config"] == wanted["quantization_config"]


@pytest.mark.parametrize(("case", "config"), combinations())
def test_files_travel_both_ways(case, config, tmp_path):
    ours, theirs, x = twins(case)
    whole = np.issubdtype(x.dtype, np.integer)
    pair = []
    for module, layer in ((ramify, ours), (keras, theirs)):
        start = module.Input(x.shape[1:], dtype="int32" if whole else "float32")
        model = module.Model(start, layer(start))
        layer.quantize(config=config_of(module.quantizers, config))
        pair.append(model)
    expected = pair[0].predict(x, verbose=0)
    np.testing.assert_allclose(pair[1].predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5)
    pair[0].save(tmp_path / "ours.keras")
    pair[1].save(tmp_path / "theirs.keras")
    for loaded in (
        ramify.models.load_model(tmp_path / "ours.keras"),
        ramify.models.load_model(tmp_path / "theirs.keras"),
        keras.models.load_model(tmp_path / "ours.keras"),
    ):
        np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_table_that_goes_both_ways(mode):
    layer = layers.ReversibleEmbedding(7, 4)
    vectors = layer(torch.tensor([[1, 2]]))
    before = layer(vectors, reverse=True).detach()
    layer.quantize(mode)
    assert (layer(vectors, reverse=True) - before).abs().max() < 0.2 * before.abs().max()
    assert layer(torch.tensor([[1, 2]])).shape == (1, 2, 4)
    apart = layers.ReversibleEmbedding(7, 4, tie_weights=False)
    apart.build()
    with pytest.raises(ArgumentError, match="two tables"):
        apart.quantize(mode)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_gradients_reach_what_stands_before(mode):
    ours, theirs, x = twins("dense")
    gradients = []
    for layer in (ours, theirs):
        layer.quantize(mode)
        given = torch.tensor(x, requires_grad=True)
        layer(given).square().sum().backward()
        gradients.append(given.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)


def test_float8_scales_follow_the_largest_values():
    ours, theirs, x = twins("dense on three axes")
    for layer in (ours, theirs):
        layer.quantize("float8")
        for name in ("inputs", "kernel"):
            getattr(layer, f"{name}_amax_history").assign(np.linspace(0, 3, 1024, dtype="float32"))
    np.testing.assert_allclose(ours(x).detach(), theirs(x).detach(), rtol=1e-6)
    ours.train()
    ours(x).sum().backward()
    assert ours.inputs_amax_history[0] == np.abs(x).max()
    assert ours.inputs_scale == pytest.approx(3 / 448)
    assert ours.outputs_grad_amax_history[0] == 1


def test_a_layer_that_cannot_says_so():
    with pytest.raises(ArgumentError, match=r"Conv2D 'c' has no matrix of weights"):
        layers.Conv2D(1, 1, name="c").quantize("int8")
    dense = layers.Dense(2, name="d")
    with pytest.raises(NotBuiltError, match="Build it"):
        dense.quantize("int8")
    dense.build((None, 3))
    with pytest.raises(ArgumentError, match="no way to quantize"):
        dense.quantize("int7")
    with pytest.raises(ArgumentError, match="looks at data"):
        dense.quantize("gptq")
    dense.quantize("int8")
    with pytest.raises(ArgumentError, match="quantized already"):
        dense.quantize("int8")


def test_own_classes_have_to_be_asked_for():
    class Mine(layers.Dense):
        pass

    layer = Mine(2)
    layer.build((None, 3))
    with pytest.raises(ArgumentError, match="type_check=False"):
        layer.quantize("int8")
    layer.quantize("int8", type_check=False)
    assert layer(torch.ones(1, 3)).shape == (1, 2)


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
@pytest.mark.parametrize("equation", ["abc,bcd->ad", "...c,cd->...d"])  # where Keras raises
def test_equations_beyond_keras(equation, mode):
    layer = layers.EinsumDense(equation, output_shape=(5,))
    before = layer(X3).detach()
    layer.quantize(mode)
    assert (layer(X3) - before).abs().max() < 0.2 * before.abs().max()
