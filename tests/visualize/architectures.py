"""Models that pictures are tried on: the well-known shapes, built from our own layers.

Weights are zeros, so that building them is quick; `width` divides the channels for tests that run them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import ramify
from ramify import layers


def dense(units, **kwargs):
    return layers.Dense(units, kernel_initializer="zeros", **kwargs)


def conv(x, filters, size, strides=1, padding="same", activation="relu", name=None):
    """A convolution, its normalization and its activation."""
    options = {"kernel_initializer": "zeros", "use_bias": False, "padding": padding}
    x = layers.Conv2D(filters, size, strides, name=name and f"{name}_conv", **options)(x)
    x = layers.BatchNormalization(name=name and f"{name}_bn")(x)
    return layers.Activation(activation, name=name and f"{name}_{activation}")(x) if activation else x


def resnet50(size=224, width=1):
    def block(x, filters, strides, first, name):
        skip = conv(x, 4 * filters, 1, strides, activation=None, name=f"{name}_0") if first else x
        y = conv(x, filters, 1, strides, name=f"{name}_1")
        y = conv(y, filters, 3, name=f"{name}_2")
        y = conv(y, 4 * filters, 1, activation=None, name=f"{name}_3")
        y = layers.Add(name=f"{name}_add")([skip, y])
        return layers.Activation("relu", name=f"{name}_out")(y)

    inputs = ramify.Input((size, size, 3), name="image")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = conv(x, 64 // width, 7, 2, "valid", name="conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1_pool")(x)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for i in range(blocks):
            strides = 2 if stage and not i else 1
            x = block(x, (64 << stage) // width, strides, not i, f"conv{stage + 2}_block{i + 1}")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return ramify.Model(inputs, dense(1000, activation="softmax", name="predictions")(x), name="resnet50")


def inception_v3(size=299, width=1):
    def c(x, filters, *rest, **kwargs):
        return conv(x, filters // width, *rest, **kwargs)

    def pool(x):
        return layers.AveragePooling2D(3, 1, "same")(x)

    def join(*branches):
        return layers.Concatenate()(list(branches))

    inputs = x = ramify.Input((size, size, 3), name="image")
    x = c(c(c(x, 32, 3, 2, "valid"), 32, 3, 1, "valid"), 64, 3)
    x = layers.MaxPooling2D(3, 2)(x)
    x = c(c(x, 80, 1, 1, "valid"), 192, 3, 1, "valid")
    x = layers.MaxPooling2D(3, 2)(x)
    for filters in (32, 64, 64):
        x = join(
            c(x, 64, 1), c(c(x, 48, 1), 64, 5), c(c(c(x, 64, 1), 96, 3), 96, 3), c(pool(x), filters, 1)
        )  # fmt: skip
    x = join(
        c(x, 384, 3, 2, "valid"), c(c(c(x, 64, 1), 96, 3), 96, 3, 2, "valid"), layers.MaxPooling2D(3, 2)(x)
    )  # fmt: skip
    for n in (128, 160, 160, 192):
        long = c(x, n, 1)
        for kernel, filters in (((7, 1), n), ((1, 7), n), ((7, 1), n), ((1, 7), 192)):
            long = c(long, filters, kernel)
        x = join(c(x, 192, 1), c(c(c(x, n, 1), n, (1, 7)), 192, (7, 1)), long, c(pool(x), 192, 1))
    seven = c(c(c(x, 192, 1), 192, (1, 7)), 192, (7, 1))
    x = join(
        c(c(x, 192, 1), 320, 3, 2, "valid"), c(seven, 192, 3, 2, "valid"), layers.MaxPooling2D(3, 2)(x)
    )  # fmt: skip
    for _ in range(2):
        three = c(x, 384, 1)
        double = c(c(x, 448, 1), 384, 3)
        x = join(
            c(x, 320, 1),
            join(c(three, 384, (1, 3)), c(three, 384, (3, 1))),
            join(c(double, 384, (1, 3)), c(double, 384, (3, 1))),
            c(pool(x), 192, 1),
        )
    x = layers.GlobalAveragePooling2D()(x)
    return ramify.Model(inputs, dense(1000, activation="softmax", name="predictions")(x), name="inception_v3")


def unet(size=128, width=1, depth=4):
    def double(x, filters):
        return conv(conv(x, filters, 3), filters, 3)

    inputs = x = ramify.Input((size, size, 1), name="image")
    skips = []
    for i in range(depth):
        x = double(x, (64 << i) // width)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = double(x, (64 << depth) // width)
    for i in reversed(range(depth)):
        x = layers.Conv2DTranspose((64 << i) // width, 2, 2, kernel_initializer="zeros")(x)
        x = double(layers.Concatenate()([skips[i], x]), (64 << i) // width)
    mask = layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer="zeros", name="mask")(x)
    return ramify.Model(inputs, mask, name="unet")


def densenet121(size=224, width=1, blocks=(6, 12, 24, 16)):
    growth = 32 // width

    def pre(x, filters, kernel):
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        options = {"kernel_initializer": "zeros", "use_bias": False, "padding": "same"}
        return layers.Conv2D(filters, kernel, **options)(x)

    inputs = ramify.Input((size, size, 3), name="image")
    x = layers.MaxPooling2D(3, 2, "same")(conv(inputs, 64 // width, 7, 2))
    for stage, count in enumerate(blocks):
        if stage:
            x = layers.AveragePooling2D(2)(pre(x, x.shape[-1] // 2, 1))
        for _ in range(count):
            x = layers.Concatenate()([x, pre(pre(x, 4 * growth, 1), growth, 3)])
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return ramify.Model(inputs, dense(1000, activation="softmax", name="predictions")(x), name="densenet121")


def dense_block(layers_in_block=8, size=32, growth=12):
    """A dense block as the paper draws it: every layer reads all that came before, in a concatenation of its own."""
    inputs = ramify.Input((size, size, 24), name="image")
    features = [inputs]
    for _ in range(layers_in_block):
        x = layers.Concatenate()(features) if len(features) > 1 else features[0]
        features.append(conv(x, growth, 3))
    x = layers.GlobalAveragePooling2D()(layers.Concatenate()(features))
    return ramify.Model(inputs, dense(10)(x), name="dense_block")


def transformer(blocks=12, length=128, features=256, heads=4, vocabulary=1000):
    tokens = ramify.Input((length,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, features, embeddings_initializer="zeros", name="embedding")(tokens)
    for i in range(blocks):
        y = layers.LayerNormalization(name=f"block{i}_norm1")(x)
        attention = layers.MultiHeadAttention(
            heads, features // heads, kernel_initializer="zeros", name=f"block{i}_attention"
        )
        x = layers.Add(name=f"block{i}_add1")([x, attention(y, y)])
        y = layers.LayerNormalization(name=f"block{i}_norm2")(x)
        y = dense(4 * features, activation="gelu", name=f"block{i}_up")(y)
        y = dense(features, name=f"block{i}_down")(y)
        x = layers.Add(name=f"block{i}_add2")([x, y])
    x = layers.LayerNormalization(name="norm")(x)
    return ramify.Model(tokens, dense(vocabulary, name="logits")(x), name=f"transformer_{blocks}")


def siamese():
    image = x = ramify.Input((64, 64, 3), name="image")
    for filters in (16, 32, 64):
        x = layers.MaxPooling2D(2)(conv(x, filters, 3))
    x = layers.GlobalAveragePooling2D()(x)
    encoder = ramify.Model(image, dense(32, name="embedding")(x), name="encoder")
    left, right = ramify.Input((64, 64, 3), name="left"), ramify.Input((64, 64, 3), name="right")
    distance = abs(encoder(left) - encoder(right))
    same = dense(1, activation="sigmoid", name="same")(distance)
    return ramify.Model([left, right], same, name="siamese")


def gan():
    noise = x = ramify.Input((64,), name="noise")
    x = layers.Reshape((7, 7, 16))(dense(7 * 7 * 16, activation="relu")(x))
    for filters in (32, 16):
        x = layers.Conv2DTranspose(filters, 4, 2, padding="same", kernel_initializer="zeros")(x)
        x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
    fake = layers.Conv2D(1, 3, padding="same", activation="tanh", kernel_initializer="zeros", name="pixels")(x)
    generator = ramify.Model(noise, fake, name="generator")
    image = x = ramify.Input((28, 28, 1), name="image")
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, 2, padding="same", kernel_initializer="zeros")(x)
        x = layers.Dropout(0.3)(layers.LeakyReLU(0.2)(x))
    verdict = dense(1, name="real")(layers.Flatten()(x))
    discriminator = ramify.Model(image, verdict, name="discriminator")
    z, real = ramify.Input((64,), name="z"), ramify.Input((28, 28, 1), name="photo")
    outputs = {"fake": discriminator(generator(z)), "real": discriminator(real)}
    return ramify.Model([z, real], outputs, name="gan")


def chain(count):
    """Many small layers, each with a skip around it."""
    x = start = ramify.Input((2,), name="x")
    for _ in range(count // 2):
        x = layers.Add()([x, dense(2)(x)])
    return ramify.Model(start, x, name=f"chain_{count}")


ARCHITECTURES: dict[str, Callable[[], ramify.Model]] = {
    "resnet50": cache(resnet50),
    "inception_v3": cache(inception_v3),
    "unet": cache(unet),
    "densenet121": cache(densenet121),
    "dense_block": cache(dense_block),
    "transformer": cache(transformer),
    "siamese": cache(siamese),
    "gan": cache(gan),
}
