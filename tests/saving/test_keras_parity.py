"""Files travel both ways: what real Keras saves loads here with equal outputs, and what is saved here loads there."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own


def mlp(k):
    x = k.Input((6,), name="features")
    h = k.layers.Dense(5, activation="relu")(x)
    h = k.layers.Dropout(0.4)(h)
    return k.Model(x, k.layers.Dense(3, activation="softmax", kernel_regularizer="l2")(h), name="mlp")


def several_ends(k):
    a, b = k.Input((4,), name="a"), k.Input((6,), name="b")
    left, right = k.layers.Dense(5)(a), k.layers.Dense(5, activation="tanh")(b)
    both = k.layers.Concatenate()([left, right])
    return k.Model([a, b], [k.layers.Dense(2, name="one")(both), k.layers.Add(name="two")([left, right])])


def shared(k):
    a, b = k.Input((4,)), k.Input((4,))
    dense, norm = k.layers.Dense(4, name="tower"), k.layers.BatchNormalization()
    return k.Model([a, b], k.layers.Multiply()([norm(dense(dense(a))), norm(dense(b))]))


def nested(k):
    i = k.Input((4,))
    inner = k.Model(i, k.layers.Dense(4, name="deep")(k.layers.Dense(5)(i)), name="inner")
    stack = k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="elu"), k.layers.Dropout(0.2)], name="stack")
    x = k.Input((4,))
    return k.Model(x, [stack(inner(inner(x))), inner(x)])


def nested_ends(k):
    i, j = k.Input((4,), name="bb"), k.Input((3,), name="aa")
    inner = k.Model({"bb": i, "aa": j}, {"z": k.layers.Dense(2)(i), "k": k.layers.Concatenate()([i, j])}, name="inner")
    p, q = k.Input((4,), name="p"), k.Input((3,), name="q")
    out = inner({"bb": p, "aa": q})
    return k.Model([p, q], {"second": out["k"] * 2.0, "first": [out["z"], k.layers.Dense(2)(out["k"])]})


def operations(k):
    x, y = k.Input((4,)), k.Input((4,))
    h = k.layers.Dense(4)(x)
    parts = [h + y, h - 1.5, 2 - h, h * y, h / (y * y + 1.0), -h, h**2, abs(h), h[:, 1:3], h[..., None], h[:, -1]]
    return k.Model(
        [x, y],
        [*parts, k.layers.Concatenate()(parts[:3]) @ k.layers.Reshape((12, 1))(k.layers.Concatenate()([h, h, y]))],
    )


def dict_inputs(k):
    a, b = k.Input((3,), name="left"), k.Input((5,), name="right")
    h = k.layers.Concatenate()([k.layers.Dense(4)(a), k.layers.Dense(4)(b)])
    return k.Model({"left": a, "right": b}, {"y": k.layers.Dense(2)(h), "x": k.layers.Dense(3)(h)})


def images(k):
    x = k.Input((12, 12, 3))
    h = k.layers.Conv2D(6, 3, padding="same", use_bias=False)(x)
    h = k.layers.ReLU()(k.layers.BatchNormalization()(h))
    s = k.layers.Conv2D(6, 1, strides=2)(h)
    h = k.layers.DepthwiseConv2D(3, padding="same")(k.layers.MaxPooling2D()(h))
    h = k.layers.SeparableConv2D(6, 3, padding="same", activation="relu")(h)
    h = k.layers.Add()([h, s])
    up = k.layers.Conv2DTranspose(4, 2, strides=2)(h)
    return k.Model(x, [k.layers.Dense(3)(k.layers.GlobalAveragePooling2D()(h)), k.layers.Flatten()(up)])


def sequences(k):
    x = k.Input((7,), dtype="int32")
    h = k.layers.Embedding(11, 6, mask_zero=True)(x)
    h = k.layers.LSTM(5, return_sequences=True)(h)
    return k.Model(x, [k.layers.GRU(4)(h), k.layers.SimpleRNN(3)(h)])


def states(k):
    x = k.Input((5, 3))
    out, h, c = k.layers.LSTM(4, return_sequences=True, return_state=True)(x)
    again = k.layers.LSTM(4)(out, initial_state=[h, c])
    return k.Model(x, [again, c])


def both_directions(k):
    x = k.Input((5, 3))
    h = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True))(x)
    h = k.layers.TimeDistributed(k.layers.Dense(4))(h)
    return k.Model(x, k.layers.Bidirectional(k.layers.GRU(2), merge_mode="sum")(h))


def attention(k):
    x, m = k.Input((5, 8)), k.Input((6, 8))
    h = k.layers.LayerNormalization()(x)
    h = k.layers.Add()([x, k.layers.MultiHeadAttention(2, 4, dropout=0.1)(h, h)])
    h = k.layers.MultiHeadAttention(2, 3, value_dim=5)(h, m, m)
    return k.Model([x, m], [k.layers.GlobalAveragePooling1D()(h), k.layers.Attention()([x, m])])


def masked_attention(k):
    x = k.Input((6,), dtype="int32")
    h = k.layers.Embedding(9, 4, mask_zero=True)(x)
    return k.Model(x, k.layers.MultiHeadAttention(2, 2)(h, h, use_causal_mask=True))


def stack(k):
    return k.Sequential(
        [k.Input((6, 6, 2)), k.layers.Conv2D(3, 2), k.layers.Flatten(), k.layers.Dense(4), k.layers.Activation("gelu")]
    )


def frozen(k):
    x = k.Input((4,))
    base = k.Sequential([k.Input((4,)), k.layers.Dense(4), k.layers.BatchNormalization()], name="base")
    base.trainable = False
    return k.Model(x, k.layers.Dense(2)(base(x, training=False)))


def one_in_a_list(k):
    x = k.Input((4,))
    h = k.layers.Dense(3, activation=None, bias_constraint="non_neg", kernel_initializer="he_normal")(x)
    return k.Model([x], [k.layers.Softmax()(k.layers.PReLU()(h))])


def passed_through(k):
    x, y = k.Input((4,)), k.Input((4,))
    return k.Model([x, y], [x, k.layers.Dense(2)(y), k.layers.Average()([x, y]), y])


def wide(k):
    """Branches of unequal lengths: the order of layers decides which weights belong to whom."""
    x = k.Input((4,))
    ends = []
    for length in (3, 1, 2, 4):
        h = x
        for _ in range(length):
            h = k.layers.Dense(4)(h)
        ends.append(h)
    left = k.layers.Add()([ends[0], ends[3]])
    return k.Model(x, [k.layers.Dense(4)(ends[1]), k.layers.Maximum()([left, ends[2]]), ends[2]])


TABLE = [
    mlp, several_ends, shared, nested, nested_ends, operations, dict_inputs, images, sequences, states, both_directions,
    attention, masked_attention, stack, frozen, one_in_a_list, passed_through, wide,
]  # fmt: skip


def shuffled(model):
    """Every weight different from how it starts, moving averages included."""
    rng = np.random.default_rng(1)
    model.set_weights(
        [
            rng.uniform(0.1, 0.9, size=np.shape(w)).astype(np.float32) - 0.3 * (np.ndim(w) > 1)
            for w in model.get_weights()
        ]
    )
    return model


def data(model, count=3):
    rng = np.random.default_rng(2)

    def one(tensor):
        size = (count, *[5 if s is None else s for s in tensor.shape[1:]])
        if "int" in str(tensor.dtype):
            return rng.integers(0, 8, size).astype("int32")
        return rng.normal(size=size).astype("float32")

    return [one(tensor) for tensor in model.inputs]


def predict(model, arrays):
    fed = arrays[0] if len(arrays) == 1 else arrays
    structure = getattr(model, "input", None)
    if isinstance(structure, dict):
        order = {id(tensor): array for tensor, array in zip(model.inputs, arrays, strict=True)}
        fed = {name: order[id(tensor)] for name, tensor in structure.items()}
    result = model.predict(fed, verbose=0)
    leaves = []

    def walk(value):
        if isinstance(value, dict):
            for key in sorted(value):
                walk(value[key])
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(item)
        else:
            leaves.append(np.asarray(value))

    walk(result)
    return leaves


def assert_equal(ours, theirs, tolerance=1e-5):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("build", TABLE, ids=lambda f: f.__name__)
def test_from_keras(build, tmp_path):
    theirs = shuffled(build(keras))
    theirs.save(tmp_path / "m.keras")
    ours = ramify.saving.load_model(tmp_path / "m.keras")
    arrays = data(theirs)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert_equal(predict(ours, arrays), predict(theirs, arrays))
    # and back again
    ours.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    assert_equal(predict(again, arrays), predict(theirs, arrays))


@pytest.mark.parametrize("build", TABLE, ids=lambda f: f.__name__)
def test_to_keras(build, tmp_path):
    ours = shuffled(build(ramify))
    ours.save(tmp_path / "m.keras")
    theirs = keras.models.load_model(tmp_path / "m.keras")
    arrays = data(ours)
    expected = predict(ours, arrays)
    assert_equal(expected, predict(theirs, arrays))
    here = ramify.saving.load_model(tmp_path / "m.keras")
    assert_equal(predict(here, arrays), expected, 0)


@pytest.mark.parametrize("build", TABLE, ids=lambda f: f.__name__)
def test_weights_both_ways(build, tmp_path):
    theirs, ours = shuffled(build(keras)), build(ramify)
    arrays = data(theirs)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert_equal(predict(ours, arrays), predict(theirs, arrays))
    ours.save_weights(tmp_path / "ours.weights.h5")
    fresh = build(keras)
    fresh.load_weights(tmp_path / "ours.weights.h5")
    assert_equal(predict(fresh, arrays), predict(theirs, arrays))


@pytest.mark.parametrize("build", TABLE, ids=lambda f: f.__name__)
def test_configs_describe_the_same_graph(build):
    """The same program gives the same layers and calls; our config makes the same model in Keras."""
    ours, theirs = build(ramify), build(keras)
    there = keras.models.model_from_json(ours.to_json())
    assert [type(a).__name__ for a in there.layers] == [type(b).__name__ for b in theirs.layers]
    assert [a.name for a in there.layers] == [layer.name for layer in ours.layers]
    assert [w.shape for w in there.weights] == [tuple(w.shape) for w in theirs.weights]
