"""A model in sentences."""

from __future__ import annotations

import ramify
from ramify import layers
from ramify.visualize import outline


def test_shared_nested_models_line_by_line():
    a, b = ramify.Input((8,), name="a"), ramify.Input((8,), name="b")
    i = ramify.Input((8,))
    inner = layers.Dense(4, name="second")(layers.Dense(6, name="first")(i))
    encoder = ramify.Model(i, inner, name="encoder", trainable=False)
    model = ramify.Model([a, b], {"far": abs(encoder(a) - encoder(b)), "near": encoder(a)}, name="twins")
    calls = "{}. Functional model encoder. The {} of 3 calls of a shared layer. Reads {}. Returns (None, 4) float32."
    assert outline(model).splitlines()[:7] == [
        "Functional model twins: 10 calls, 82 parameters.",
        "1. Input a. Returns (None, 8) float32.",
        "2. Input b. Returns (None, 8) float32.",
        f"{calls.format(3, 'first', 1)} 82 parameters, frozen. It holds 2 calls:",
        "  3.1. Dense first: 6. Reads its input. Returns (None, 6) float32. 54 parameters, frozen.",
        "  3.2. Dense second: 4. Reads 3.1. Returns (None, 4) float32. 28 parameters, frozen.",
        f"{calls.format(4, 'second', 2)} It holds 2 calls:",
    ]
    assert outline(model).splitlines()[-2:] == ["8. Output far. Reads 6.", "9. Output near. Reads 7."]


def test_results_and_inputs_are_told_apart():
    a, b = ramify.Input((4,), name="a"), ramify.Input((4,), name="b")
    inner = ramify.Model([a, b], [layers.Subtract(name="less")([a, b]), layers.Add(name="more")([a, b])], name="both")
    x, y = ramify.Input((4,), name="x"), ramify.Input((4,), name="y")
    text = outline(ramify.Model([x, y], layers.Multiply(name="product")([inner([x, y])[1], x]), name="outer"))
    assert "Subtract less. Reads input 1 of 3 and input 2 of 3." in text
    assert "Multiply product. Reads 3, result 2 and 1." in text


def test_only_words_and_numbers():
    x = ramify.Input((4,), name="x")
    text = outline(ramify.Model(x, layers.Dense(2)(x)))
    assert not set(text) & set("│─└┌→▸")
