"""The larger measured models, written once against the Keras API; see `workloads`, which lists them."""

from __future__ import annotations

from typing import Any

CLASSES = 10


def siamese(keras: Any) -> Any:
    """One tower of three dense layers over two inputs, and a head on what tells them apart."""
    inner = keras.Input((64,))
    x = keras.layers.Dense(64, activation="relu", name="dense1")(inner)
    x = keras.layers.Dense(64, activation="relu", name="dense2")(x)
    tower = keras.Model(inner, keras.layers.Dense(32, name="dense3")(x), name="tower")
    a, b = keras.Input((64,)), keras.Input((64,))
    distance = keras.layers.Subtract()([tower(a), tower(b)])
    return keras.Model([a, b], keras.layers.Dense(CLASSES, name="head")(keras.layers.Multiply()([distance, distance])))


def branching(keras: Any) -> Any:
    """Two inputs that meet, and two outputs."""
    a, b = keras.Input((64,)), keras.Input((32,))
    x = keras.layers.Dense(64, activation="relu", name="left")(a)
    y = keras.layers.Dense(64, activation="relu", name="right")(b)
    x = keras.layers.Dense(64, activation="relu", name="joint")(keras.layers.Concatenate()([x, y]))
    return keras.Model([a, b], [keras.layers.Dense(CLASSES, name=f"head{i}")(x) for i in range(2)])


def wide_and_deep(keras: Any) -> Any:
    """Cheng et al., 2016: a linear part beside a deep one, on 256 features."""
    inputs = keras.Input((256,))
    x = inputs
    for i, units in enumerate((256, 128, 64)):
        x = keras.layers.Dense(units, activation="relu", name=f"deep{i}")(x)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(keras.layers.Concatenate()([inputs, x])))


def thousand(keras: Any) -> Any:
    """A chain of 1,000 dense layers of width 8, with a skip around every ten."""
    x = skip = inputs = keras.Input((8,))
    for i in range(1_000):
        x = keras.layers.Dense(8, name=f"dense{i}")(x)
        if i % 10 == 9:
            x = skip = keras.layers.Add()([x, skip])
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))


def _conv(keras: Any, x: Any, filters: int, size: int, strides: int, name: str, *, relu: bool = True) -> Any:
    x = keras.layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = keras.layers.BatchNormalization(name=f"{name}_norm")(x)
    return keras.layers.ReLU()(x) if relu else x


def inception(keras: Any) -> Any:
    """Three blocks of four arms (Szegedy et al., 2015) on 32x32 images."""
    inputs = keras.Input((32, 32, 3))
    x = _conv(keras, inputs, 32, 3, 1, "stem")
    for i in range(3):
        arms = [
            _conv(keras, x, 32, 1, 1, f"b{i}_one"),
            _conv(keras, _conv(keras, x, 32, 1, 1, f"b{i}_three0"), 32, 3, 1, f"b{i}_three1"),
            _conv(keras, _conv(keras, x, 16, 1, 1, f"b{i}_five0"), 32, 5, 1, f"b{i}_five1"),
            _conv(keras, keras.layers.MaxPooling2D(3, 1, padding="same")(x), 32, 1, 1, f"b{i}_pool"),
        ]
        x = keras.layers.Concatenate()(arms)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))


def resnet50(keras: Any) -> Any:
    """ResNet-50 (He et al., 2016) on 224x224 images; strides stand in the 3x3 convolutions."""
    inputs = keras.Input((224, 224, 3))
    x = _conv(keras, inputs, 64, 7, 2, "stem")
    x = keras.layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage, (filters, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            name, strides = f"s{stage}b{block}", 2 if stage and not block else 1
            y = _conv(keras, x, filters, 1, 1, f"{name}_a")
            y = _conv(keras, y, filters, 3, strides, f"{name}_b")
            y = _conv(keras, y, 4 * filters, 1, 1, f"{name}_c", relu=False)
            skip = x if block else _conv(keras, x, 4 * filters, 1, strides, f"{name}_d", relu=False)
            x = keras.layers.ReLU()(keras.layers.Add()([y, skip]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(x))


def unet(keras: Any) -> Any:
    """A U-Net of three levels (Ronneberger et al., 2015) on 64x64 images: a class for every pixel."""
    inputs = x = keras.Input((64, 64, 3))
    skips = []
    for i, filters in enumerate((16, 32)):
        x = _conv(keras, _conv(keras, x, filters, 3, 1, f"down{i}a"), filters, 3, 1, f"down{i}b")
        skips.append(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = _conv(keras, x, 64, 3, 1, "middle")
    for i, filters in ((1, 32), (0, 16)):
        x = keras.layers.Concatenate()([keras.layers.UpSampling2D(2)(x), skips[i]])
        x = _conv(keras, _conv(keras, x, filters, 3, 1, f"up{i}a"), filters, 3, 1, f"up{i}b")
    return keras.Model(inputs, keras.layers.Conv2D(CLASSES, 1, name="head")(x))
