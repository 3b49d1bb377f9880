"""The measured models, written once against the Keras API: the argument `keras` is Ramify or Keras itself.

Every layer with weights has a name, so that `by_hand.copy_weights` can find its twin in the hand-written PyTorch model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import architectures

CLASSES, VOCABULARY = 10, 1_000
Array = np.ndarray[Any, Any]


def mlp(keras: Any) -> Any:
    """784-64-64-10."""
    inputs = keras.Input((784,))
    x = keras.layers.Dense(64, activation="relu", name="dense1")(inputs)
    x = keras.layers.Dense(64, activation="relu", name="dense2")(x)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))


def resnet20(keras: Any) -> Any:
    """ResNet-20 for 32x32 images (He et al. 2016, section 4.2), with projections where the shape changes."""
    layers = keras.layers

    def conv(x: Any, filters: int, size: int, strides: int, name: str) -> Any:
        x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=name)(x)
        return layers.BatchNormalization(name=name.replace("conv", "norm"))(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(conv(inputs, 16, 3, 1, "conv"))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            name, strides = f"block{stage}{block}", 2 if stage and not block else 1
            y = layers.ReLU()(conv(x, filters, 3, strides, f"{name}_conv1"))
            y = conv(y, filters, 3, 1, f"{name}_conv2")
            shortcut = conv(x, filters, 1, strides, f"{name}_conv0") if strides == 2 else x
            x = layers.ReLU()(layers.Add()([y, shortcut]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, name="head")(x))


def transformer(keras: Any, blocks: int = 4, width: int = 256, heads: int = 8) -> Any:
    """Pre-norm encoder blocks over 128 tokens."""
    layers = keras.layers
    inputs = keras.Input((128,), dtype="int32")
    x = layers.Embedding(VOCABULARY, width, name="embedding")(inputs)
    for block in range(blocks):
        name = f"block{block}"
        y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm1")(x)
        y = layers.MultiHeadAttention(heads, width // heads, name=f"{name}_attention")(y, y)
        x = layers.Add()([x, y])
        y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm2")(x)
        y = layers.Dense(4 * width, activation="gelu", name=f"{name}_dense1")(y)
        y = layers.Dense(width, name=f"{name}_dense2")(y)
        x = layers.Add()([x, y])
    x = layers.LayerNormalization(epsilon=1e-5, name="norm")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, name="head")(x))


def lstm(keras: Any) -> Any:
    """One LSTM of width 128 over 100 steps of 64 features."""
    inputs = keras.Input((100, 64))
    x = keras.layers.LSTM(128, name="lstm")(inputs)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))


def gru(keras: Any) -> Any:
    """One GRU of width 128 over 100 steps of 64 features."""
    inputs = keras.Input((100, 64))
    x = keras.layers.GRU(128, name="gru")(inputs)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))


def chain(keras: Any, depth: int) -> Any:
    """`depth` small Dense layers in a row; after every tenth, a skip connection is added."""
    x = skip = inputs = keras.Input((8,))
    for i in range(1, depth + 1):
        x = keras.layers.Dense(8)(x)
        if i % 10 == 0:
            x = skip = keras.layers.Add()([x, skip])
    return keras.Model(inputs, x)


def chain_weights(keras: Any, depth: int) -> list[Any]:
    """The layers of `chain` with their weights, but not connected: what building costs without the graph."""
    layers = [keras.layers.Dense(8) for _ in range(depth)] + [keras.layers.Add() for _ in range(depth // 10)]
    for layer in layers[:depth]:
        layer.build((None, 8))
    return layers


@dataclass(frozen=True)
class Workload:
    """One model and the batch it is measured with."""

    title: str
    build: Callable[[Any], Any]
    batch: int
    shape: tuple[int, ...]
    tokens: bool = False
    others: tuple[tuple[int, ...], ...] = ()
    pixels: bool = False
    outputs: int = 1

    def data(self, batch: int | None = None) -> tuple[Any, Any]:
        """One batch of inputs, float32 or int32 tokens, and the classes, int64: arrays, or lists of several.

        Args:
            batch: samples; `batch` of the workload when not given.
        """
        random, batch = np.random.default_rng(0), batch or self.batch
        shape = (batch, *self.shape)
        x = random.integers(VOCABULARY, size=shape, dtype="int32") if self.tokens else random.random(shape, "float32")
        y = random.integers(CLASSES, size=(batch, *self.shape[:2]) if self.pixels else batch)
        xs = [x, *(random.random((batch, *other), "float32") for other in self.others)]
        return xs if self.others else x, [y] * self.outputs if self.outputs > 1 else y


WORKLOADS = {
    "mlp": Workload("MLP 784-64-64-10, batch 32", mlp, 32, (784,)),
    "resnet20": Workload("ResNet-20, batch 64", resnet20, 64, (32, 32, 3)),
    "transformer": Workload("Transformer 4x256, batch 16x128", transformer, 16, (128,), tokens=True),
    "lstm": Workload("LSTM(128), batch 32x100x64", lstm, 32, (100, 64)),
    "gru": Workload("GRU(128), batch 32x100x64", gru, 32, (100, 64)),
    "siamese": Workload("Siamese towers, batch 32", architectures.siamese, 32, (64,), others=((64,),)),
    "branching": Workload("2 inputs, 2 outputs, 32", architectures.branching, 32, (64,), others=((32,),), outputs=2),
    "wide_deep": Workload("Wide & deep, batch 64", architectures.wide_and_deep, 64, (256,)),
    "inception": Workload("Inception, batch 32", architectures.inception, 32, (32, 32, 3)),
    "unet": Workload("U-Net 64x64, batch 8", architectures.unet, 8, (64, 64, 3), pixels=True),
    "thousand": Workload("1,000-layer chain, batch 32", architectures.thousand, 32, (8,)),
    "resnet50": Workload("ResNet-50 at 224, batch 8", architectures.resnet50, 8, (224, 224, 3)),
    "transformer12": Workload(
        "Transformer 12x768, batch 2x128", partial(transformer, blocks=12, width=768, heads=12), 2, (128,), tokens=True
    ),
}
