"""The base class: weights, and the parts that a layer finds in itself."""

from __future__ import annotations

import copy

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ShapeError
from ramify.layers import Dense, Input, Layer
from tests.layers.scale import Scale


class TestWeights:
    def test_shapes_must_be_known(self):
        with pytest.raises(ShapeError, match=r"cannot make the weight 'gain' of shape \(None,\)"):
            Scale()(Input((None,)))

    def test_parameters_and_buffers(self):
        layer = Scale()
        layer.build((None, 3))
        assert [n for n, _ in layer.named_parameters()] == ["gain"]
        assert [n for n, _ in layer.named_buffers()] == ["seen"]
        assert [w.name for w in layer.trainable_weights] == ["gain"]
        assert [w.name for w in layer.non_trainable_weights] == ["seen"]
        assert layer.count_params() == 4

    def test_unassigned_weights_are_kept(self):
        class Loose(Layer):
            def build(self, input_shape):
                self.add_weight(shape=(2,), name="lost")
                self.kept = [self.add_weight(shape=(1,), name=f"w{i}") for i in range(2)]

            def call(self, x):
                return x

        layer = Loose()
        layer.build((None, 1))
        assert sorted(w.name for w in layer.weights) == ["lost", "w0", "w1"]

    def test_frozen_before_it_is_built(self):
        layer = Dense(2, trainable=False)
        layer.build((None, 2))
        assert not layer.kernel.requires_grad
        layer.trainable = True
        assert layer.kernel.requires_grad

    def test_regularizers_and_constraints(self):
        layer = Dense(2, kernel_regularizer=lambda w: w.abs().sum(), kernel_constraint="non_neg")
        layer.build((None, 3))
        torch.testing.assert_close(layer.losses[0], layer.kernel.abs().sum())
        assert layer.kernel.constraint is not None

    def test_moving_keeps_variables_variables(self):
        layer = Scale()
        layer.build((None, 3))
        layer.double()
        assert layer.seen.dtype is torch.float64
        assert layer.seen.path.endswith("seen")
        assert [w.name for w in layer.weights] == ["gain", "seen"]


class TestTracking:
    def test_lists_dicts_and_tuples(self):
        class Many(Layer):
            def __init__(self):
                super().__init__()
                self.stack = []
                self.stack.append(Dense(1))
                self.stack += [Dense(1)]
                self.table = {"a": Dense(1)}
                self.table["b"] = [Dense(1), {"c": Dense(1)}]
                self.pair = (Dense(1), torch.nn.Linear(1, 1))
                self.plain = [1, 2, 3]

            def call(self, x):
                return sum(layer(x) for layer in self.stack)

        layer = Many()
        assert sum(isinstance(m, Dense) for m in layer.modules()) == 6
        layer.stack.pop()
        assert sum(isinstance(m, Dense) for m in layer.modules()) == 5
        assert layer.plain == [1, 2, 3]
        layer.stack = [Dense(1)]
        assert sum(isinstance(m, Dense) for m in layer.modules()) == 5

    def test_copies_track_for_themselves(self):
        class Many(Layer):
            def __init__(self):
                super().__init__()
                self.stack = [Dense(1)]

            def call(self, x):
                return x

        layer = Many()
        other = copy.deepcopy(layer)
        other.stack.append(Dense(1))
        assert len(layer._modules["stack"]) == 1
        assert len(other._modules["stack"]) == 2


def test_weights_that_were_read_stay_as_they_are_when_training_goes_on():
    model = ramify.Sequential([ramify.Input((3,)), ramify.layers.Dense(1, kernel_initializer="ones")])
    kept, kernel = model.get_weights(), model.layers[-1].kernel.numpy()
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    assert (kept[0] == 1).all()
    assert (kernel == 1).all()
    assert (model.get_weights()[0] != 1).all()


def test_arrays_of_what_numpy_lacks():
    layer = Dense(2, dtype="bfloat16")
    layer.build((None, 3))
    values = layer.get_weights()
    assert [v.dtype.name for v in values] == ["float32", "float32"]
    assert layer.kernel.numpy().dtype.name == "float32"
    np.testing.assert_array_equal(np.asarray(layer.kernel), values[0])
    theirs = keras.layers.Dense(2, dtype="bfloat16")
    theirs.build((None, 3))
    layer.set_weights(theirs.get_weights())  # of a dtype that Keras gave NumPy
    for ours, other in zip(layer.weights, theirs.weights, strict=True):
        assert torch.equal(ours.data, other.value.data)
    layer.bias.assign(theirs.get_weights()[1] + 1)
    assert layer.bias.tolist() == [1.0, 1.0]
    x = keras.ops.convert_to_numpy(keras.ops.ones((2, 3), dtype="bfloat16"))
    assert layer(x).dtype is torch.bfloat16
    inputs = Input((3,))
    model = ramify.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(np.ones((2, 3)), verbose=0))
