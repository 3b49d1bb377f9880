"""A training loop in plain PyTorch: a model is a `torch.nn.Module`, its metrics take tensors.

The end compares it with `fit`: the same numbers.

Run it with ``python examples/torch_loop.py``.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale
from torch.utils.data import DataLoader, TensorDataset

import ramify
from ramify import Input, Model, layers


def build() -> Model:
    """A small regression with a regularizer."""
    x = Input((10,))
    h = layers.Dense(32, activation="relu", kernel_regularizer=ramify.regularizers.L2(1e-3))(x)
    return Model(x, layers.Dense(1)(h))


def loop(model: Model, loader: DataLoader, epochs: int) -> list[float]:
    """Train with torch alone; returns the loss of each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loss_fn, mean = torch.nn.MSELoss(), ramify.metrics.Mean()
    history = []
    model.train()
    for _ in range(epochs):
        mean.reset_state()
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y) + sum(model.losses)  # `losses` holds what regularizers and add_loss add
            loss.backward()
            optimizer.step()
            mean.update_state(loss.detach(), sample_weight=len(x))
        history.append(float(mean.result()))
    model.eval()
    return history


def main() -> float:
    """Train the same model twice."""
    ramify.utils.set_random_seed(0)
    x, y = load_diabetes(return_X_y=True)
    x, y = scale(x).astype("float32"), scale(y).astype("float32")[:, None]

    by_hand, by_fit = build(), build()
    by_fit.set_weights(by_hand.get_weights())
    losses = loop(by_hand, DataLoader(TensorDataset(torch.tensor(x), torch.tensor(y)), batch_size=64), epochs=5)
    by_fit.compile(torch.optim.SGD(by_fit.parameters(), lr=0.05, momentum=0.9), torch.nn.MSELoss())
    fitted = by_fit.fit(x, y, batch_size=64, epochs=5, shuffle=False, verbose=0).history["loss"]

    for epoch, (one, two) in enumerate(zip(losses, fitted, strict=True), 1):
        print(f"epoch {epoch}: loop {one:.6f}   fit {two:.6f}")
    gap = max(np.abs(a - b).max() for a, b in zip(by_hand.get_weights(), by_fit.get_weights(), strict=True))
    print(f"Largest difference between the weights: {gap:.1e}")
    return float(gap)


if __name__ == "__main__":
    main()
