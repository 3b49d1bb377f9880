"""The functional API: shared layers, several inputs and outputs, a model inside a model, and features out of it.

Two handwritten digits come in; which digit each is, and whether they are equal, comes out.

Run it with ``python examples/functional_api.py``.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

import ramify
from ramify import Input, Model, layers


def encoder() -> Model:
    """An image to 24 features; both sides of the model share it."""
    image = Input((64,), name="image")
    x = layers.Dense(64, activation="relu")(image)
    x = layers.add([x, layers.Dense(64, activation="relu")(x)])  # a skip connection
    return Model(image, layers.Dense(24, activation="tanh", name="features")(x), name="encoder")


def build() -> Model:
    """Two images in, two digits and one answer out."""
    left, right = Input((64,), name="left"), Input((64,), name="right")
    shared = encoder()
    a, b = shared(left), shared(right)
    digit = layers.Dense(10, activation="softmax")  # one layer, called twice: its weights are shared
    distance = layers.concatenate([abs(a - b), a * b])
    equal = layers.Dense(1, activation="sigmoid")(layers.Dense(48, activation="relu")(distance))
    return Model({"left": left, "right": right}, {"left_digit": digit(a), "right_digit": digit(b), "equal": equal})


def pairs(count: int, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[dict, dict]:
    """Pairs of images, half of them of the same digit."""
    left = rng.integers(len(images), size=count)
    right = rng.integers(len(images), size=count)
    for i in range(0, count, 2):
        right[i] = rng.choice(np.flatnonzero(labels == labels[left[i]]))
    equal = (labels[left] == labels[right]).astype("float32")[:, None]
    inputs = {"left": images[left], "right": images[right]}
    return inputs, {"left_digit": labels[left], "right_digit": labels[right], "equal": equal}


def main() -> float:
    """Train, measure, and look inside."""
    ramify.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)
    images, rng = (images / 16).astype("float32"), np.random.default_rng(0)
    training, test = pairs(3000, images[:1200], labels[:1200], rng), pairs(1000, images[1200:], labels[1200:], rng)
    model = build()
    cross = "sparse_categorical_crossentropy"
    model.compile(
        "adam",
        {"left_digit": cross, "right_digit": cross, "equal": "binary_crossentropy"},
        loss_weights={"left_digit": 0.5, "right_digit": 0.5, "equal": 1.0},
        metrics={"left_digit": "accuracy", "equal": "accuracy"},
    )
    model.fit(*training, batch_size=64, epochs=6, verbose=0)
    scores = model.evaluate(*test, batch_size=500, verbose=0, return_dict=True)
    print(f"Digits right: {scores['left_digit_accuracy']:.1%}; equal or not: {scores['equal_accuracy']:.1%}")

    inner = model.get_layer("encoder")
    features = Model(inner.input, inner.get_layer("features").output)
    print(f"The encoder's features are a model too: {features.predict(images[:5], verbose=0).shape}")
    return scores["equal_accuracy"]


if __name__ == "__main__":
    main()
