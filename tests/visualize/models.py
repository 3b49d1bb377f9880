"""Small models that pictures are tried on, one for each thing that can go wrong."""

from __future__ import annotations

import torch

import ramify
from ramify import layers


def dense(units=16, **kwargs):
    return layers.Dense(units, activation="relu", **kwargs)


def mlp_with_skip():
    x = start = ramify.Input((16,), name="pixels")
    x = skip = dense()(x)
    x = layers.Add()([dense()(x), skip])
    return ramify.Model(start, layers.Dense(10, name="digit")(x), name="mlp")


def encoder():
    x = start = ramify.Input((16,))
    return ramify.Model(start, dense(4)(dense(8)(x)), name="encoder")


def siamese():
    left, right = ramify.Input((16,), name="left"), ramify.Input((16,), name="right")
    shared = encoder()
    return ramify.Model([left, right], layers.Dense(1)(abs(shared(left) - shared(right))), name="siamese")


def nested(depth):
    a, b = ramify.Input((16,), name="a"), ramify.Input((16,), name="b")
    x, y = dense()(a), layers.Multiply()([a, b])
    if depth:
        x, y = nested(depth - 1)([x, y])
    total = layers.Add()([x, y])
    return ramify.Model([a, b], [dense()(total), total], name=f"depth_{depth}")


def several_results():
    x = ramify.Input((5, 4), name="x")
    out, state, cell = layers.LSTM(3, return_state=True, name="lstm")(x)
    return ramify.Model(x, {"out": out, "states": layers.Concatenate()([state, cell])}, name="several")


def operations():
    x = ramify.Input((8, 4), name="x")
    y = torch.softmax(x @ x.transpose(1, 2) * 0.5, -1) @ x
    return ramify.Model(x, (1 - y)[:, 0].mean(-1), name="operations")


MODELS = {
    "mlp": mlp_with_skip,
    "siamese": siamese,
    "nested": lambda: nested(3),
    "several": several_results,
    "operations": operations,
}
