"""Classes, functions and models of one's own in files; configs; JSON."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, layers, saving
from ramify.errors import FileFormatError

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own

X = torch.linspace(-1, 1, 12).reshape(3, 4)


class Block(layers.Layer):
    """Layers in attributes, lists, dicts and tuples; a private one, one under a property, weights of both kinds."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = layers.Dense(units)
        self._hidden = layers.Dense(units)
        self.many = [layers.Dense(units), [layers.Dense(units)], layers.Dense(units)]
        self.named = {"u": layers.Dense(units), "t": layers.Dense(units)}
        self.pair = (layers.Dense(units), layers.BatchNormalization())

    @property
    def shown(self):
        return self._hidden

    def build(self, input_shape):
        self.count = self.add_weight(shape=(), trainable=False, initializer="ones", name="count")
        self.scale = self.add_weight(shape=(self.units,), initializer="random_normal", name="scale")

    def call(self, x):
        for layer in (self.first, self._hidden, self.many[0], self.many[1][0], self.many[2], self.named["u"]):
            x = layer(x)
        return self.pair[1](self.pair[0](self.named["t"](x))) * self.scale + self.count


class Sub(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.encoder = Sequential([layers.Dense(units), layers.Dropout(0.5)])
        self._head = layers.Dense(2)
        self.blocks = [layers.Dense(units), layers.Dense(units)]

    def call(self, x):
        x = self.encoder(x)
        for block in self.blocks:
            x = block(x)
        return self._head(x)


def same(a, b):
    torch.testing.assert_close(a(X), b(X), rtol=0, atol=0)


def test_a_layer_of_ones_own(tmp_path):
    x = Input((4,))
    model = Model(x, layers.Dense(2)(Block(4, name="own")(x)))
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileFormatError, match=r"Unknown layer 'Block'.*custom_objects"):
        saving.load_model(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras", custom_objects={"Block": Block}))
    with saving.custom_object_scope({"Block": Block}):
        same(model, saving.load_model(tmp_path / "m.keras"))


def test_a_registered_layer(tmp_path):
    @saving.register_keras_serializable("tests")
    class Registered(Block):
        pass

    x = Input((4,))
    model = Model(x, Registered(4)(x))
    assert json.loads(model.to_json())["config"]["layers"][1]["registered_name"] == "tests>Registered"
    model.save(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras"))


def keras_twin():
    class Twin(keras.layers.Layer):
        def __init__(self, units=4, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.first = keras.layers.Dense(units)
            self._hidden = keras.layers.Dense(units)
            self.many = [keras.layers.Dense(units), [keras.layers.Dense(units)], keras.layers.Dense(units)]
            self.named = {"u": keras.layers.Dense(units), "t": keras.layers.Dense(units)}
            self.pair = (keras.layers.Dense(units), keras.layers.BatchNormalization())

        shown = Block.shown

        def build(self, input_shape):
            self.count = self.add_weight(shape=(), trainable=False, initializer="ones", name="count")
            self.scale = self.add_weight(shape=(self.units,), initializer="random_normal", name="scale")

        call = Block.call

    Twin.__name__ = "Block"
    return Twin


def test_weights_of_an_own_layer_stand_where_keras_puts_them(tmp_path):
    x, y = Input((4,)), keras.Input((4,))
    ours, theirs = Model(x, Block(4)(x)), keras.Model(y, keras_twin()(4)(y))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    np.testing.assert_allclose(ours(X).detach(), theirs(X).detach(), rtol=1e-5, atol=1e-6)
    ours.set_weights([np.random.default_rng(0).uniform(0.1, 1, w.shape).astype("float32") for w in ours.get_weights()])
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_allclose(theirs(X).detach(), ours(X).detach(), rtol=1e-4, atol=1e-5)


def test_a_subclassed_model(tmp_path):
    model = Sub(5)
    model(X)
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"Sub": Sub})
    assert loaded.units == 5
    same(model, loaded)
    model.save_weights(tmp_path / "m.weights.h5")
    fresh = Sub(5)
    with pytest.raises(FileFormatError, match="not built yet"):
        fresh.load_weights(tmp_path / "m.weights.h5")
    fresh(X)
    fresh.load_weights(tmp_path / "m.weights.h5")
    same(model, fresh)


def test_a_subclassed_model_inside_a_functional_one(tmp_path):
    x = Input((4,))
    model = Model(x, layers.Dense(1)(Sub(3, name="inner")(x)))
    model.save(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras", custom_objects={"Sub": Sub}))


def test_hooks_for_weights_and_assets(tmp_path):
    class Table(layers.Layer):
        words = ()

        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,), initializer="zeros")

        def call(self, x):
            return x + self.w.sum()

        def save_own_variables(self, store):
            store["doubled"] = self.w.numpy() * 2

        def load_own_variables(self, store):
            self.w.assign(store["doubled"] / 2)

        def save_assets(self, dir_path):
            (tmp_path.__class__(dir_path) / "words.txt").write_text(" ".join(self.words))

        def load_assets(self, dir_path):
            self.words = tuple((tmp_path.__class__(dir_path) / "words.txt").read_text().split())

    x = Input((4,))
    layer = Table(name="table")
    model = Model(x, layer(x))
    layer.w.assign([3.0, 4.0])
    layer.words = ("alpha", "beta")
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"Table": Table})
    assert loaded.get_layer("table").words == ("alpha", "beta")
    same(model, loaded)


def test_lambdas_go_by_name(tmp_path):
    @saving.register_keras_serializable("tests")
    def halved(x):
        return x / 2

    def own(x, power=1):
        return x**power

    x = Input((4,))
    model = Model(x, layers.Lambda(own, arguments={"power": 2})(layers.Lambda(halved)(x)))
    model.save(tmp_path / "m.keras")
    same(model, saving.load_model(tmp_path / "m.keras", custom_objects={"own": own}))
    with pytest.raises(FileFormatError, match="'own'"):
        saving.load_model(tmp_path / "m.keras")
    anonymous = Model(x, layers.Lambda(lambda v: v * 3)(x))
    anonymous.save(tmp_path / "a.keras")
    same(anonymous, saving.load_model(tmp_path / "a.keras", safe_mode=False))
    assert ramify.registry.is_safe()


def test_json_and_objects():
    x = Input((4,))
    model = Model(x, layers.Dense(3, activation="relu", kernel_regularizer="l2")(x), name="net")
    model.compile("adam", loss="mse")
    text = model.to_json(indent=1)
    again = saving.model_from_json(text)
    assert json.loads(again.to_json()) == json.loads(text)
    assert isinstance(keras.models.model_from_json(text), keras.Model)
    things = (layers.Dense(3), ramify.initializers.HeNormal(seed=3), np.arange(3), [1, {"a": (2.0, None)}], slice(1, 2))
    for thing in things:
        data = json.loads(json.dumps(saving.serialize_keras_object(thing)))
        back = saving.deserialize_keras_object(data)
        assert saving.serialize_keras_object(back) == json.loads(json.dumps(data)) or isinstance(thing, list)
    assert saving.deserialize_keras_object(saving.serialize_keras_object(np.arange(3))).tolist() == [0, 1, 2]


def test_keras_reads_our_objects():
    for thing in (layers.Dense(3, activation="gelu"), ramify.initializers.HeNormal(seed=3), layers.LSTM(2)):
        there = keras.saving.deserialize_keras_object(saving.serialize_keras_object(thing))
        assert type(there).__name__ == type(thing).__name__
        assert {"units", "seed"} & set(there.get_config())


def test_safetensors_have_the_names_of_the_state_dict(tmp_path):
    import safetensors.torch

    x = Input((4,))
    inner = Sequential([Input((4,)), layers.Dense(4), layers.BatchNormalization()], name="inner")
    model = Model(x, layers.Dense(2)(inner(inner(x))))
    model.save_weights(tmp_path / "m.safetensors")
    there = safetensors.torch.load_file(tmp_path / "m.safetensors")
    assert set(there) == set(model.state_dict())
    fresh = ramify.models.clone.clone_model(model)
    fresh.load_weights(tmp_path / "m.safetensors")
    same(model, fresh)
    fresh.load_state_dict(there)


def test_a_wrapped_torch_module(tmp_path):
    x = Input((4,))
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    model = Model(x, layers.TorchModuleWrapper(net)(x))
    model.save_weights(tmp_path / "m.weights.h5")
    before = model(X)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1)
    model.load_weights(tmp_path / "m.weights.h5")
    torch.testing.assert_close(model(X), before)
