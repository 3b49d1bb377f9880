"""Two handwritten digits at once: which digits are they, and is their sum even?

A model with two inputs and two outputs on scikit-learn's handwritten digits. Both images go through one shared encoder,
which has a skip connection; its answers for the two digits are one output, and feed the head for the other. The script
prints the model, trains it, measures it on images that it has not seen, draws it, saves it, loads it again and checks
that the copy predicts the same.

Run it with ``python examples/digits.py`` (``--help`` lists the options).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import ramify
from ramify import Input, Model, layers

Pairs = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def pairs(images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator) -> Pairs:
    """Draw pairs of images.

    Args:
        images: float array of shape ``(images, 8, 8, 1)``, values 0 to 1.
        labels: int array of shape ``(images,)``.
        count: number of pairs.
        rng: source of the draw.

    Returns:
        Inputs ``left`` and ``right`` of shape ``(count, 8, 8, 1)``; targets ``digits`` of shape ``(count, 2)`` and
        ``even`` of shape ``(count, 1)``.
    """
    left, right = rng.integers(len(images), size=(2, count))
    digits = np.stack([labels[left], labels[right]], axis=1)
    even = (digits.sum(axis=1, keepdims=True) % 2 == 0).astype("float32")
    return {"left": images[left], "right": images[right]}, {"digits": digits, "even": even}


def load(seed: int, train_pairs: int = 12_000, other_pairs: int = 4_000) -> tuple[Pairs, Pairs, Pairs]:
    """Pairs to train on, to watch the training with, and to test on: no image is in two of them."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    train_x, rest_x, train_y, rest_y = train_test_split(
        images, labels, test_size=0.3, random_state=seed, stratify=labels
    )
    watch_x, test_x, watch_y, test_y = train_test_split(
        rest_x, rest_y, test_size=0.6, random_state=seed, stratify=rest_y
    )
    rng = np.random.default_rng(seed)
    return (
        pairs(train_x, train_y, train_pairs, rng),
        pairs(watch_x, watch_y, other_pairs, rng),
        pairs(test_x, test_y, other_pairs, rng),
    )


def build() -> Model:
    """The model: two images in, ``(2, 10)`` digit probabilities and the probability of an even sum out."""
    image = Input(shape=(8, 8, 1), name="image")
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(image)
    skip = x
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.add([x, skip])
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(64, activation="relu")(x)
    encoder = Model(image, layers.Dense(10, activation="softmax")(x), name="encoder")

    left, right = Input(shape=(8, 8, 1), name="left"), Input(shape=(8, 8, 1), name="right")
    digits = torch.stack([encoder(left), encoder(right)], dim=1)
    # Every pair of digits has a cell in the table of their joint probabilities; half of the cells have an even sum.
    table = digits[:, 0, :, None] * digits[:, 1, None, :]
    x = layers.Dense(32, activation="relu")(layers.Flatten()(table))
    even = layers.Dense(1, activation="sigmoid")(x)
    return Model({"left": left, "right": right}, {"digits": digits, "even": even}, name="two_digits")


def train(
    model: Model, data: Pairs, watched: Pairs, epochs: int, verbose: int | str = "auto"
) -> ramify.callbacks.History:
    """Compile and fit."""
    model.compile(
        optimizer=ramify.optimizers.Adam(2e-3),
        loss={"digits": "sparse_categorical_crossentropy", "even": "binary_crossentropy"},
        loss_weights={"digits": 1.0, "even": 0.5},
        metrics={"digits": "accuracy", "even": "accuracy"},
    )
    return model.fit(*data, batch_size=64, epochs=epochs, validation_data=watched, verbose=verbose)


def main() -> None:
    """Run the whole job."""
    parser = argparse.ArgumentParser(description="Two handwritten digits at once.")
    parser.add_argument("--seed", type=int, default=0, help="of the data's split and the weights (default 0)")
    parser.add_argument("--epochs", type=int, default=8, help="passes over the pairs (default 8)")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for picture and model (default demo)")
    given = parser.parse_args()

    started = time.perf_counter()
    ramify.utils.set_random_seed(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    training, watched, held_out = load(given.seed)
    model = build()
    model.summary(expand_nested=True)
    train(model, training, watched, given.epochs)

    scores = model.evaluate(*held_out, batch_size=500, verbose=0, return_dict=True)
    print(f"\nOn {len(held_out[1]['even'])} pairs of images that it has not seen:")
    print(f"  digits  {scores['digits_accuracy']:.2%} right, loss {scores['digits_loss']:.4f}")
    print(f"  even    {scores['even_accuracy']:.2%} right, loss {scores['even_loss']:.4f}")

    picture = given.out / "two_digits.svg"
    ramify.utils.plot_model(model, to_file=picture, show_shapes=True, show_layer_names=True, expand_nested=True)
    file = given.out / "two_digits.keras"
    model.save(file)
    copy = ramify.models.load_model(file)
    before, after = (one.predict(held_out[0], batch_size=500, verbose=0) for one in (model, copy))
    if not all(np.array_equal(before[name], after[name]) for name in before):
        raise SystemExit("The model that was loaded does not predict what the saved one does.")
    print(f"\nPicture: {picture}\nModel:   {file} (loaded again: the predictions are equal)")
    print(f"Done in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
