"""Random models for the tests of passes: images and vectors, layers shared and side by side, things done twice."""

from __future__ import annotations

import random
from typing import Any

import torch

import ramify
from ramify import layers

ACTIVATIONS = (None, "relu", "sigmoid", "tanh", "gelu", "silu", "leaky_relu", "hard_sigmoid", "softmax")


class Tower:
    """Makes one random model.

    Args:
        seed: of all choices.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        torch.manual_seed(seed)
        self.images: list[Any] = []
        self.vectors: list[Any] = []
        self.shared: list[Any] = []

    def model(self) -> Any:
        """A model with one to three inputs and one to three outputs."""
        pick = self.random
        images = [ramify.Input((6, 6, 4)) for _ in range(pick.randint(0, 2))]
        vectors = [ramify.Input((5,)) for _ in range(pick.randint(0 if images else 1, 2))]
        self.images, self.vectors = list(images), list(vectors)
        for _ in range(pick.randint(3, 14)):
            (self.grow_image if self.images and pick.random() < 0.6 else self.grow_vector)()
        made = [one for one in (*self.images, *self.vectors) if not any(one is i for i in (*images, *vectors))]
        outputs = pick.sample(made, min(len(made), pick.randint(1, 3)))
        outputs += [layers.Dense(1)(layers.Flatten()(one)) for one in (*images, *vectors)]
        model = ramify.Model([*images, *vectors], outputs)
        for variable in model.variables:  # statistics and scales that are not those of a new layer
            if variable.path.rsplit("/", 1)[-1] in ("gamma", "moving_variance"):
                variable.assign(torch.rand(variable.shape) + 0.5)
            elif variable.path.rsplit("/", 1)[-1] in ("beta", "bias", "moving_mean"):
                variable.assign(torch.randn(variable.shape))
        return model

    def grow_image(self) -> None:
        """One more image, or what becomes of one."""
        pick, x = self.random, self.random.choice(self.images)
        kind = pick.randint(0, 11)
        activation = pick.choice(ACTIVATIONS)
        if kind <= 3:
            y = layers.Conv2D(4, pick.choice((1, 2, 3)), padding="same", use_bias=pick.random() < 0.5)(x)
            y = layers.BatchNormalization(scale=pick.random() < 0.8, center=pick.random() < 0.8)(y) if kind <= 2 else y
            y = layers.Activation(activation)(y) if activation else y
        elif kind == 4:
            y = layers.Add()([x, pick.choice(self.images)])
        elif kind == 5:
            y = layers.Conv2D(4, 3, padding="same", activation=activation)(layers.ZeroPadding2D(((1, 0), (0, 2)))(x))[
                :, 1:, 2:
            ]
        elif kind == 6:  # an Inception block
            arms = [layers.Conv2D(2, 1, activation=activation)(x) for _ in range(2)]
            y = layers.Concatenate()(arms)
        elif kind == 7:
            y = torch.relu(x) * 0.5 + torch.relu(x)
        elif kind == 8:
            y = layers.MaxPooling2D(3, 1, padding="same")(x)
        elif kind == 9:
            y = layers.DepthwiseConv2D(3, padding="same")(x) - x
        elif kind == 10 and len(self.images) > 1:
            other = pick.choice(self.images)
            layer = layers.Conv2D(4, 3, padding="same", activation=activation)
            self.images.append(layer(x))
            y = layer(other)
        else:
            self.vectors.append(layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))
            return
        self.images.append(y)

    def grow_vector(self) -> None:
        """One more vector."""
        pick = self.random
        if not self.vectors:
            self.vectors.append(layers.Dense(5)(layers.Flatten()(self.random.choice(self.images))))
            return
        x, activation = pick.choice(self.vectors), pick.choice(ACTIVATIONS)
        kind = pick.randint(0, 8)
        if kind == 0:  # twins
            first, second = layers.Dense(7, activation=activation), layers.Dense(5)
            self.vectors += [second(first(one)) for one in (x, pick.choice(self.vectors))]
        elif kind == 1:  # siblings, as queries, keys and values
            self.vectors += [layers.Dense(5, activation=activation)(x) for _ in range(3)]
        elif kind == 2:
            y = layers.BatchNormalization()(layers.Dense(5, use_bias=pick.random() < 0.5)(x))
            self.vectors.append(layers.Activation(activation)(y) if activation else y)
        elif kind == 3:
            self.vectors.append(layers.Add()([x, pick.choice(self.vectors)]))
        elif kind == 4:  # dead, and twice the same
            torch.exp(x)
            self.vectors.append(torch.sigmoid(x) + torch.sigmoid(x))
        elif kind == 5:
            self.vectors.append(layers.LayerNormalization()(layers.Dropout(0.5)(x)))
        elif kind == 6:
            inner = ramify.Input((5,))
            model = ramify.Model(inner, layers.Dense(5, activation="tanh")(layers.Dense(3)(inner)))
            self.vectors += [model(one) for one in (x, pick.choice(self.vectors))]
        elif kind == 7:
            self.vectors.append(layers.Concatenate()([x, pick.choice(self.vectors)])[:, 2:7])
        else:
            self.vectors.append(x.mean(-1, keepdim=True) * x)


def example(model: Any, batch: int) -> list[torch.Tensor]:
    """Random data for a model's inputs."""
    return [torch.randn(batch, *one.shape[1:]) for one in model.inputs]
