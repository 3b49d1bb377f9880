"""Tensors inside nested models, reached from the outer model's inputs."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, layers
from ramify.errors import DisconnectedError, GraphError


def backbone(depth: int = 0) -> Model:
    image = Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="first")(image)
    x = layers.BatchNormalization(name="norm")(x)
    for i in range(depth):
        x = layers.Conv2D(4, 1, name=f"more_{i}")(x)
    return Model(image, layers.Conv2D(4, 3, name="last")(x), name="backbone")


def classifier(inner: Model, **call) -> Model:
    photo = Input((8, 8, 3), name="photo")
    x = inner(layers.Rescaling(0.5)(photo), **call)
    return Model(photo, layers.Dense(2, name="head")(layers.GlobalAveragePooling2D()(x)), name="classifier")


def test_gradients_flow_from_the_answer_to_the_inner_activations():
    inner = backbone()
    model = classifier(inner)
    cam = Model(model.input, [inner.get_layer("last").output, model.output])
    x = torch.rand(2, 8, 8, 3)
    maps, answer = cam(x)
    torch.testing.assert_close(answer, model(x))
    torch.testing.assert_close(maps, inner(x * 0.5))
    maps.retain_grad()
    answer[:, 0].sum().backward()
    weight = model.get_layer("head").kernel[:, 0]
    torch.testing.assert_close(maps.grad, (weight / 16).expand_as(maps))


def test_the_inner_tensor_alone():
    inner = backbone()
    model = classifier(inner)
    x = torch.rand(2, 8, 8, 3)
    first = Model(model.input, inner.get_layer("first").output)
    torch.testing.assert_close(first(x), inner.get_layer("first")(x * 0.5))
    assert [layer.name for layer in first.layers] == ["photo", "rescaling", "first"]


def test_layers_and_their_outputs_stay_what_they_were():
    inner = backbone()
    model = classifier(inner)
    before = [layer.output for layer in [*model.layers, *inner.layers[1:]]]
    cam = Model(model.input, [inner.get_layer("last").output, model.output])
    gc.collect()
    assert all(
        a is b for a, b in zip(before, [layer.output for layer in [*model.layers, *inner.layers[1:]]], strict=True)
    )
    assert cam.get_layer("first") is inner.get_layer("first")
    assert cam.count_params() == model.count_params()


def test_three_levels_and_a_sequential_model_between():
    inner = backbone()
    middle = Sequential([Input((8, 8, 3)), layers.Rescaling(2.0), inner], name="middle")
    model = classifier(middle)
    x = torch.rand(2, 8, 8, 3)
    cam = Model(model.input, {"answer": model.output, "maps": inner.get_layer("norm").output})
    out = cam(x)
    torch.testing.assert_close(out["answer"], model(x))
    torch.testing.assert_close(out["maps"], inner.get_layer("norm")(inner.get_layer("first")(x)))


def test_an_inner_call_keeps_its_mode():
    inner = backbone()
    model = classifier(inner, training=False)
    cam = Model(model.input, [inner.get_layer("norm").output, model.output])
    before = inner.get_layer("norm").moving_mean.clone()
    cam(torch.rand(4, 8, 8, 3), training=True)
    torch.testing.assert_close(inner.get_layer("norm").moving_mean, before)


def test_masks_and_several_inputs():
    words, extra = Input((5,), dtype="int64", name="words"), Input((3,), name="extra")
    embedded = layers.Embedding(7, 4, mask_zero=True, name="embedding")(words)
    hidden = layers.LSTM(3, name="lstm")(embedded)
    encoder = Model({"words": words, "extra": extra}, layers.Concatenate()([hidden, extra]), name="encoder")
    a, b = Input((5,), dtype="int64", name="a"), Input((3,), name="b")
    model = Model([a, b], layers.Dense(1)(encoder({"words": a, "extra": b})))
    look = Model(model.input, [encoder.get_layer("lstm").output, model.output])
    x = [np.array([[1, 2, 0, 0, 0]]), np.ones((1, 3), "float32")]
    hidden, answer = look.predict(x, verbose=0)
    np.testing.assert_allclose(answer, model.predict(x, verbose=0), rtol=1e-6)
    only = Model(encoder.input, encoder.get_layer("lstm").output)
    np.testing.assert_allclose(hidden, only.predict({"words": x[0], "extra": x[1]}, verbose=0), rtol=1e-6)


def test_it_saves_trains_and_copies(tmp_path):
    inner = backbone()
    model = classifier(inner)
    cam = Model(model.input, [inner.get_layer("last").output, model.output])
    cam.save(tmp_path / "cam.keras")
    x = np.random.rand(2, 8, 8, 3).astype("float32")
    for a, b in zip(
        cam.predict(x, verbose=0), ramify.models.load_model(tmp_path / "cam.keras").predict(x, verbose=0), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_two_calls_are_ambiguous():
    inner = backbone()
    left, right = Input((8, 8, 3)), Input((8, 8, 3))
    twins = Model([left, right], [inner(left), inner(right)])
    with pytest.raises(GraphError, match=r"inside Functional 'backbone' exists once for each of the 2 calls"):
        Model(twins.inputs, inner.get_layer("first").output)
    one = Model(left, inner.get_layer("first").output)  # only one call follows from this input
    assert one.output_shape == (None, 6, 6, 4)


def test_a_model_that_the_inputs_do_not_lead_to_is_still_refused():
    inner = backbone()
    other = Input((8, 8, 3), name="other")
    with pytest.raises(DisconnectedError, match="needs the input 'image'"):
        Model(other, inner.get_layer("first").output)


def test_a_thousand_inner_layers():
    inner = backbone(1_000)
    model = classifier(inner)
    assert Model(model.input, [inner.get_layer("more_0").output, model.output]).output_shape[1] == (None, 2)
