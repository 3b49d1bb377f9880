"""Rescaling, Normalization, Discretization and CategoryEncoding against real Keras on the same data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import ramify
from ramify.errors import ArgumentError, NotBuiltError, ShapeError
from ramify.layers.preprocessing import CategoryEncoding, Discretization, Normalization, Rescaling

IMAGE = np.arange(24, dtype="float32").reshape(2, 3, 4) - 5
CASES: list[tuple[Any, dict[str, Any], Any]] = [
    (Rescaling, {"scale": 1 / 255, "offset": -1}, np.array([[0, 128, 255]], dtype="uint8")),
    (Rescaling, {"scale": [1.0, 2.0], "offset": [0, 1]}, np.array([[1, 2], [3, 4]])),
    (Rescaling, {"scale": 2.0, "dtype": "bfloat16"}, np.array([[1.5, 2.5]], dtype="float32")),
    (Normalization, {"mean": 1.0, "variance": 4.0}, IMAGE),
    (Normalization, {"mean": [1.0, 2, 3, 4], "variance": [4.0, 1, 2, 3]}, IMAGE),
    (Normalization, {"mean": [1.0, 2, 3, 4], "variance": [4.0, 1, 2, 3], "invert": True}, IMAGE),
    (Normalization, {"mean": [1.0, 2, 3], "variance": [4.0, 1, 2], "axis": 1}, IMAGE),
    (Normalization, {"mean": 2.0, "variance": 9.0, "axis": None}, IMAGE),
    (Normalization, {"mean": 2.0, "variance": 0.0, "axis": None}, np.array([1.0, 2.0], dtype="float32")),
    (Normalization, {}, IMAGE),
    (Normalization, {"mean": [1.0], "variance": [4.0]}, np.array([[1], [2]])),
    (Normalization, {"mean": [1.0], "variance": [4.0], "dtype": "bfloat16"}, np.array([[1.0], [2.0]])),
]
VALUES = [[-1, 0.0, 0.5, 1, 5], [[-1, 0.5, 5.0]], [[-1], [5.0]], [[0, 1], [2, 3]], [[np.nan, np.inf]], 1.0]
CASES += [
    (Discretization, {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": mode}, np.array(values))
    for mode in ("int", "one_hot", "multi_hot", "count")
    for values in VALUES
    if np.ndim(values) or mode == "int"
]
CATEGORIES = [[3, 2, 0, 1], [[3], [2], [0]], [[3, 2], [0, 0]], [[[3, 2], [0, 0]]], [[0, -1]], [[0.0, 1.7]], 2]
CASES += [
    (CategoryEncoding, {"num_tokens": 4, "output_mode": mode}, np.array(values))
    for mode in ("one_hot", "multi_hot", "count")
    for values in CATEGORIES
    # Not: a negative number counted, where Keras raises; several rows of samples, where Keras sums up another axis than
    # the one that it documents and declares in graphs.
    if not (mode == "count" and values == [[0, -1]]) and not (mode != "one_hot" and np.ndim(values) == 3)
]
CASES.append((CategoryEncoding, {"num_tokens": 4, "dtype": "int32"}, np.array([[0, 1]])))


@pytest.mark.parametrize(("cls", "kwargs", "data"), CASES)
def test_values_dtypes_configs_and_shapes_as_keras(cls: Any, kwargs: dict[str, Any], data: Any) -> None:
    layer, theirs = cls(**kwargs), getattr(keras.layers, cls.__name__)(**kwargs)
    expected = theirs(data)
    for one in (layer, cls.from_config(json.loads(json.dumps(layer.get_config())))):
        output = one(data)
        assert output.dtype == expected.dtype
        np.testing.assert_allclose(output.float().numpy(), expected.float().numpy(), rtol=1e-5, atol=1e-6)
    config, wanted = layer.get_config(), theirs.get_config()
    assert {**config, "name": ""} == {**wanted, "name": ""}
    if data.ndim > 1:
        symbolic = cls(**kwargs)(ramify.Input(data.shape[1:], dtype=str(data.dtype)))
        assert symbolic.shape[1:] == tuple(output.shape[1:])
        assert symbolic.dtype == output.dtype


@pytest.mark.parametrize("axis", [-1, None, 1, (1, 2), (-1, 1), 0])
def test_adapted_normalization_as_keras(axis: Any) -> None:
    layer, theirs = Normalization(axis=axis), keras.layers.Normalization(axis=axis)
    layer.adapt(IMAGE)
    theirs.adapt(IMAGE)
    np.testing.assert_allclose(layer(IMAGE).numpy(), theirs(IMAGE).numpy(), rtol=1e-5, atol=1e-6)
    assert tuple(layer.mean.shape) == tuple(theirs.mean.shape)
    assert [w.name for w in layer.weights] == [w.name for w in theirs.weights]
    assert [tuple(w.shape) for w in layer.weights] == [tuple(w.shape) for w in theirs.weights]
    layer.reset_state()
    layer.set_weights(theirs.get_weights())
    np.testing.assert_allclose(layer(IMAGE).numpy(), theirs(IMAGE).numpy(), rtol=1e-5, atol=1e-6)
    assert not layer.trainable_weights


def test_normalization_joins_batches() -> None:
    data = torch.randn(70, 3) * 4 + 2
    whole, parts = Normalization(), Normalization()
    whole.adapt(data)
    parts.adapt(DataLoader(TensorDataset(data), batch_size=16))
    for one, other in zip(whole.weights, parts.weights, strict=True):
        torch.testing.assert_close(one.value, other.value)
    out = parts(data)
    torch.testing.assert_close(out.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var(0, correction=0), torch.ones(3))
    parts.adapt([[1.0, 2.0, 3.0]])  # forgets what was before
    assert parts.adapt_mean.tolist() == [1, 2, 3]
    with pytest.raises(ShapeError, match=r"\(4, 5\)"):
        parts.adapt(np.ones((4, 5)))


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: Normalization(mean=1.0), ArgumentError, "together"),
        (lambda: Normalization(mean=1.0, variance=1.0).adapt(IMAGE), ArgumentError, "were given"),
        (lambda: Normalization()(ramify.Input((None,))), ShapeError, "unknown"),
        (lambda: Normalization(axis=5)(IMAGE), ShapeError, "no axis"),
        (lambda: Normalization(mean=[1.0, 2], variance=[1.0, 2])(IMAGE), ShapeError, "do not fit"),
        (lambda: Normalization().adapt(iter([])), ArgumentError, "no data"),
        (lambda: Normalization().adapt([(torch.ones(2, 1), torch.ones(2))]), ArgumentError, "features alone"),
        (Discretization, ArgumentError, "either"),
        (lambda: Discretization([0.0], num_bins=3), ArgumentError, "either"),
        (lambda: Discretization(num_bins=-3), ArgumentError, "-3"),
        (lambda: Discretization([2.0, 0.0]), ArgumentError, "ascending"),
        (lambda: Discretization(num_bins=3)(np.ones(2)), NotBuiltError, "adapt"),
        (lambda: Discretization([0.0]).adapt(np.ones(2)), ArgumentError, "were given"),
        (lambda: Discretization([0.0], output_mode="x"), ArgumentError, "one_hot"),
        (lambda: Discretization([0.0], sparse=True, output_mode="count"), ArgumentError, "sparse"),
        (CategoryEncoding, ArgumentError, "number of categories"),
        (lambda: CategoryEncoding(3, output_mode="int"), ArgumentError, "multi_hot"),
        (lambda: CategoryEncoding(3)(np.array([[0, 9]])), ArgumentError, "0 to 2"),
        (lambda: CategoryEncoding(3)(np.array([[0]]), count_weights=np.ones((1, 1))), ArgumentError, "count"),
    ],
)
def test_errors(make: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_count_weights() -> None:
    weights = np.array([[0.1, 0.2], [0.3, 0.4]], dtype="float32")
    output = CategoryEncoding(4, output_mode="count")(np.array([[0, 1], [0, 0]]), count_weights=weights)
    torch.testing.assert_close(output, torch.tensor([[0.1, 0.2, 0, 0], [0.7, 0, 0, 0]]))


# What Keras 3.15 (with TensorFlow, which its `adapt` needs here) found: values and weights kept, and boundaries.
RANGE = np.arange(40.0)[::-1].copy()
LEARNED = [
    (np.arange(7.0), None, 3, 0.5, [[2, 5], [3.5, 3.5]], [2]),
    (np.arange(10.0), None, 3, 0.3, [[2, 5, 8], [3, 3, 3]], [2, 5]),
    (np.arange(11.0), None, 3, 0.25, [[1.5, 4, 6.5, 9], [3.4375] * 4], [2.333333, 5.666667]),
    (np.arange(20.0), None, 3, 0.15, [[2, 5, 8, 11, 14, 17], [3] * 6], [5, 11]),
    (np.arange(5.0), None, 3, 0.9, [[3], [4.5]], []),
    (np.arange(50.0).reshape(25, 2), None, 3, 0.1, None, [15.666665, 32.333332]),
    (np.arange(50.0).reshape(25, 2), None, 10, 0.01, None, [4, 9, 14, 19, 24, 29, 34, 39, 44]),
    (np.zeros(9), None, 10, 0.01, None, [0] * 8),
    (RANGE, 3, 4, 0.3, [[11, 23, 35, 39], [12, 12, 12, 4]], [11, 19, 29]),
    (RANGE, 7, 4, 0.1, [[3, 7, 11, 15, 19, 23, 27, 31, 35, 39], [4] * 10], [9, 19, 29]),
    (
        RANGE, 7, 4, 0.3,
        [[8.226337, 20.796001, 33.914360, 38], [11.7, 11.7, 11.7, 3.9]], [8.226337, 16.606113, 27.355179],
    ),
    (RANGE, 8, 4, 0.3, [[11, 23, 35, 39], [14.4, 14.4, 14.4, 4.8]], [11, 19, 29]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "batch", "bins", "epsilon", "summary", "found"), LEARNED)
def test_learned_boundaries_as_keras(
    data: Any, batch: Any, bins: int, epsilon: float, summary: Any, found: Any
) -> None:
    layer = Discretization(num_bins=bins, epsilon=epsilon)
    layer.adapt(data if batch is None else DataLoader(data, batch_size=batch))
    np.testing.assert_allclose(layer.bin_boundaries, found, rtol=1e-5)
    if summary is not None:
        np.testing.assert_allclose(layer.summary, summary, rtol=1e-5)
    restored = Discretization.from_config(json.loads(json.dumps(layer.get_config())))
    assert restored.bin_boundaries == layer.bin_boundaries
    assert torch.equal(restored(data), layer(data))


def test_in_a_model_that_learns() -> None:
    inputs = ramify.Input((3,))
    scale = Normalization()
    scale.adapt(np.random.randn(50, 3) * 5 + 1)
    cut = Discretization([0.0, 1.0], output_mode="one_hot")(inputs)
    outputs = ramify.layers.Dense(1)(ramify.layers.Concatenate()([scale(inputs), ramify.layers.Flatten()(cut)]))
    model = ramify.Model(inputs, outputs)
    before = [w.value.clone() for w in scale.weights]
    model.compile("sgd", "mse")
    model.fit(np.random.randn(32, 3).astype("float32"), np.ones((32, 1), dtype="float32"), epochs=2, verbose=0)
    assert all(torch.equal(w.value, b) for w, b in zip(scale.weights, before, strict=True))


def test_rows_of_samples() -> None:
    layer = CategoryEncoding(4, output_mode="count")
    assert layer(np.array([[[3, 2], [0, 0]]])).tolist() == [[[0, 0, 1, 1], [2, 0, 0, 0]]]
    assert (
        layer(ramify.Input((3, 5), dtype="int32")).shape
        == keras.layers.CategoryEncoding(4, output_mode="count")(keras.Input((3, 5), dtype="int32")).shape
    )


@pytest.mark.parametrize("ours_first", [True, False])
def test_files_both_ways(tmp_path: Path, ours_first: bool) -> None:
    written, read = (ramify, keras) if ours_first else (keras, ramify)
    inputs = written.Input((4,))
    scale = written.layers.Normalization() if not ours_first else Normalization()
    data = np.random.rand(30, 4).astype("float32")
    scale.adapt(data)
    cut = (Discretization if ours_first else keras.layers.Discretization)([0.2, 0.5], output_mode="count")
    model = written.Model(inputs, [scale(inputs), cut(inputs)])
    model.save(tmp_path / "m.keras")
    loaded = read.saving.load_model(tmp_path / "m.keras")
    for one, other in zip(model(data), loaded(data), strict=True):
        torch.testing.assert_close(torch.as_tensor(one), torch.as_tensor(other))
