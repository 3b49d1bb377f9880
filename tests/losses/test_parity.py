"""Every loss against the real one, on the same numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from ramify import losses

# Keras reads NumPy arrays in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")

RNG = np.random.default_rng(0)


def _f(*shape):
    return RNG.normal(size=shape).astype("float32")


def _p(*shape):
    return RNG.uniform(0.01, 0.99, size=shape).astype("float32")


def _one_hot(*shape):
    return np.eye(shape[-1], dtype="float32")[RNG.integers(0, shape[-1], shape[:-1])]


def _softmax(*shape):
    e = np.exp(_f(*shape))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


EDGE = np.array([[0.0, 1.0, 0.3], [1.0, 0.0, 0.0], [1.5, -0.2, 0.1]], "float32")
BITS = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "float32")
UNIT = _f(8, 5)
UNIT /= np.linalg.norm(UNIT, axis=1, keepdims=True)
LABELS = RNG.integers(0, 3, (8,))

# class, its arguments, targets, predictions
CASES = [
    ("MeanSquaredError", {}, _f(6, 4), _f(6, 4)),
    ("MeanSquaredError", {}, _f(6, 5, 4), _f(6, 5, 4)),
    ("MeanSquaredError", {}, _f(6), _f(6, 1)),
    ("MeanSquaredError", {}, _f(6, 1), _f(6)),
    ("MeanSquaredError", {}, _f(6, 5), _f(6, 5, 1)),
    ("MeanSquaredError", {}, _f(6, 1), _f(6, 4)),
    ("MeanAbsoluteError", {}, _f(6, 4), _f(6, 4)),
    ("MeanAbsolutePercentageError", {}, _f(6, 4) * BITS[0, 0], _f(6, 4)),
    ("MeanAbsolutePercentageError", {}, _f(6, 4), _f(6, 4)),
    ("MeanSquaredLogarithmicError", {}, _f(6, 4), _f(6, 4)),
    ("Huber", {}, _f(6, 4), 3 * _f(6, 4)),
    ("Huber", {"delta": 0.3}, _f(6, 4), 3 * _f(6, 4)),
    ("LogCosh", {}, _f(6, 4), 30 * _f(6, 4)),
    ("BinaryCrossentropy", {}, BITS, EDGE.clip(0, 1)),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, EDGE),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BITS, EDGE),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2, "axis": 0}, BITS, EDGE),
    ("BinaryCrossentropy", {}, BITS[:, :1], _p(3, 1)),
    ("BinaryCrossentropy", {}, BITS[:, 0], _p(3, 1)),
    ("BinaryFocalCrossentropy", {}, BITS, _p(3, 3)),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 3.0}, BITS, EDGE),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "label_smoothing": 0.1}, BITS, _p(3, 3)),
    ("CategoricalCrossentropy", {}, _one_hot(6, 4), _softmax(6, 4)),
    ("CategoricalCrossentropy", {}, _one_hot(3, 3), EDGE),
    ("CategoricalCrossentropy", {"from_logits": True}, _one_hot(6, 4), _f(6, 4)),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, _one_hot(6, 5, 4), _f(6, 5, 4)),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1, "axis": 1}, _one_hot(6, 5, 4), _p(6, 5, 4)),
    ("CategoricalFocalCrossentropy", {}, _one_hot(6, 4), _softmax(6, 4)),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.3}, _one_hot(6, 4), _f(6, 4)),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1, "gamma": 1.0}, _one_hot(6, 4), _p(6, 4)),
    ("CategoricalGeneralizedCrossEntropy", {}, LABELS, _softmax(8, 3)),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, LABELS, _softmax(8, 3)),
    ("SparseCategoricalCrossentropy", {}, LABELS, _softmax(8, 3)),
    ("SparseCategoricalCrossentropy", {}, LABELS[:, None], 3 * _p(8, 3)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, _f(8, 3)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS.reshape(4, 2), _f(4, 2, 3)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS.reshape(4, 2, 1), _f(4, 2, 3)),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, LABELS, _f(8, 3)),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1}, np.array([2, -1, 0]), _softmax(3, 3)),
    ("SparseCategoricalCrossentropy", {"axis": 1}, LABELS.reshape(4, 2), _p(4, 3, 2)),
    ("Hinge", {}, BITS, _f(3, 3)),
    ("Hinge", {}, 2 * BITS - 1, _f(3, 3)),
    ("Hinge", {}, EDGE, _f(3, 3)),
    ("SquaredHinge", {}, BITS, _f(3, 3)),
    ("CategoricalHinge", {}, _one_hot(6, 4), _f(6, 4)),
    ("Poisson", {}, np.abs(_f(6, 4)), _p(6, 4)),
    ("Poisson", {}, np.abs(_f(6, 4)), 0 * _p(6, 4)),
    ("KLDivergence", {}, _softmax(6, 4), _softmax(6, 4)),
    ("KLDivergence", {}, _one_hot(3, 3), EDGE),
    ("CosineSimilarity", {}, _f(6, 4), _f(6, 4)),
    ("CosineSimilarity", {"axis": 1}, _f(6, 4, 3), _f(6, 4, 3)),
    ("CosineSimilarity", {}, 0 * _f(6, 4), _f(6, 4)),
    ("Dice", {}, BITS, _p(3, 3)),
    ("Dice", {"axis": (1, 2)}, _one_hot(3, 4, 5), _p(3, 4, 5)),
    ("Dice", {}, 0 * BITS, 0 * BITS),
    ("Tversky", {"alpha": 0.3, "beta": 0.8}, BITS, _p(3, 3)),
    ("Tversky", {"axis": (1,)}, _one_hot(3, 4, 5), _p(3, 4, 5)),
    ("Tversky", {}, 0 * BITS, 0 * BITS),
    ("CTC", {}, np.array([[1, 2, 2, 0], [3, 1, 0, 0]]), _f(2, 8, 5)),
    ("Circle", {}, LABELS, UNIT),
    ("Circle", {"gamma": 20.0, "margin": 0.2, "remove_diagonal": False}, LABELS, UNIT),
    ("Circle", {}, np.array([0, 1, 2, 2]), UNIT[:4]),
    ("Circle", {"gamma": 5.0}, np.array([0, 0, 1, 1]), _f(4, 5)),
]
IDS = [f"{i}-{name}-{'-'.join(kwargs)}" for i, (name, kwargs, *_) in enumerate(CASES)]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]


def _close(ours, theirs, tolerance=1e-6):
    ours, theirs = ours.detach().numpy(), keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES, ids=IDS)
def test_values_and_gradients(name, kwargs, y_true, y_pred):
    for reduction in REDUCTIONS:
        ours = getattr(losses, name)(reduction=reduction, **kwargs)
        theirs = getattr(keras.losses, name)(reduction=reduction, **kwargs)
        a, b = (torch.tensor(y_pred, requires_grad=True) for _ in range(2))
        mine, real = ours(y_true, a), theirs(y_true, b)
        _close(mine, real)
        if name != "Circle":  # its gradients are of size gamma, and logsumexp of nothing has none
            (grad,) = torch.autograd.grad(mine.sum(), a)
            (wanted,) = torch.autograd.grad(real.sum(), b)
            scale = max(1.0, float(wanted.abs().nan_to_num().max()))
            _close(grad / scale, wanted / scale)


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CASES, ids=IDS)
def test_sample_weight(name, kwargs, y_true, y_pred):
    per_sample = getattr(keras.losses, name)(reduction=None, **kwargs)(y_true, y_pred)
    weights = RNG.uniform(0, 2, size=tuple(per_sample.shape)).astype("float32")
    masked = name == "Circle" or "ignore_class" in kwargs  # Keras cannot join one number and a mask
    for weight in (weights, 0 * weights, *(() if masked else (0.5,))):
        for reduction in REDUCTIONS:
            ours = getattr(losses, name)(reduction=reduction, **kwargs)(y_true, y_pred, sample_weight=weight)
            theirs = getattr(keras.losses, name)(reduction=reduction, **kwargs)(y_true, y_pred, sample_weight=weight)
            _close(ours, theirs)


@pytest.mark.parametrize("weights", [None, "full"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("name", "y_true", "y_pred"),
    [
        ("MeanSquaredError", _f(4, 3, 2), _f(4, 3, 2)),
        ("SparseCategoricalCrossentropy", LABELS.reshape(4, 2), _softmax(4, 2, 3)),
        ("BinaryCrossentropy", _p(4, 3, 2), _p(4, 3, 2)),
    ],
)
def test_masks(name, y_true, y_pred, reduction, weights):
    mask = torch.tensor(RNG.integers(0, 2, y_pred.shape[:2]).astype(bool))
    weight = _p(*y_pred.shape[:2]) if weights else None
    ours, theirs = torch.tensor(y_pred), torch.tensor(y_pred)
    ours._ramify_mask = theirs._keras_mask = mask
    _close(
        getattr(losses, name)(reduction=reduction)(y_true, ours, sample_weight=weight),
        getattr(keras.losses, name)(reduction=reduction)(y_true, theirs, sample_weight=weight),
    )


def test_mask_joins_ignore_class():
    y_true, y_pred = LABELS.reshape(4, 2), _softmax(4, 2, 3)
    ours, theirs = torch.tensor(y_pred), torch.tensor(y_pred)
    ours._ramify_mask = theirs._keras_mask = torch.tensor(RNG.integers(0, 2, (4, 2)).astype(bool))
    _close(
        losses.SparseCategoricalCrossentropy(ignore_class=1)(y_true, ours),
        keras.losses.SparseCategoricalCrossentropy(ignore_class=1)(y_true, theirs),
    )


FUNCTIONS = [(name, cls) for name, cls in ((fn.__name__, cls) for fn, cls in losses.lookup._CLASS_OF.items())]


@pytest.mark.parametrize(("fn", "cls"), FUNCTIONS)
def test_functions(fn, cls):
    for name, kwargs, y_true, y_pred in CASES:
        if name == cls.__name__ and np.ndim(y_true) > 0 and (y_true.ndim == y_pred.ndim or "Sparse" in name):
            a, b = torch.tensor(y_true), torch.tensor(y_pred)
            _close(getattr(losses, fn)(a, b, **kwargs), getattr(keras.losses, fn)(a, b, **kwargs))


@pytest.mark.parametrize("name", sorted({name for name, *_ in CASES}))
def test_configs(name):
    ours, theirs = getattr(losses, name)(), getattr(keras.losses, name)()
    config = ours.get_config()
    for key, value in theirs.get_config().items():
        assert config[key] == value
    again = losses.deserialize(losses.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == config
    if name == "CategoricalGeneralizedCrossEntropy":  # which Keras leaves out of its own table
        return
    restored = keras.losses.deserialize(losses.serialize(ours))
    assert type(restored) is type(theirs)
