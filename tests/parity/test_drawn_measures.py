"""Losses and metrics beside Keras on what hypothesis draws: shapes, numbers, sample weights, masks, several batches."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ramify import losses, metrics

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")

drawn = settings(max_examples=6, deadline=None)


def softmax(rng, *shape):
    e = np.exp(rng.normal(size=shape))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def one_hot(rng, *shape):
    return np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])]


def real(rng, *shape):
    return (3 * rng.normal(size=shape)).astype("float32")


def bits(rng, *shape):
    return rng.integers(0, 2, shape).astype("float32")


def share(rng, *shape):
    return rng.uniform(0.01, 0.99, shape).astype("float32")


def labels(rng, *shape):
    return rng.integers(0, shape[-1], shape[:-1])


# what the targets and the predictions look like
KINDS = {
    "real": (real, real),
    "positive": (lambda *a: np.abs(real(*a)), lambda *a: np.abs(real(*a)) + 0.1),
    "binary": (bits, share),
    "logits": (bits, real),
    "spread": (softmax, softmax),
    "one_hot": (one_hot, softmax),
    "labels": (labels, softmax),
}
LOSSES = {
    "MeanSquaredError": "real",
    "MeanAbsoluteError": "real",
    "MeanAbsolutePercentageError": "positive",
    "MeanSquaredLogarithmicError": "positive",
    "Huber": "real",
    "LogCosh": "real",
    "CosineSimilarity": "real",
    "Poisson": "positive",
    "KLDivergence": "spread",
    "Hinge": "logits",
    "SquaredHinge": "logits",
    "CategoricalHinge": "one_hot",
    "BinaryCrossentropy": "binary",
    "BinaryFocalCrossentropy": "binary",
    "CategoricalCrossentropy": "one_hot",
    "CategoricalFocalCrossentropy": "one_hot",
    "SparseCategoricalCrossentropy": "labels",
}
METRICS = {
    **{name: kind for name, kind in LOSSES.items() if hasattr(metrics, name)},
    "RootMeanSquaredError": "real",
    "LogCoshError": "real",
    "BinaryAccuracy": "binary",
    "CategoricalAccuracy": "one_hot",
    "SparseCategoricalAccuracy": "labels",
    "TopKCategoricalAccuracy": "one_hot",
    "SparseTopKCategoricalAccuracy": "labels",
}
OPTIONS = {"TopKCategoricalAccuracy": {"k": 2}, "SparseTopKCategoricalAccuracy": {"k": 2}}
COUNTING = ["TruePositives", "FalseNegatives", "Precision", "Recall", "AUC"]
TOLERANCE = 1e-6


def same(got, want):
    got, want = got.detach().numpy(), keras.ops.convert_to_numpy(want)
    assert got.shape == want.shape
    # sums of numbers of both signs are known as well as the largest of what was added
    np.testing.assert_allclose(got, want, rtol=TOLERANCE, atol=TOLERANCE * max(1.0, float(np.abs(want).max(initial=0))))


def batch(rng, kind, shape, masked, weighted):
    """Targets, two copies of the predictions with their mask, and weights."""
    make_true, make_pred = KINDS[kind]
    y_true, y_pred = make_true(rng, *shape), make_pred(rng, *shape)
    ours, theirs = torch.tensor(y_pred), torch.tensor(y_pred)
    if masked:
        ours._ramify_mask = theirs._keras_mask = torch.tensor(rng.integers(0, 2, shape[:-1]).astype(bool))
    weight = rng.uniform(0, 2, shape[:-1]).astype("float32") if weighted else None
    return y_true, ours, theirs, weight


sizes = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(2, 5))


@pytest.mark.parametrize("name", LOSSES)
@drawn
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=sizes,
    deep=st.booleans(),
    masked=st.booleans(),
    weighted=st.booleans(),
    reduction=st.sampled_from(["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", None]),
)
def test_losses(name, seed, shape, deep, masked, weighted, reduction):
    shape = shape if deep else (shape[0], shape[-1])
    y_true, ours, theirs, weight = batch(np.random.default_rng(seed), LOSSES[name], shape, masked, weighted)
    same(
        getattr(losses, name)(reduction=reduction)(y_true, ours, sample_weight=weight),
        getattr(keras.losses, name)(reduction=reduction)(y_true, theirs, sample_weight=weight),
    )


@pytest.mark.parametrize("name", METRICS)
@drawn
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=sizes,
    deep=st.booleans(),
    masked=st.booleans(),
    weighted=st.booleans(),
    batches=st.integers(1, 4),
)
def test_streaming_metrics(name, seed, shape, deep, masked, weighted, batches):
    shape, rng = shape if deep else (shape[0], shape[-1]), np.random.default_rng(seed)
    options = OPTIONS.get(name, {})
    mine, real_one = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for _ in range(batches):
        y_true, ours, theirs, weight = batch(rng, METRICS[name], shape, masked, weighted)
        mine.update_state(y_true, ours, sample_weight=weight)
        real_one.update_state(y_true, theirs, sample_weight=weight)
        same(mine.result(), real_one.result())


@pytest.mark.parametrize("name", COUNTING)
@drawn
@given(seed=st.integers(0, 2**32 - 1), shape=sizes, weighted=st.booleans(), batches=st.integers(1, 4))
def test_counting_metrics(name, seed, shape, weighted, batches):
    rng = np.random.default_rng(seed)
    mine, real_one = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for _ in range(batches):
        y_true, ours, theirs, _ = batch(rng, "binary", shape, False, False)
        weight = rng.uniform(0, 2, shape).astype("float32") if weighted else None
        mine.update_state(y_true, ours, sample_weight=weight)
        real_one.update_state(y_true, theirs, sample_weight=weight)
        same(mine.result(), real_one.result())
