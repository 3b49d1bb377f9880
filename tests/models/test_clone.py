"""`clone_model`."""

from __future__ import annotations

import pytest
import torch

from ramify import Input, Model, Sequential, layers
from ramify.errors import ArgumentError, InputError
from ramify.models.clone import clone_model

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
