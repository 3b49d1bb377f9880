"""LoRA: forward, gradients, steps, configs and files are Keras's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError

RNG = np.random.default_rng(0)
CASES = {
    "dense": ("Dense", (4,), {"kernel_regularizer": "l2"}, (3,)),
    "einsum": ("EinsumDense", ("abc,cde->abde",), {"output_shape": (None, 4, 5), "bias_axes": "de"}, (3, 6)),
    "heads": ("EinsumDense", ("abcd,cde->abe",), {"output_shape": (None, 5), "activation": "tanh"}, (3, 2, 6)),
    "conv1d": ("Conv1D", (4, 3), {"padding": "causal"}, (8, 3)),
    "conv2d": ("Conv2D", (4, 3), {"strides": 2}, (8, 8, 3)),
    "pixel": ("Conv2D", (4, 1), {"activation": "relu"}, (8, 8, 3)),
    "grouped": ("Conv2D", (4, 3), {"groups": 2}, (8, 8, 4)),
    "embedding": ("Embedding", (7, 3), {}, (5,)),
}


def pair(case, **further):
    """The same model here and in Keras, with an update that is not zero, and a batch."""
    name, args, kwargs, shape = CASES[case]
    whole = name == "Embedding"
    made = []
    for library in (keras, ramify):
        inputs = library.Input(shape, dtype="int32" if whole else "float32")
        layer = getattr(library.layers, name)(*args, **kwargs, **further, name="one")
        made.append((library.Model(inputs, layer(inputs)), layer))
        if not further:
            layer.enable_lora(2, lora_alpha=6)
    (theirs, their), (ours, our) = made
    values = [RNG.normal(size=w.shape).astype("float32") for w in their.weights]
    their.set_weights(values)
    our.set_weights(values)
    x = RNG.integers(0, 7, (2, *shape)).astype("int32") if whole else RNG.normal(size=(2, *shape)).astype("float32")
    return theirs, ours, x


def layer_of(model):
    return model.layers[-1]


@pytest.mark.parametrize("case", CASES)
def test_weights_values_and_gradients_are_those_of_keras(case):
    theirs, ours, x = pair(case)
    names = [w.path for w in layer_of(theirs).trainable_variables]
    assert [w.path for w in layer_of(ours).trainable_variables] == names
    assert [w.name for w in layer_of(ours).weights] == [w.name for w in layer_of(theirs).weights]
    got, want = ours(torch.as_tensor(x)), theirs(torch.as_tensor(x))
    torch.testing.assert_close(got, want.cpu(), rtol=1e-5, atol=1e-5)
    (got.square().sum() + sum(ours.losses)).backward()
    (want.square().sum() + sum(theirs.losses)).backward()
    for mine, other in zip(layer_of(ours).trainable_variables, layer_of(theirs).trainable_variables, strict=True):
        torch.testing.assert_close(mine.grad, other.value.grad.cpu(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", ["dense", "heads", "conv2d", "embedding"])
def test_steps_are_those_of_keras_and_leave_the_weight_alone(case):
    theirs, ours, x = pair(case)
    y = RNG.normal(size=ours(torch.as_tensor(x)).shape).astype("float32")
    before = layer_of(ours).get_weights()[0]
    for model in (theirs, ours):
        model.compile("adam", "mse")
        for _ in range(3):
            model.train_on_batch(x, y)
    for mine, other in zip(layer_of(ours).get_weights(), layer_of(theirs).get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer_of(ours).get_weights()[0], before)


@pytest.mark.parametrize("case", ["dense", "einsum", "conv2d", "embedding"])
@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_files_hold_the_sum_and_go_both_ways(case, ending, tmp_path):
    theirs, ours, x = pair(case)
    want = theirs.predict(x, verbose=0)
    for writer, reader in ((theirs, ramify), (ours, keras), (ours, ramify)):
        path = str(tmp_path / f"model{ending}")
        if ending == ".keras":
            writer.save(path)
            read = reader.saving.load_model(path)
        else:
            writer.save_weights(path)
            read = pair(case)[1 if reader is ramify else 0]
            read.load_weights(path)
        np.testing.assert_allclose(read.predict(x, verbose=0), want, rtol=1e-5, atol=1e-5)
        assert layer_of(read).lora_enabled
        if reader is ramify:
            a, b = layer_of(read).lora_factors()
            assert not b.any()
            assert a.any(), "the update can be trained on"


def test_a_file_without_an_update_fits_a_layer_with_one(tmp_path):
    plain = ramify.Sequential([ramify.Input((3,)), ramify.layers.Dense(4)])
    path = str(tmp_path / "plain.weights.h5")
    plain.save_weights(path)
    tuned = ramify.Sequential([ramify.Input((3,)), ramify.layers.Dense(4, lora_rank=2)])
    tuned.load_weights(path)
    x = torch.randn(2, 3)
    torch.testing.assert_close(tuned(x), plain(x))


@pytest.mark.parametrize("name", ["dense", "conv1d", "embedding"])
def test_configs_are_those_of_keras(name):
    theirs, ours, _ = pair(name, lora_rank=2)
    keys = [key for key in layer_of(theirs).get_config() if key.startswith("lora")]
    config = layer_of(ours).get_config()
    assert {key: config[key] for key in keys} == {"lora_rank": 2, "lora_alpha": 2}
    again = type(layer_of(ours)).from_config(config)
    assert (again.lora_rank, again.lora_alpha, again.lora_enabled) == (2, 2, False)
    plain = getattr(ramify.layers, CASES[name][0])(*CASES[name][1])
    assert not [key for key in plain.get_config() if key.startswith("lora")]


@pytest.mark.parametrize("mode", ["int8", "int4"])
@pytest.mark.parametrize("first", ["update", "quantized"])
def test_quantized_weights_take_an_update(mode, first, tmp_path):
    layer = ramify.layers.Dense(4, name="one")
    model = ramify.Sequential([ramify.Input((128,)), layer])
    steps = [lambda: layer.enable_lora(2), lambda: layer.quantize(mode)]
    for step in steps if first == "update" else steps[::-1]:
        step()
    assert {w.name for w in layer.trainable_weights} == {"bias", "lora_kernel_a", "lora_kernel_b"}
    x = torch.randn(5, 128)
    without = model(x)
    with torch.no_grad():
        layer.lora_kernel_b.normal_()
    a, b = layer.lora_factors()
    torch.testing.assert_close(model(x) - without, x @ a @ b, rtol=1e-4, atol=1e-4)
    model(x).sum().backward()
    assert layer.lora_kernel_a.grad.any()
    store: dict[str, torch.Tensor] = {}
    layer.save_own_variables(store)
    kept = {key: (tuple(value.shape), value.dtype) for key, value in store.items()}
    assert kept == {str(i): (tuple(w.shape), w.dtype) for i, w in enumerate(layer.saved_weights())}
    whole = (layer.whole_weight() + a @ b).detach()
    model.save(str(tmp_path / "q.keras"))
    read = ramify.saving.load_model(str(tmp_path / "q.keras"))
    step = (whole.abs().amax() / (127 if mode == "int8" else 7)).item()
    assert (read.layers[-1].whole_weight() - whole).abs().max() <= step


def test_the_table_backwards_has_the_update():
    layer = ramify.layers.ReversibleEmbedding(5, 3)
    layer.build((None, 2))
    layer.enable_lora(2, b_initializer="ones")
    x = torch.randn(2, 3)
    torch.testing.assert_close(layer(x, reverse=True), x @ layer.updated_weight().t())


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda layer: None, "not built yet"),
        (lambda layer: (layer.build((None, 3)), layer.enable_lora(2)), "has one already"),
        (lambda layer: (layer.build((None, 3)), layer.quantize("float8")), "float8"),
    ],
)
def test_what_takes_no_update_says_so(prepare, words):
    layer = ramify.layers.Dense(4)
    prepare(layer)
    with pytest.raises(ArgumentError, match=words):
        layer.enable_lora(2)


def test_an_update_refuses_float8_and_ranks_below_one():
    layer = ramify.layers.Dense(4, lora_rank=2)
    layer.build((None, 3))
    with pytest.raises(ArgumentError, match="float8"):
        layer.quantize("float8")
    other = ramify.layers.Dense(4)
    other.build((None, 3))
    with pytest.raises(ArgumentError, match="positive whole number as rank"):
        other.enable_lora(0)
