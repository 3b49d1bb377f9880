"""A variational autoencoder: a layer that draws, a loss that a layer adds, and new digits out of nothing.

Run it with ``python examples/vae.py``.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

import ramify
from ramify import Input, Model, layers


class Draw(layers.Layer):
    """A draw from the distribution that two tensors describe; it adds the distance from a normal one to the loss."""

    def call(self, mean: torch.Tensor, log_variance: torch.Tensor, training: bool = False) -> torch.Tensor:
        """Mean and log variance to a draw; to the mean itself outside training."""
        distance = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(-1).mean()
        self.add_loss(0.01 * distance)
        if not training:
            return mean
        return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)


def build(size: int = 8) -> tuple[Model, Model]:
    """The autoencoder, and its second half alone."""
    image = Input((64,))
    h = layers.Dense(96, activation="relu")(image)
    code = Draw()(layers.Dense(size)(h), layers.Dense(size)(h))

    given = Input((size,))
    h = layers.Dense(96, activation="relu")(given)
    decoder = Model(given, layers.Dense(64, activation="sigmoid")(h), name="decoder")
    return Model(image, decoder(code)), decoder


def picture(image: np.ndarray) -> str:
    """An image in characters."""
    shades = " .:*#"
    return "\n".join("".join(shades[int(v * 4.99)] * 2 for v in row) for row in image.reshape(8, 8))


def main() -> float:
    """Train, measure on unseen digits, and make a new one."""
    ramify.utils.set_random_seed(1)
    images = (load_digits().data / 16).astype("float32")
    model, decoder = build()
    model.compile(ramify.optimizers.Adam(3e-3), "binary_crossentropy")
    model.fit(images[:1500], images[:1500], batch_size=64, epochs=15, verbose=0)
    unseen = images[1500:]
    error = float(np.abs(model.predict(unseen, verbose=0) - unseen).mean())
    plain = float(np.abs(images[:1500].mean(0) - unseen).mean())
    print(f"Mean error of a pixel on unseen digits: {error:.3f} (the mean image: {plain:.3f})")
    print(
        "A digit out of nothing:\n"
        + picture(decoder.predict(np.random.default_rng(1).normal(size=(1, 8)), verbose=0)[0])
    )
    return error / plain


if __name__ == "__main__":
    main()
