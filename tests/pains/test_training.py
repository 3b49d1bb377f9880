"""What hurt people in the Functional API for years, held as promises: several outputs, freezing, masks, losses."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, layers
from ramify.errors import ArgumentError

X = np.linspace(-1, 1, 16, dtype="float32").reshape(4, 4)


def two_heads(**last) -> Model:
    a = Input((4,), name="a")
    outputs = {"kind": layers.Dense(2, name="d1", **last)(a), "price": layers.Dense(2, name="d2", **last)(a)}
    return Model(a, outputs)


def test_losses_and_metrics_go_by_output_keys_not_by_layer_names():  # TF#34691, K#13656, K#21675
    model = two_heads()
    model.compile("sgd", {"kind": "mse", "price": "mae"}, metrics={"price": ["mse"]}, loss_weights={"kind": 0.5})
    history = model.fit(X, {"kind": X[:, :2], "price": X[:, 2:]}, verbose=0).history
    assert set(history) == {"kind_loss", "loss", "price_loss", "price_mse"}


def test_metrics_reach_the_right_head_and_the_weighted_sum_is_the_loss():  # K#22625, K#18993, K#19219
    model = two_heads()
    model.compile("sgd", "mse", metrics={"kind": "mse", "price": "mse"}, loss_weights={"kind": 0.25, "price": 3.0})
    logs = model.evaluate(X, {"kind": X[:, :2] * 9, "price": X[:, 2:]}, verbose=0, return_dict=True)
    assert logs["kind_mse"] == pytest.approx(logs["kind_loss"], rel=1e-5)
    assert logs["price_mse"] == pytest.approx(logs["price_loss"], rel=1e-5)
    assert logs["loss"] == pytest.approx(0.25 * logs["kind_loss"] + 3 * logs["price_loss"], rel=1e-5)


def test_class_weights_for_each_head():  # K#11735, K#14377
    labels = {"kind": np.array([0, 1, 0, 1]), "price": np.array([1, 1, 0, 0])}
    losses = []
    for weights in ({"kind": {0: 1.0, 1: 1.0}}, {"kind": {0: 0.0, 1: 0.0}}):
        ramify.utils.set_random_seed(0)
        model = two_heads(activation="softmax")
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses.append(model.fit(X, labels, class_weight=weights, verbose=0).history)
    assert losses[1]["kind_loss"][0] == 0
    assert losses[0]["price_loss"] == losses[1]["price_loss"]


def test_a_head_without_sample_weights_weighs_one():  # K#2592, K#12708
    model = two_heads()
    model.compile("sgd", "mse")
    targets = {"kind": X[:, :2], "price": X[:, 2:]}
    full = model.evaluate(X, targets, verbose=0, return_dict=True)
    part = model.evaluate(X, targets, sample_weight={"kind": np.zeros(4)}, verbose=0, return_dict=True)
    assert part["kind_loss"] == 0
    assert part["price_loss"] == pytest.approx(full["price_loss"])


def test_frozen_batch_normalization_keeps_its_statistics():  # K#9522, K#7085
    a = Input((4,))
    norm = layers.BatchNormalization()
    model = Model(a, layers.Dense(2)(norm(a)))
    norm.trainable = False
    model.compile("sgd", "mse")
    before = [w.copy() for w in norm.get_weights()]
    model.fit(X + 5, X[:, :2], epochs=3, verbose=0)
    assert all((a == b).all() for a, b in zip(before, norm.get_weights(), strict=True))


@pytest.mark.parametrize("nested", [False, True])
def test_padding_does_not_change_the_result(nested):  # K#18416, TF#47069
    words = Input((None,), dtype="int64")
    x = layers.Embedding(5, 4, mask_zero=True)(words)
    if nested:
        inner = Input((None, 4))
        x = Model(inner, layers.TimeDistributed(layers.Dense(4))(inner))(x)
    model = Model(words, layers.LSTM(3)(layers.add([x, x])))
    long = np.array([[1, 2, 0, 0]])
    np.testing.assert_allclose(model.predict(long, verbose=0), model.predict(long[:, :2], verbose=0), rtol=1e-6)


def test_a_symbolic_loss_says_where_losses_belong():  # handson-ml3#172
    a = Input((4,))
    hidden = layers.Dense(4)(a)
    model = Model(a, layers.Dense(2)(hidden))
    with pytest.raises(ArgumentError, match=r"symbolic tensor.*in the `call` of a layer"):
        model.add_loss(ramify.ops.mean(hidden**2))


def test_predict_costs_little_more_than_a_call_and_keeps_nothing():  # K#13118, TF#44711, TF#33340
    model = two_heads()
    model.predict(X, verbose=0)
    alive = sum(type(obj) is torch.Tensor for obj in gc.get_objects())
    for _ in range(50):
        model.predict(X, verbose=0)
    assert sum(type(obj) is torch.Tensor for obj in gc.get_objects()) <= alive + 2


def test_a_custom_step_survives_the_file(tmp_path):  # K#21546, K#20979, TF#46530
    @ramify.saving.register_keras_serializable("pains")
    class Flagged(Model):
        def __init__(self, *args, flag=0, **kwargs):
            super().__init__(*args, **kwargs)
            self.flag = flag

        def train_step(self, data):
            return {**super().train_step(data), "flag": float(self.flag)}

        def get_config(self):
            return {**super().get_config(), "flag": self.flag}

    a = Input((4,))
    model = Flagged(a, layers.Dense(2)(a), flag=7)
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    copy = ramify.models.load_model(tmp_path / "m.keras")
    assert type(copy) is Flagged
    assert copy.fit(X, X[:, :2], verbose=0).history["flag"] == [7.0]


def test_shared_layers_are_one_layer_after_loading(tmp_path):  # K#10898, K#9571, K#7116
    shared = layers.Dense(4)
    a, b = Input((4,)), Input((4,))
    inner = Model(a, shared(a))
    model = Model(b, shared(inner(b)))
    model.save(tmp_path / "m.keras")
    copy = ramify.models.load_model(tmp_path / "m.keras")
    assert copy.count_params() == model.count_params() == 20
    copy.compile("sgd", "mse")
    copy.fit(X, X, verbose=0)
    assert len(copy.trainable_variables) == 2
