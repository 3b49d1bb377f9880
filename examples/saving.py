"""Saving what a layer of one's own knows: its arguments, its weights, and state that is neither.

Run it with ``python examples/saving.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import ramify
from ramify import Input, Model, layers


@ramify.saving.register_keras_serializable("shop")
class Vocabulary(layers.Layer):
    """Numbers words by how often they were seen: a table that is no tensor and is saved with the model all the same."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.words: list[str] = []

    def learn(self, texts: list[str]) -> None:
        """Keep the most frequent words."""
        words = [word for text in texts for word in text.split()]
        self.words = sorted(set(words), key=lambda word: (-words.count(word), word))[: self.size]

    def number(self, texts: list[str]) -> np.ndarray:
        """Which words occur in each text, as ones and zeros."""
        return np.array([[float(word in text.split()) for word in self.words] for text in texts], "float32")

    def call(self, inputs: Any) -> Any:
        """Numbers are left as they are."""
        return inputs

    def save_own_variables(self, store: Any) -> None:
        """What is saved beside the config."""
        super().save_own_variables(store)
        store["words"] = np.frombuffer("\n".join(self.words).encode(), np.uint8)

    def load_own_variables(self, store: Any) -> None:
        """And how it comes back."""
        self.words = np.asarray(store["words"]).tobytes().decode().split("\n")


@ramify.saving.register_keras_serializable("shop")
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """A loss of one's own, found again by its registered name."""
    return ((1 - (2 * y_true - 1) * y_pred).clamp(min=0) ** 2).mean(-1)


def main() -> bool:
    """Train, save, load, and go on."""
    ramify.utils.set_random_seed(0)
    texts = ["good and cheap", "good service", "bad and dear", "bad service", "very good", "very bad"]
    liked = np.array([[1.0], [1], [0], [0], [1], [0]], "float32")

    table = Vocabulary(5, name="table")
    table.learn(texts)
    x = Input((5,))
    model = Model(x, layers.Dense(1)(table(x)))
    model.compile(ramify.optimizers.Adam(0.1), squared_hinge)
    model.fit(table.number(texts), liked, epochs=30, verbose=0)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shop.keras"
        model.save(file)
        again = ramify.models.load_model(file)
    words = again.get_layer("table")
    print(f"The table came back: {words.words}")
    scores = again.predict(words.number(["good", "bad"]), verbose=0)[:, 0]
    print(f"good: {scores[0]:+.2f}   bad: {scores[1]:+.2f}")

    for one in (model, again):  # the optimizer's state was in the file, too
        one.fit(table.number(texts), liked, epochs=5, shuffle=False, verbose=0)
    same = all(map(np.array_equal, model.get_weights(), again.get_weights()))
    print(f"Five more epochs of both end with the same weights: {same}")
    return bool(same and scores[0] > 0 > scores[1])


if __name__ == "__main__":
    main()
