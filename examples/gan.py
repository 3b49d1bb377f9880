"""A generative adversarial network: two models, two optimizers, and a step that trains them in turn.

The generator learns to put points on a ring that it never sees.

Run it with ``python examples/gan.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import ramify
from ramify import Input, Model, Sequential, layers


def ring(count: int, rng: np.random.Generator) -> np.ndarray:
    """Points near a circle of radius 2."""
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = 2 + 0.05 * rng.normal(size=count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype("float32")


class GAN(Model):
    """A generator, and a critic who tells its points from real ones."""

    def __init__(self, noise: int = 4) -> None:
        super().__init__()
        self.noise = noise
        self.generator = Sequential(
            [Input((noise,)), layers.Dense(48, "relu"), layers.Dense(48, "relu"), layers.Dense(2)], name="generator"
        )
        self.critic = Sequential(
            [
                Input((2,)),
                layers.Dense(48, layers.LeakyReLU(0.2)),
                layers.Dense(48, layers.LeakyReLU(0.2)),
                layers.Dense(1),
            ],
            name="critic",
        )

    def compile(self, generator: Any, critic: Any) -> None:
        """Two optimizers: that of the generator, and that of the critic."""
        super().compile(optimizer=generator)
        self.critic_optimizer = ramify.optimizers.get(critic)
        self.says = ramify.losses.BinaryCrossentropy(from_logits=True)

    def draw(self, count: int) -> torch.Tensor:
        """Points out of noise."""
        return self.generator(torch.randn(count, self.noise))

    def train_step(self, data: Any) -> dict[str, torch.Tensor]:
        """First the critic learns, then the generator."""
        real = data[0] if isinstance(data, tuple) else data
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)

        fake = self.draw(len(real)).detach()
        critic_loss = self.says(0.9 * ones, self.critic(real)) + self.says(zeros, self.critic(fake))
        weights = self.critic.trainable_weights
        self.critic_optimizer.apply(torch.autograd.grad(critic_loss, weights), weights)

        generator_loss = self.says(ones, self.critic(self.draw(len(real))))
        weights = self.generator.trainable_weights
        self.optimizer.apply(torch.autograd.grad(generator_loss, weights), weights)
        return {"critic": critic_loss.detach(), "generator": generator_loss.detach()}


def main() -> tuple[float, float]:
    """Train, and look where the points lie."""
    ramify.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    gan = GAN()
    gan.compile(ramify.optimizers.Adam(1e-3, beta_1=0.5), ramify.optimizers.Adam(2e-3, beta_1=0.5))

    def radii() -> np.ndarray:
        with torch.no_grad():
            return gan.draw(1000).norm(dim=1).numpy()

    before = radii()
    gan.fit(ring(6400, rng), batch_size=128, epochs=20, verbose=0)
    after = radii()
    print(f"Distance from the middle (real points: 2.00): {before.mean():.2f} at first, {after.mean():.2f} now")
    with torch.no_grad():
        points = gan.draw(1000).numpy()
    quarters = np.histogram(np.arctan2(points[:, 1], points[:, 0]), 4, (-np.pi, np.pi))[0]
    print(f"Points in each quarter of the ring: {quarters.tolist()}")
    return float(after.mean()), float(quarters.min())


if __name__ == "__main__":
    main()
