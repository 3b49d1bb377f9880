"""Transfer learning: a network that knows the digits 0 to 4 learns 5 to 9 from few examples.

The base is frozen first, so that only the new head learns; then all is trained with a low rate. Batch normalization in
a frozen part keeps the averages that it has.

Run it with ``python examples/transfer_learning.py``.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

import ramify
from ramify import Input, Model, layers


def base() -> Model:
    """The part that is kept: images to features."""
    image = Input((8, 8, 1))
    x = image
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    return Model(image, layers.GlobalMaxPooling2D()(x), name="base")


def with_head(body: Model, known: bool = False) -> Model:
    """A body and a new head for five classes.

    A body that is `known` is called with ``training=False``: its batch normalization goes on with the averages that it
    has, also when its weights are thawed later.
    """
    image = Input((8, 8, 1))
    features = body(image, training=False) if known else body(image)
    return Model(image, layers.Dense(5, activation="softmax")(features))


def train(model: Model, x: np.ndarray, y: np.ndarray, rate: float, epochs: int) -> None:
    """Compile anew, so that what is frozen counts, and fit."""
    model.compile(ramify.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)


def moving(body: Model) -> list:
    """The averages that batch normalization keeps."""
    return [weight for layer in body.layers for weight in layer.weights if "moving" in weight.path]


def main() -> dict[str, float]:
    """Learn one half of the digits, then the other with its help."""
    ramify.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 8, 8, 1)
    first, second = labels < 5, labels >= 5
    few_x, few_y = images[second][:40], labels[second][:40] - 5
    test = images[second][40:], labels[second][40:] - 5

    body = base()
    train(with_head(body), images[first], labels[first], 3e-3, epochs=6)
    averages = [average.numpy() for average in moving(body)]

    scores = {}
    body.trainable = False
    model = with_head(body, known=True)
    counts = len(model.trainable_weights), len(model.weights)
    train(model, few_x, few_y, 1e-2, epochs=40)
    scores["frozen"] = model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
    kept = all(np.array_equal(before, now.numpy()) for before, now in zip(averages, moving(body), strict=True))
    print(f"Frozen base:    {scores['frozen']:.1%}  ({counts[0]} of {counts[1]} weights train; averages kept: {kept})")

    body.trainable = True
    train(model, few_x, few_y, 1e-3, epochs=20)
    scores["tuned"] = model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
    print(f"Fine-tuned:     {scores['tuned']:.1%}")

    fresh = with_head(base())
    train(fresh, few_x, few_y, 3e-3, epochs=40)
    scores["fresh"] = fresh.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
    print(f"From scratch:   {scores['fresh']:.1%}  (40 images, no help)")
    scores["kept"] = float(kept)
    return scores


if __name__ == "__main__":
    main()
