"""`clone_model`."""

from __future__ import annotations

import pytest
import torch

from ramify import Input, Model, Sequential, layers
from ramify.errors import ArgumentError, InputError
from ramify.models.clone import clone_model
from ramify.saving import load_model

X = torch.ones(2, 4)


def build():
    i = Input((4,))
    inner = Model(i, layers.Dense(4)(i), name="inner")
    x = Input((4,), name="x")
    dense = layers.Dense(4, name="dense_a")
    stack = Sequential([layers.Dense(3)], name="stack")
    return Model(x, {"y": dense(inner(dense(x))) * 2.0, "z": stack(x)}, name="net")


def test_new_layers_and_equal_results():
    model = build()
    copy = clone_model(model)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    assert copy.name == "net"
    assert not set(map(id, copy.weights)) & set(map(id, model.weights))
    copy.set_weights(model.get_weights())
    for key, value in model(X).items():
        torch.testing.assert_close(copy(X)[key], value)


def test_functions_for_cloning_and_calling():
    seen, called = [], []

    def clone(layer):
        seen.append(layer.name)
        if isinstance(layer, layers.Dense):
            return layers.Dense(layer.units, use_bias=False, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    def call(layer, *args, **kwargs):
        called.append(layer.name)
        return layer(*args, **kwargs)

    copy = clone_model(build(), clone_function=clone, call_function=call)
    assert sorted(seen) == ["dense_a", "inner", "stack"]
    assert called.count("dense_a") == 2
    assert len(copy.get_layer("dense_a").weights) == 1
    assert len(copy.get_layer("inner").weights) == 2
    deep = clone_model(build(), clone_function=clone, recursive=True)
    assert len(deep.get_layer("inner").weights) == 1


def test_other_inputs():
    x = Input((4,), batch_size=5)
    copy = clone_model(build(), input_tensors=x)
    assert copy.output_shape["y"] == (5, 4)
    stack = clone_model(Sequential([layers.Dense(2)]), input_tensors=x)
    assert stack.output_shape == (5, 2)
    with pytest.raises(InputError, match="1 inputs, but 2"):
        clone_model(build(), input_tensors=[x, x])


def test_sequential_and_subclassed():
    model = Sequential([Input((4,)), layers.Dense(2), layers.Dropout(0.5)], name="s")
    copy = clone_model(model, clone_function=lambda layer: layers.Dense(7) if layer.name == "dense" else layer)
    assert copy.output_shape == (None, 7)

    class Own(Model):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units, self.dense = units, layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    assert clone_model(Own(5)).units == 5
    with pytest.raises(ArgumentError, match="Python code of its own"):
        clone_model(Own(5), clone_function=lambda layer: layer)
    with pytest.raises(ArgumentError, match="calls its layers itself"):
        clone_model(model, call_function=lambda layer, x: layer(x))


def test_masks_and_arguments_are_kept():
    x = Input((5,), dtype="int32")
    h = layers.Embedding(9, 4, mask_zero=True)(x)
    model = Model(x, layers.Dropout(0.5)(layers.LSTM(3)(h), training=False))
    copy = clone_model(model)
    copy.set_weights(model.get_weights())
    data = torch.tensor([[1, 2, 0, 0, 0]])
    torch.testing.assert_close(copy(data, training=True), model(data))


def sharing_across_levels():
    """One layer in a model, in a model within it, in a stack within that, and in a wrapper."""
    shared = layers.Dense(4, name="shared")
    stack = Sequential([Input((4,)), layers.ReLU(), shared], name="stack")
    i = Input((4,))
    inner = Model(i, stack(shared(i)), name="inner")
    x = Input((3, 4))
    y = layers.TimeDistributed(shared)(x)
    return Model(x, shared(inner(layers.Flatten()(layers.Cropping1D((0, 2))(y)))), name="outer")


@pytest.mark.parametrize("how", ["default", "function", "recursive", "recursive function"])
def test_what_is_shared_across_levels_stays_shared(how):
    def clone(layer):
        return type(layer).from_config(layer.get_config())

    model = sharing_across_levels()
    assert model.count_params() == 20
    function = {"clone_function": clone} if "function" in how else {}
    copy = clone_model(model, recursive="recursive" in how, **function)
    if how == "default":
        assert copy.count_params() == 20
        copy.set_weights(model.get_weights())
        data = torch.randn(2, 3, 4)
        torch.testing.assert_close(copy(data), model(data))
    elif "recursive" in how:  # wrappers are the function's own affair
        assert copy.get_layer("shared") is copy.get_layer("inner").get_layer("shared")
        assert copy.get_layer("shared") is copy.get_layer("inner").get_layer("stack").get_layer("shared")
    assert not set(map(id, copy.weights)) & set(map(id, model.weights))
    assert clone_model(copy).count_params() == copy.count_params()


def test_layers_that_share_a_cell():
    cell = layers.LSTMCell(3)
    x = Input((5, 3))
    model = Model(x, layers.RNN(cell)(layers.RNN(cell, return_sequences=True)(x)))
    copy = clone_model(model)
    assert copy.count_params() == model.count_params()
    assert copy.layers[1].cell is copy.layers[2].cell is not cell


def test_a_model_that_is_loaded_while_another_one_is_made_has_numbers_of_its_own(tmp_path):
    place = tmp_path / "inner.keras"
    sharing_across_levels().save(place)

    class Backbone(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = load_model(place)

        def call(self, x):
            return self.inner(x)

    x = Input((3, 4))
    shared = layers.Dense(4, name="other")
    model = Model(x, shared(layers.TimeDistributed(shared)(Backbone()(x)[:, None]))[:, 0])
    model.save(tmp_path / "outer.keras")
    loaded = load_model(tmp_path / "outer.keras", custom_objects={"Backbone": Backbone})
    assert loaded.count_params() == model.count_params() == 40
    data = torch.randn(2, 3, 4)
    torch.testing.assert_close(loaded(data), model(data))
