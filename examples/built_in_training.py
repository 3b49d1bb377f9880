"""Training with `fit`: losses and metrics by name, class weights, validation, schedules, and data of several kinds.

Run it with ``python examples/built_in_training.py``.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

import ramify
from ramify import Input, Model, layers
from ramify.utils import PyDataset


def build(features: int) -> Model:
    """A small classifier."""
    x = Input((features,), name="measurements")
    h = layers.Dense(16, activation="relu", kernel_regularizer="l2")(x)
    h = layers.Dropout(0.2)(h)
    return Model(x, layers.Dense(1, activation="sigmoid", name="benign")(h))


class Noisy(PyDataset):
    """Batches with noise that is drawn anew each time: augmentation, made by two threads while the model trains."""

    def __init__(self, x: np.ndarray, y: np.ndarray, batch: int) -> None:
        super().__init__(workers=2)
        self.x, self.y, self.batch = x, y, batch

    def __len__(self) -> int:
        return (len(self.x) + self.batch - 1) // self.batch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(index * self.batch, (index + 1) * self.batch)
        noise = np.random.default_rng(index).normal(scale=0.1, size=self.x[rows].shape)
        return self.x[rows] + noise, self.y[rows]


def main() -> float:
    """Train on arrays, then on a `PyDataset`, then on a torch `DataLoader`."""
    ramify.utils.set_random_seed(0)
    x, y = load_breast_cancer(return_X_y=True)
    x, y = scale(x).astype("float32"), y.astype("float32")
    (x, x_test), (y, y_test) = np.split(x, [400]), np.split(y, [400])

    model = build(x.shape[1])
    steps = 10 * len(x) // 32
    rate = ramify.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=0.02, warmup_steps=steps // 10)
    model.compile(
        ramify.optimizers.AdamW(rate, clipnorm=1.0),
        ramify.losses.BinaryCrossentropy(label_smoothing=0.05),
        metrics=["accuracy", ramify.metrics.AUC(name="auc"), ramify.metrics.Recall(name="recall")],
    )
    weights = {0: len(y) / (2 * (y == 0).sum()), 1: len(y) / (2 * (y == 1).sum())}  # as if both were as frequent
    history = model.fit(x, y, epochs=10, validation_split=0.2, class_weight=weights, verbose=0)
    best = int(np.argmin(history.history["val_loss"]))
    print(f"Arrays:      best validation loss {history.history['val_loss'][best]:.3f} in epoch {best + 1}")

    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    noisy = model.fit(Noisy(x, y, 32), epochs=2, verbose=0).history
    print(f"PyDataset:   accuracy {noisy['accuracy'][-1]:.3f} on noisy data")

    rows = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y)[:, None])
    loader = torch.utils.data.DataLoader(rows, batch_size=50, shuffle=True)
    loaded = model.fit(loader, epochs=2, verbose=0).history
    print(f"DataLoader:  accuracy {loaded['accuracy'][-1]:.3f}")

    scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    print(f"Unseen:      accuracy {scores['accuracy']:.3f}")
    return scores["accuracy"]


if __name__ == "__main__":
    main()
