"""Every metric against the real one: several batches, with and without weights and masks."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

from ramify import metrics

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

RNG = np.random.default_rng(0)
BATCHES = (7, 7, 3)


def _f(*shape):
    return RNG.normal(size=shape).astype("float32")


def _p(*shape):
    # in steps, so that some scores fall on thresholds
    return (RNG.integers(0, 41, size=shape) / 40).astype("float32")


def _bits(*shape):
    return RNG.integers(0, 2, size=shape).astype("float32")


def _softmax(*shape):
    e = np.exp(_f(*shape))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def _one_hot(*shape):
    return np.eye(shape[-1], dtype="float32")[RNG.integers(0, shape[-1], shape[:-1])]


def _batches(make_true, make_pred):
    return [(make_true(n), make_pred(n)) for n in BATCHES]


def _labels(n, *more):
    return RNG.integers(0, 4, (n, *more))


NUMBERS = _batches(lambda n: _f(n, 4), lambda n: _f(n, 4))
NUMBERS3 = _batches(lambda n: _f(n, 5, 4), lambda n: _f(n, 5, 4))
COLUMN = _batches(_f, lambda n: _f(n, 1))
BINARY = _batches(lambda n: _bits(n, 1), lambda n: _p(n, 1))
BINARY1 = _batches(_bits, _p)
MULTI = _batches(lambda n: _bits(n, 4), lambda n: _p(n, 4))
LOGITS = _batches(lambda n: _bits(n, 4), lambda n: _f(n, 4))
CLASSES = _batches(lambda n: _one_hot(n, 4), lambda n: _softmax(n, 4))
SPARSE = _batches(_labels, lambda n: _softmax(n, 4))
SPARSE1 = _batches(lambda n: _labels(n, 1), lambda n: _softmax(n, 4))
SEQUENCE = _batches(lambda n: _labels(n, 5), lambda n: _softmax(n, 5, 4))
INTEGERS = _batches(_labels, _labels)
MAPS = _batches(lambda n: _labels(n, 3, 3), lambda n: _labels(n, 3, 3))
SCORES = _batches(lambda n: _labels(n, 3), lambda n: _softmax(n, 3, 4))

CASES = [
    ("MeanSquaredError", {}, NUMBERS),
    ("MeanSquaredError", {}, NUMBERS3),
    ("MeanSquaredError", {}, COLUMN),
    ("RootMeanSquaredError", {}, NUMBERS),
    ("RootMeanSquaredError", {}, NUMBERS3),
    ("MeanAbsoluteError", {}, NUMBERS),
    ("MeanAbsolutePercentageError", {}, NUMBERS),
    ("MeanSquaredLogarithmicError", {}, NUMBERS),
    ("LogCoshError", {}, NUMBERS),
    ("CosineSimilarity", {}, NUMBERS),
    ("CosineSimilarity", {"axis": 1}, NUMBERS3),
    ("PearsonCorrelation", {}, NUMBERS),
    ("PearsonCorrelation", {"axis": 1}, NUMBERS3),
    ("ConcordanceCorrelation", {}, NUMBERS),
    ("ConcordanceCorrelation", {"axis": 1}, NUMBERS3),
    ("R2Score", {}, NUMBERS),
    ("R2Score", {"class_aggregation": None}, NUMBERS),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, NUMBERS),
    ("R2Score", {"num_regressors": 2}, NUMBERS),
    ("Hinge", {}, LOGITS),
    ("SquaredHinge", {}, LOGITS),
    ("CategoricalHinge", {}, CLASSES),
    ("KLDivergence", {}, CLASSES),
    ("Poisson", {}, MULTI),
    ("BinaryCrossentropy", {}, MULTI),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, LOGITS),
    ("CategoricalCrossentropy", {}, CLASSES),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, CLASSES),
    ("SparseCategoricalCrossentropy", {}, SPARSE),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, SEQUENCE),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, SPARSE),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, SEQUENCE),
    ("Accuracy", {}, INTEGERS),
    ("Accuracy", {}, MAPS),
    ("BinaryAccuracy", {}, BINARY),
    ("BinaryAccuracy", {"threshold": 0.25}, MULTI),
    ("BinaryAccuracy", {}, BINARY1),
    ("CategoricalAccuracy", {}, CLASSES),
    ("SparseCategoricalAccuracy", {}, SPARSE),
    ("SparseCategoricalAccuracy", {}, SPARSE1),
    ("SparseCategoricalAccuracy", {}, SEQUENCE),
    ("TopKCategoricalAccuracy", {"k": 2}, CLASSES),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, SPARSE),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, SEQUENCE),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, [(t, np.argsort(-p)) for t, p in SPARSE]),
    ("TruePositives", {}, MULTI),
    ("FalsePositives", {"thresholds": [0.25, 0.5, 0.9]}, MULTI),
    ("TrueNegatives", {"thresholds": 0.3}, MULTI),
    ("FalseNegatives", {}, BINARY),
    ("Precision", {}, BINARY),
    ("Precision", {}, BINARY1),
    ("Precision", {"thresholds": [0.25, 0.5]}, MULTI),
    ("Precision", {"top_k": 2}, CLASSES),
    ("Precision", {"top_k": 2, "class_id": 1}, CLASSES),
    ("Recall", {}, MULTI),
    ("Recall", {"class_id": 2}, MULTI),
    ("Recall", {"top_k": 2, "thresholds": 0.2}, CLASSES),
    ("AUC", {}, BINARY),
    ("AUC", {}, BINARY1),
    ("AUC", {"num_thresholds": 11}, MULTI),
    ("AUC", {"curve": "PR"}, MULTI),
    ("AUC", {"curve": "PR", "summation_method": "majoring", "num_thresholds": 9}, MULTI),
    ("AUC", {"curve": "PRGAIN", "num_thresholds": 9}, MULTI),
    ("AUC", {"summation_method": "minoring", "num_thresholds": 9}, MULTI),
    ("AUC", {"thresholds": [0.1, 0.7, 0.4]}, MULTI),
    ("AUC", {"multi_label": True}, MULTI),
    ("AUC", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 2.0, 0.5, 0.0]}, MULTI),
    ("AUC", {"multi_label": True, "curve": "PR", "thresholds": [0.3, 0.5]}, MULTI),
    ("AUC", {"label_weights": [1.0, 2.0, 0.5, 0.0]}, MULTI),
    ("AUC", {"from_logits": True}, LOGITS),
    ("PrecisionAtRecall", {"recall": 0.5}, BINARY),
    ("PrecisionAtRecall", {"recall": 0.5}, MULTI),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 1}, MULTI),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4}, MULTI),
    ("PrecisionAtRecall", {"recall": 0.8, "class_id": 1, "num_thresholds": 20}, MULTI),
    ("RecallAtPrecision", {"precision": 0.5}, MULTI),
    ("RecallAtPrecision", {"precision": 1.0}, MULTI),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, MULTI),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4}, BINARY),
    ("FBetaScore", {"beta": 2.0}, CLASSES),
    ("FBetaScore", {"average": "macro", "threshold": 0.3, "beta": 0.5}, CLASSES),
    ("F1Score", {}, CLASSES),
    ("F1Score", {"average": "micro"}, CLASSES),
    ("F1Score", {"average": "weighted", "threshold": 0.4}, MULTI),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, INTEGERS),
    ("IoU", {"num_classes": 5, "target_class_ids": [0, 4], "ignore_class": 0}, MAPS),
    ("IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False}, SCORES),
    ("MeanIoU", {"num_classes": 5}, MAPS),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1, "dtype": "float32"}, INTEGERS),
    ("BinaryIoU", {}, MULTI),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.25}, MULTI),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3]}, CLASSES),
    ("OneHotMeanIoU", {"num_classes": 4}, CLASSES),
]
IDS = [f"{i}-{name}-{'-'.join(kwargs)}" for i, (name, kwargs, _) in enumerate(CASES)]


def _close(ours, theirs, tolerance=1e-6):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert tuple(ours.shape) == theirs.shape
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=tolerance, atol=tolerance)


def _pair(name, kwargs):
    return getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)


def _check_state(ours, theirs):
    assert len(ours.variables) == len(theirs.variables)
    for mine, real in zip(ours.variables, theirs.variables, strict=True):
        assert mine.name == real.name
        assert mine.path.split("/")[1] == real.path.split("/")[1]
        _close(mine.value, real.value, 1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "kwargs", "batches"), CASES, ids=IDS)
def test_batches(name, kwargs, batches, weighted):
    ours, theirs = _pair(name, kwargs)
    if "ignore_class" in kwargs and name.startswith("Sparse") and not weighted:
        pytest.skip("without weights Keras counts the samples that it leaves out")
    for round_ in range(2):
        for y_true, y_pred in batches:
            weight = RNG.integers(0, 4, len(y_true)).astype("float32") if weighted else None
            if "IoU" in name and weighted and np.ndim(y_true) > 1 and "OneHot" not in name:
                weight = RNG.integers(0, 4, y_true.shape)
            if "IoU" in name and weighted:
                weight = weight.astype("int32")  # its counts are whole numbers
            if weighted and np.ndim(y_true) == 2 and name.startswith("SparseCategoricalC"):
                weight = np.repeat(weight[:, None], y_true.shape[1], 1)  # Keras joins a mask only with such
            a = torch.tensor(y_pred, requires_grad=y_pred.dtype == np.float32)
            if weight is not None and (ours.__class__.__name__ in COUNTERS or "AUC" in name) and np.ndim(y_pred) > 1:
                weight = weight[:, None]
            ours.update_state(torch.tensor(y_true), a, sample_weight=weight)
            theirs.update_state(y_true, y_pred, sample_weight=weight)
            assert not ours.result().requires_grad
            _close(ours.result(), theirs.result())
        _check_state(ours, theirs)
        ours.reset_state()
        theirs.reset_state()
        if round_ == 0:
            _check_state(ours, theirs)


COUNTERS = {"Precision", "Recall", "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"} | {
    name for name in dir(metrics) if "At" in name
}


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryAccuracy", "SparseCategoricalAccuracy"])
@pytest.mark.parametrize("weighted", [None, "rows", "full"])
def test_masks(name, weighted):
    ours, theirs = _pair(name, {})
    for n in BATCHES:
        y_pred = _softmax(n, 5, 4)
        y_true = _labels(n, 5) if "Sparse" in name else _bits(n, 5, 4)
        a, b = torch.tensor(y_pred), torch.tensor(y_pred)
        a._ramify_mask = b._keras_mask = torch.tensor(_bits(n, 5) > 0)
        # Keras joins a mask only with weights of its own shape
        weight = None if weighted is None else np.broadcast_to(_p(n, 1) if weighted == "rows" else _p(n, 5), (n, 5))
        weight = None if weight is None else weight.copy()
        ours.update_state(y_true, a, sample_weight=weight)
        theirs.update_state(y_true, b, sample_weight=weight)
        _close(ours.result(), theirs.result())
    _check_state(ours, theirs)


@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (2, 3, 4)])
@pytest.mark.parametrize("weights", ["none", "one", "rows", "column", "most", "full"])
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_mean_and_sum(name, shape, weights):
    ours, theirs = _pair(name, {})
    value = _f(*shape) if shape else float(_f(1)[0])
    rows = shape[:1]
    weight = {
        "none": None,
        "one": 2.0,
        "rows": _p(*rows),
        "column": _p(*rows, *[1] * (len(shape) - 1)),
        "most": _p(*shape[:-1], 1),
        "full": _p(*shape),
    }[weights]
    if (not shape and weights not in ("none", "one")) or (len(shape) == 1 and weights == "most"):
        return
    for _ in range(2):
        ours.update_state(value, sample_weight=weight)
        theirs.update_state(value, sample_weight=weight)
        _close(ours.result(), theirs.result())
    _check_state(ours, theirs)


FUNCTIONS = [
    ("binary_accuracy", {"threshold": 0.3}, MULTI),
    ("categorical_accuracy", {}, CLASSES),
    ("sparse_categorical_accuracy", {}, SEQUENCE),
    ("sparse_categorical_accuracy", {}, SPARSE1),
    ("top_k_categorical_accuracy", {"k": 3}, CLASSES),
    ("sparse_top_k_categorical_accuracy", {"k": 3}, SPARSE),
    ("pearson_correlation", {}, NUMBERS),
    ("concordance_correlation", {"axis": 0}, NUMBERS),
]


@pytest.mark.parametrize(("name", "kwargs", "batches"), FUNCTIONS)
def test_functions(name, kwargs, batches):
    y_true, y_pred = batches[0]
    ours = getattr(metrics, name)(y_true, y_pred, **kwargs)
    _close(ours, getattr(keras.metrics, name)(y_true, y_pred, **kwargs))


@pytest.mark.parametrize(("name", "kwargs", "batches"), CASES, ids=IDS)
def test_configs(name, kwargs, batches):
    ours, theirs = _pair(name, kwargs)
    config = ours.get_config()
    for key, value in theirs.get_config().items():
        if key not in ("name", "label_weights"):
            assert config[key] == value or list(config[key]) == list(value)
    again = metrics.deserialize(metrics.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == config
    assert type(keras.metrics.deserialize(metrics.serialize(ours))) is type(theirs)
    assert ours.name.rstrip("_0123456789") == theirs.name.rstrip("_0123456789")


@pytest.mark.parametrize("name", ["Mean", "MeanSquaredError", "AUC", "Precision"])
def test_stateless(name):
    ours, theirs = _pair(name, {})
    args = (_bits(6), _p(6)) if name != "Mean" else (_f(6),)
    start = [variable.value.clone() + 1 for variable in ours.variables]
    mine = ours.stateless_update_state(start, *args)
    real = theirs.stateless_update_state([torch.tensor(v.numpy()) for v in start], *args)
    for a, b in zip(mine, real, strict=True):
        _close(a, b)
    _close(ours.stateless_result(mine), theirs.stateless_result(real))
    assert all(not v.any() for v in ours.stateless_reset_state())
    assert all(not v.value.any() for v in ours.variables)
