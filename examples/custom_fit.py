"""A step of one's own inside `fit`: contrastive learning on two views of each image, then a look at the neighbours.

`train_step` is overridden, and everything else (callbacks, data, progress, history) stays.

Run it with ``python examples/custom_fit.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

import ramify
from ramify import Input, Model, layers


class Contrastive(Model):
    """Learns features in which two noisy views of an image are nearer than others (NT-Xent, Chen et al. 2020)."""

    def compile(self, temperature: float = 0.2, **kwargs: Any) -> None:
        """Add the temperature of the loss."""
        super().compile(**kwargs)
        self.temperature = temperature
        self.agreement = ramify.metrics.Mean(name="agreement")

    def view(self, x: torch.Tensor) -> torch.Tensor:
        """Hide some pixels and change the others a little."""
        return x * (torch.rand_like(x) > 0.3) + 0.1 * torch.randn_like(x)

    def train_step(self, data: Any) -> dict[str, torch.Tensor]:
        """One step: two views, all similarities, and the view of the same image is the class to find."""
        (x,) = data if isinstance(data, tuple) else (data,)
        one, two = (torch.nn.functional.normalize(self(self.view(x), training=True), dim=1) for _ in range(2))
        logits = one @ two.T / self.temperature
        same = torch.arange(len(x), device=logits.device)
        loss = torch.nn.functional.cross_entropy(logits, same)

        self.zero_grad()
        loss.backward()
        self.optimizer.apply([weight.grad for weight in self.trainable_weights], self.trainable_weights)

        self.loss_mean.update_state(loss.detach())
        self.agreement.update_state((logits.argmax(1) == same).float())
        return {"loss": self.loss_mean.result(), "agreement": self.agreement.result()}


def main() -> float:
    """Learn features without labels, then ask the nearest neighbours."""
    ramify.utils.set_random_seed(0)
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32")
    x = Input((64,))
    h = layers.Dense(128, activation="gelu")(x)
    model = Contrastive(x, layers.Dense(32)(h))
    model.compile(optimizer="adam", temperature=0.2)
    history = model.fit(images[:1300], batch_size=100, epochs=20, verbose=0).history
    print(
        f"A view finds its twin among 100: {history['agreement'][0]:.0%} at first, {history['agreement'][-1]:.0%} now"
    )

    features = model.predict(images, verbose=0)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    neighbours = KNeighborsClassifier(3).fit(features[:1300], labels[:1300])
    score = float(neighbours.score(features[1300:], labels[1300:]))
    print(f"Digits told by the nearest neighbours of features learned without labels: {score:.1%}")
    return score


if __name__ == "__main__":
    main()
