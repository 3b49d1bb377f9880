"""Gradient checkpointing: parts of a model keep nothing for the backward pass, and are computed again when it comes.

A `RematScope` says which (Chen et al., 2016). The gradients are the same; the memory that waits for the backward pass
is not.

Run it with ``python examples/checkpointing.py``.
"""

from __future__ import annotations

from typing import Any

import torch

import ramify
from ramify import Input, Model, layers


class Block(layers.Layer):
    """Some layers, each added to what it was given."""

    def __init__(self, width: int, depth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width, self.depth = width, depth
        self.inner = [layers.Dense(width, activation="gelu") for _ in range(depth)]

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The block."""
        for layer in self.inner:
            inputs = inputs + layer(inputs)
        return inputs


def build(frugal: bool) -> Model:
    """Four blocks of six layers; frugal ones are made inside a `RematScope`, which names the layers it is meant for."""
    names = [f"block_{number}" for number in range(4)]
    x = h = Input((64,))
    h = layers.Dense(64)(h)
    with ramify.RematScope("list_of_layers" if frugal else None, layer_names=names):
        for name in names:
            h = Block(64, 6, name=name)(h)
    return Model(x, layers.Dense(1)(h))


def measure(model: Model, x: torch.Tensor) -> tuple[int, list[torch.Tensor]]:
    """Bytes that are kept between forward and backward, and the gradients."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    model.zero_grad()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = model(x, training=True).square().mean()
    size = sum(kept.values())
    loss.backward()
    return size, [weight.grad.clone() for weight in model.trainable_weights]


def main() -> tuple[float, bool]:
    """The same model with and without."""
    ramify.utils.set_random_seed(0)
    plain, frugal = build(frugal=False), build(frugal=True)
    frugal.set_weights(plain.get_weights())
    x = torch.randn(512, 64)
    (much, one), (little, two) = measure(plain, x), measure(frugal, x)
    same = all(map(torch.equal, one, two))
    print(f"Kept for the backward pass: {much / 2**20:.1f} MiB, with checkpoints {little / 2**20:.1f} MiB")
    print(f"Gradients are the same to the last bit: {same}")
    return little / much, same


if __name__ == "__main__":
    main()
