"""Functions of `ramify.ops` in a graph are Keras's operations in a file, both ways."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

import ramify
from ramify import saving
from ramify.models import keras_operations

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own

CALLS = {
    "concatenate": lambda o, x: o.concatenate([x, x], axis=-1),
    "reshape": lambda o, x: o.reshape(x, (-1, 2, 2)),
    "transpose": lambda o, x: o.transpose(o.reshape(x, (-1, 2, 2)), axes=(0, 2, 1)),
    "mean": lambda o, x: o.mean(x, axis=-1, keepdims=True),
    "sum": lambda o, x: o.sum(x),
    "max": lambda o, x: o.max(x, axis=1),
    "std": lambda o, x: o.std(x, axis=(0, 1)),
    "clip": lambda o, x: o.clip(x, -0.5, 0.5),
    "where": lambda o, x: o.where(x > 0, x, 0.1 * x),
    "einsum": lambda o, x: o.einsum("bi,bj->bij", x, x),
    "matmul": lambda o, x: o.matmul(x, o.transpose(x)),
    "stack": lambda o, x: o.stack([x, 2 * x], axis=1),
    "split": lambda o, x: o.split(x, 2, axis=-1)[1],
    "expand_dims": lambda o, x: o.expand_dims(x, 1),
    "squeeze": lambda o, x: o.squeeze(o.expand_dims(x, 1), axis=1),
    "take": lambda o, x: o.take(x, [0, 2], axis=1),
    "cumsum": lambda o, x: o.cumsum(x, axis=1),
    "arctan2": lambda o, x: o.arctan2(x, x + 1.0),
    "logaddexp": lambda o, x: o.logaddexp(x, x),
    "pad": lambda o, x: o.pad(x, ((0, 0), (1, 2))),
    "repeat": lambda o, x: o.repeat(x, 2, axis=1),
    "cast": lambda o, x: o.cast(x > 0, "int32"),
    "softmax": lambda o, x: o.softmax(x, axis=-1),
    "gelu": lambda o, x: o.gelu(x),
    "leaky_relu": lambda o, x: o.leaky_relu(x, negative_slope=0.3),
    "one_hot": lambda o, x: o.one_hot(o.cast(x > 0, "int32"), 3),
    "logsumexp": lambda o, x: o.logsumexp(x, axis=-1),
    "top_k": lambda o, x: o.top_k(x, 2)[0],
    "rsqrt": lambda o, x: o.rsqrt(x * x + 1.0),
    "norm": lambda o, x: o.norm(x, axis=-1),
    "stop_gradient": lambda o, x: o.stop_gradient(x),
    "layer_normalization": lambda o, x: o.layer_normalization(x, axis=-1),
}


DATA = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


@pytest.mark.parametrize("name", CALLS)
def test_both_ways(name):
    x, y = ramify.Input((4,), name="x"), keras.Input((4,), name="x")
    ours, theirs = ramify.Model(x, CALLS[name](ramify.ops, x)), keras.Model(y, CALLS[name](keras.ops, y))
    expected = np.asarray(theirs(DATA).detach())
    there, here = keras.models.model_from_json(ours.to_json()), saving.model_from_json(theirs.to_json())
    again = saving.model_from_json(here.to_json())
    for model in (ours, there, here, again):
        np.testing.assert_allclose(np.asarray(model(DATA).detach()), expected, rtol=1e-5, atol=1e-5)


def test_the_table_names_what_keras_has():
    for name, (_, function, config) in keras_operations._BY_CLASS.items():
        home = keras.ops if hasattr(keras.ops, function) else keras.ops.linalg
        assert hasattr(home, function) or hasattr(keras.ops.image, function), name
        taken = getattr(keras.ops, function, None) or getattr(home, function, None)
        if taken is not None and "rms_scaling" not in config:
            assert set(config) <= set(inspect.signature(taken).parameters), name
