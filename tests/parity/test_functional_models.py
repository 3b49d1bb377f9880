"""Functional models beside the real Keras: same weights, same data, the same numbers.

Every model is written once against an API. Outputs, gradients and the weights after five steps of SGD and of Adam are
compared to 1e-5 relative. The models together use every layer that the article names.
"""

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.graph.structure import flatten

RNG = np.random.default_rng(7)
BATCH = 6


def floats(*shape):
    return RNG.normal(size=(BATCH, *shape)).astype("float32")


def ints(high, *shape):
    return RNG.integers(1, high, size=(BATCH, *shape)).astype("int32")


MODELS = {}


def model(*inputs):
    """Register a model with the data it is fed."""

    def register(build):
        MODELS[build.__name__] = (build, inputs)
        return build

    return register


@model(floats(12))
def mlp(api, la):
    x = api.Input((12,))
    h = la.Dense(8, activation="relu")(x)
    return api.Model(x, la.Dense(3, activation="softmax")(h))


@model(floats(12))
def skip_connection(api, la):
    x = api.Input((12,))
    h = la.Dense(8, activation="tanh")(x)
    skip = h
    h = la.Dense(8, activation="gelu")(h)
    return api.Model(x, la.Dense(2)(la.concatenate([h, skip])))


@model(floats(10), floats(10))
def siamese(api, la):
    x = api.Input((10,))
    encoder = api.Model(x, la.Dense(6, activation="relu")(la.Dense(6, activation="sigmoid")(x)))
    a, b = api.Input((10,)), api.Input((10,))
    ea, eb = encoder(a), encoder(b)
    return api.Model([a, b], [la.dot([ea, eb], axes=1, normalize=True), la.subtract([ea, eb])])


@model(floats(9))
def two_outputs(api, la):
    x = api.Input((9,))
    h = la.Dense(7, activation="elu")(x)
    return api.Model(x, {"value": la.Dense(1)(h), "kind": la.Dense(4, activation="softmax")(h)})


@model(floats(5), floats(8, 8, 3))
def numbers_and_image(api, la):
    a, b = api.Input((5,)), api.Input((8, 8, 3))
    x = la.Dense(6, activation="relu")(a)
    y = la.Flatten()(la.MaxPooling2D()(la.Conv2D(4, 3, activation="relu")(b)))
    return api.Model([a, b], la.Dense(1, activation="sigmoid")(la.concatenate([x, y])))


@model(floats(8, 8, 3))
def residual_blocks(api, la):
    x = api.Input((8, 8, 3))
    h = la.Conv2D(6, 3, padding="same", use_bias=False)(x)
    h = la.Activation("relu")(la.BatchNormalization()(h))
    skip = la.Conv2D(6, 1)(x)
    h = la.add([h, skip])
    h = la.Conv2D(6, 3, strides=2, padding="same")(h)
    return api.Model(x, la.Dense(3)(la.GlobalAveragePooling2D()(h)))


@model(floats(8, 8, 2))
def small_u_net(api, la):
    x = api.Input((8, 8, 2))
    a = la.Conv2D(4, 3, padding="same", activation="relu")(x)
    b = la.Conv2D(6, 3, padding="same", activation="relu")(la.MaxPooling2D()(a))
    up = la.Conv2DTranspose(4, 2, strides=2)(b)
    return api.Model(x, la.Conv2D(1, 1, activation="sigmoid")(la.concatenate([up, a])))


@model(floats(8, 8, 4))
def inception_branches(api, la):
    x = api.Input((8, 8, 4))
    branches = [
        la.Conv2D(3, 1, activation="relu")(x),
        la.Conv2D(3, 3, padding="same", activation="relu")(x),
        la.Conv2D(2, 1)(la.AveragePooling2D(3, strides=1, padding="same")(x)),
    ]
    return api.Model(x, la.GlobalMaxPooling2D()(la.Concatenate()(branches)))


@model(floats(8, 8, 4))
def separable_and_depthwise(api, la):
    x = api.Input((8, 8, 4))
    h = la.SeparableConv2D(6, 3, padding="same", activation="relu")(x)
    h = la.DepthwiseConv2D(3, padding="valid")(h)
    return api.Model(x, la.Dense(2)(la.Flatten()(h)))


@model(floats(10, 3))
def sequences_by_convolution(api, la):
    x = api.Input((10, 3))
    h = la.Conv1D(5, 3, padding="causal", activation="relu")(x)
    h = la.SeparableConv1D(4, 3, padding="same")(h)
    h = la.MaxPooling1D(2)(h)
    h = la.Conv1DTranspose(3, 2, strides=2)(h)
    h = la.AveragePooling1D(2)(h)
    return api.Model(x, [la.GlobalAveragePooling1D()(h), la.GlobalMaxPooling1D()(h)])


@model(floats(6, 6, 6, 2))
def volumes(api, la):
    x = api.Input((6, 6, 6, 2))
    h = la.Conv3D(3, 3, padding="same", activation="relu")(x)
    h = la.MaxPooling3D(2)(h)
    h = la.Conv3DTranspose(2, 2, strides=2)(h)
    h = la.AveragePooling3D(2)(h)
    return api.Model(x, la.concatenate([la.GlobalAveragePooling3D()(h), la.GlobalMaxPooling3D()(h)]))


@model(ints(20, 7))
def text_by_lstm(api, la):
    x = api.Input((7,), dtype="int32")
    h = la.Embedding(20, 6)(x)
    h = la.LSTM(5, return_sequences=True)(h)
    return api.Model(x, la.Dense(2)(la.LSTM(4)(h)))


@model(RNG.integers(0, 3, size=(BATCH, 7)).astype("int32"))
def masked_text_by_gru(api, la):
    x = api.Input((7,), dtype="int32")
    h = la.Embedding(20, 6, mask_zero=True)(x)
    return api.Model(x, la.Dense(2)(la.GRU(5)(h)))


@model(floats(7, 4))
def encoder_decoder_with_states(api, la):
    x = api.Input((7, 4))
    out, h, c = la.LSTM(5, return_sequences=True, return_state=True)(x)
    y = la.LSTM(5)(out, initial_state=[h, c])
    z = la.GRU(3, return_sequences=True)(la.RepeatVector(3)(y))
    return api.Model(x, la.Dense(2)(z))


@model(floats(6, 8))
def transformer_block(api, la):
    x = api.Input((6, 8))
    h = la.MultiHeadAttention(2, 4)(x, x)
    h = la.LayerNormalization()(la.Add()([x, h]))
    f = la.Dense(8)(la.Dense(16, activation="gelu")(h))
    return api.Model(x, la.LayerNormalization()(la.Add()([h, f])))


@model(floats(5, 4), floats(6, 4))
def dot_product_attention(api, la):
    q, v = api.Input((5, 4)), api.Input((6, 4))
    h = la.Attention()([la.Dense(4)(q), la.Dense(4)(v)])
    g = la.AdditiveAttention()([q, v])
    return api.Model([q, v], la.GlobalAveragePooling1D()(la.Concatenate()([h, g])))


@model(floats(4, 6))
def shapes_changed(api, la):
    x = api.Input((4, 6))
    h = la.Permute((2, 1))(x)
    h = la.Reshape((3, -1))(h)
    h = la.Dense(4)(h)
    h = la.Flatten()(h)
    h = la.RepeatVector(2)(h)
    return api.Model(x, la.Lambda(lambda t: t * 2.0 + 1.0)(h))


@model(floats(6), floats(6), floats(6))
def every_merge(api, la):
    inputs = [api.Input((6,)) for _ in range(3)]
    hidden = [la.Dense(5)(x) for x in inputs]
    merged = [f(hidden) for f in (la.add, la.multiply, la.average, la.maximum, la.minimum)]
    merged += [la.subtract(hidden[:2]), la.Subtract()(hidden[1:]), la.Dot(1)(hidden[:2])]
    merged += [kind()(hidden) for kind in (la.Add, la.Multiply, la.Average, la.Maximum, la.Minimum)]
    return api.Model(inputs, la.Dense(2)(la.Concatenate()(merged)))


@model(floats(6))
def operators(api, la):
    x = api.Input((6,))
    h = la.Dense(6)(x)
    return api.Model(x, la.Dense(2)((h * 2.0 - x) / 3.0 + h * x))


@model(floats(6))
def nested_three_deep(api, la):
    def wrap(inner_size, size, inner=None):
        x = api.Input((inner_size,))
        h = inner(x) if inner is not None else x
        return api.Model(x, la.Dense(size, activation="tanh")(h))

    deep = wrap(6, 5, wrap(6, 4, wrap(6, 3)))
    x = api.Input((6,))
    shared = la.Dense(6)
    return api.Model(x, [deep(shared(x)), deep(shared(shared(x)))])


@model(floats(6))
def stack_inside(api, la):
    x = api.Input((6,))
    stack = api.Sequential([la.Dense(5, activation="relu"), la.Dropout(0.0), la.Dense(4)])
    return api.Model(x, la.Dense(1)(la.add([stack(x), la.Dense(4)(x)])))


@model(floats(6))
def regularized(api, la):
    x = api.Input((6,))
    h = la.Dense(5, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2")(x)
    return api.Model(x, la.Dense(2, kernel_constraint="max_norm")(h))


@model(floats(8, 8, 3))
def normalized_images(api, la):
    x = api.Input((8, 8, 3))
    h = la.LayerNormalization(axis=[1, 2, 3])(x)
    h = la.Conv2D(4, (3, 2), strides=(2, 1), use_bias=False)(h)
    h = la.BatchNormalization(momentum=0.8)(h)
    h = la.Activation("swish")(h)
    return api.Model(x, la.Reshape((-1,))(h))


def pair(name):
    build, inputs = MODELS[name]
    theirs, ours = build(keras, keras.layers), build(ramify, ramify.layers)
    ours.set_weights(theirs.get_weights())
    return ours, theirs, [torch.from_numpy(x) for x in inputs]


def scalar(outputs):
    """One number out of all outputs, different for each of their elements."""
    total = 0.0
    for out in flatten(outputs):
        weights = torch.linspace(0.5, 1.5, out.numel()).reshape(out.shape)
        total = total + (out * weights).sum() / BATCH
    return total


def step(net, optimizer, inputs):
    net.zero_grad()
    loss = scalar(net(inputs if len(inputs) > 1 else inputs[0], training=True)) + sum(net.losses)
    loss.backward()
    weights = net.trainable_weights
    with torch.no_grad():
        optimizer.apply([w.value.grad for w in weights], weights)
    return loss


def close(ours, theirs, what, rtol=1e-5, floor=1e-3):
    ours, theirs = (t.detach().double() for t in (ours, theirs))
    scale = max(theirs.abs().max().item(), floor)
    assert (ours - theirs).abs().max().item() <= rtol * scale, what


@pytest.mark.parametrize("name", MODELS)
def test_outputs_and_gradients(name):
    ours, theirs, inputs = pair(name)
    for training in (False, True):
        feed = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        twin = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        a = ours(feed if len(feed) > 1 else feed[0], training=training)
        b = theirs(twin if len(twin) > 1 else twin[0], training=training)
        for x, y in zip(flatten(a), flatten(b), strict=True):
            assert x.dtype is y.dtype
            close(x, y, f"output, training={training}")
        ours.zero_grad()
        theirs.zero_grad()
        scalar(a).backward()
        scalar(b).backward()
        for x, y in zip(feed, twin, strict=True):
            if x.requires_grad:
                close(x.grad, y.grad, f"gradient of an input, training={training}")
        for w, v in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
            if v.value.grad is not None:
                close(w.grad, v.value.grad, f"gradient of {w.path}, training={training}")


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", MODELS)
def test_five_steps(name, optimizer):
    ours, theirs, inputs = pair(name)
    # Where a gradient is next to nothing, Adam divides noise by noise; an epsilon far above float32's keeps both alike.
    options = {"learning_rate": 0.01} | ({"epsilon": 1e-3} if optimizer == "Adam" else {})
    a = getattr(ramify.optimizers, optimizer)(**options)
    b = getattr(keras.optimizers, optimizer)(**options)
    for _ in range(5):
        close(step(ours, a, inputs), step(theirs, b, inputs), "loss", floor=1.0)  # a sum of terms of order one
    for w, v in zip(ours.weights, theirs.weights, strict=True):
        close(w, v.value, f"{w.path} after five steps of {optimizer}")


def test_every_layer_of_the_article_is_used():
    used = {type(layer).__name__ for build, _ in MODELS.values() for layer in walk(build(ramify, ramify.layers))}
    wanted = """InputLayer Dense Activation Dropout Flatten Reshape Permute RepeatVector Lambda Embedding Add Subtract
    Multiply Average Maximum Minimum Concatenate Dot Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose
    Conv3DTranspose DepthwiseConv2D SeparableConv1D SeparableConv2D MaxPooling1D MaxPooling2D MaxPooling3D
    AveragePooling1D AveragePooling2D AveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D BatchNormalization LayerNormalization LSTM GRU
    MultiHeadAttention Attention""".split()
    assert set(wanted) <= used


def walk(net):
    for layer in net.layers:
        yield layer
        if isinstance(layer, ramify.Model):
            yield from walk(layer)
