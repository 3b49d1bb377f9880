"""Masking: sequences of different lengths in one batch, and layers that leave the padding out.

Which of two signs came first in a sequence? Padding is a zero; the mask that the embedding makes of it travels through
the graph by itself.

Run it with ``python examples/masking.py``.
"""

from __future__ import annotations

import numpy as np

import ramify
from ramify import Input, Model, layers
from ramify.preprocessing.sequence import pad_sequences

FIRST, SECOND = 1, 2


def sequences(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of 4 to 20 signs from 1 to 9; the target is whether a 1 comes before the first 2."""
    rows, targets = [], []
    for _ in range(count):
        row = rng.integers(3, 10, rng.integers(4, 21))
        places = rng.choice(len(row), 2, replace=False)
        row[places] = FIRST, SECOND
        rows.append(row)
        targets.append(float(places[0] < places[1]))
    return pad_sequences(rows, maxlen=20, padding="post"), np.array(targets, "float32")[:, None]


def build() -> Model:
    """Embedding, a recurrent layer, and a mean over the time that counts."""
    signs = Input((None,), dtype="int32", name="signs")
    x = layers.Embedding(10, 8, mask_zero=True)(signs)  # makes the mask
    x = layers.GRU(16, return_sequences=True)(x)  # skips what is masked, and hands the mask on
    x = layers.GlobalAveragePooling1D()(x)  # leaves what is masked out of the mean
    return Model(signs, layers.Dense(1, activation="sigmoid")(x))


def main() -> float:
    """Train; then show that more padding changes nothing."""
    ramify.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    model = build()
    model.compile(ramify.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    model.fit(*sequences(1500, rng), batch_size=50, epochs=6, verbose=0)
    x, y = sequences(400, rng)
    accuracy = model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    print(f"First or second: {accuracy:.1%} right on unseen sequences")

    longer = np.pad(x, ((0, 0), (0, 15)))
    gap = float(np.abs(model.predict(x, verbose=0) - model.predict(longer, verbose=0)).max())
    print(f"15 more zeros at the end change the predictions by {gap:.1e} at most")
    return accuracy


if __name__ == "__main__":
    main()
