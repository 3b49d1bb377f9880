"""Every loss and every metric of the public API: what its inputs look like, and the options worth drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Pair = tuple[np.ndarray, np.ndarray]


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
    """Half of the time in steps, so that some scores are equal and fall on thresholds."""
    exact = rng.uniform(0.01, 0.99, shape)
    return (np.round(40 * exact) / 40 if rng.integers(2) else exact).astype("float32")


def inside(rng, *shape):
    return rng.uniform(0.01, 0.99, shape).astype("float32")


def labels(rng, *shape):
    return rng.integers(0, shape[-1], shape[:-1])


def positive(rng, *shape):
    return np.abs(real(rng, *shape)) + 0.1


def unit(rng, *shape):
    x = real(rng, *shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def pair(true: Callable[..., np.ndarray], pred: Callable[..., np.ndarray]) -> Callable[..., Pair]:
    """Targets and predictions of one shape, drawn by two functions; logits where the options ask for them."""
    return lambda rng, shape, options: (true(rng, *shape), (real if options.get("from_logits") else pred)(rng, *shape))


def along(true: Callable[..., np.ndarray], pred: Callable[..., np.ndarray]) -> Callable[..., Pair]:
    """As `pair`, with the classes along the axis that the options name."""

    def draw(rng: np.random.Generator, shape: Shape, options: dict[str, Any]) -> Pair:
        y_true, y_pred = pair(true, pred)(rng, shape, options)
        axis = options.get("axis", -1)
        if y_true.ndim < y_pred.ndim:
            return y_true, np.moveaxis(y_pred, -1, axis)
        return np.moveaxis(y_true, -1, axis), np.moveaxis(y_pred, -1, axis)

    return draw


def ids(rng: np.random.Generator, shape: Shape, options: dict[str, Any]) -> Pair:
    """Class numbers, and class numbers or scores."""
    classes = options.get("num_classes", 4)
    y_true = rng.integers(0, classes, shape[:-1])
    y_pred = rng.integers(0, classes, shape[:-1]) if options.get("sparse_y_pred", True) else None
    y_true = y_true if options.get("sparse_y_true", True) else np.eye(classes, dtype="float32")[y_true]
    return y_true, softmax(rng, *shape[:-1], classes) if y_pred is None else y_pred


def spoken(rng: np.random.Generator, shape: Shape, options: dict[str, Any]) -> Pair:
    """Words that are short enough for their recordings; 0 pads them."""
    del options
    words = rng.integers(1, 5, (shape[0], 3))
    words[:, 2] *= rng.integers(0, 2, shape[0])
    return words, real(rng, shape[0], 8, 5)


def lined(axis: int | None, shape: Shape) -> Shape:
    """A shape without an axis; nothing where there is none that stays."""
    return () if axis is None else tuple(np.delete(shape, axis))


def reduced(y_pred: np.ndarray, options: dict[str, Any]) -> Shape:
    """One value for each row of predictions."""
    return lined(options.get("axis", -1), y_pred.shape)


def every(y_pred: np.ndarray, options: dict[str, Any]) -> Shape:
    """One value for each number, or for that of one class."""
    return y_pred.shape if options.get("class_id") is None else (*y_pred.shape[:-1], 1)


def labelled(y_pred: np.ndarray, options: dict[str, Any]) -> Shape:
    """One value for each label."""
    return y_pred.shape if options.get("sparse_y_pred", True) else y_pred.shape[:-1]


def first(y_pred: np.ndarray, options: dict[str, Any]) -> Shape:
    """One value for each sample."""
    del options
    return y_pred.shape[:1]


WEIGHTS = ("none", "number", "one", "rows", "column", "full")


@dataclass(frozen=True)
class Measure:
    """One loss or metric.

    Args:
        draw: ``(generator, shape, options) -> (targets, predictions)``.
        options: argument -> values to draw from.
        values: ``(predictions, options) -> shape`` of what is weighed.
        weights: the kinds of weights that Keras takes.
        flat: only shapes ``(batch, features)``.
        whole: weights are whole numbers, since the counts are.
        least: fewest samples for which Keras gives a number.
        masks: makes a mask of its own.
        forgets: Keras forgets a mask that comes without weights, and we do not.
        tolerance: relative difference from Keras, where it is not 1e-6.
    """

    draw: Callable[..., Any]
    options: dict[str, list[Any]] = field(default_factory=dict)
    values: Callable[[np.ndarray, dict[str, Any]], Shape] = reduced
    weights: tuple[str, ...] = WEIGHTS
    flat: bool = False
    whole: bool = False
    least: int = 1
    masks: bool = False
    forgets: bool = False
    tolerance: float = 1e-6


BINARY: dict[str, list[Any]] = {"from_logits": [False, True], "label_smoothing": [0.0, 0.1], "axis": [-1, 1]}
FOCAL = {"gamma": [2.0, 1.0, 3.5], "alpha": [0.25, 0.6]}
LOSSES = {
    "MeanSquaredError": Measure(pair(real, real)),
    "MeanAbsoluteError": Measure(pair(real, real)),
    "MeanAbsolutePercentageError": Measure(pair(real, real)),
    "MeanSquaredLogarithmicError": Measure(pair(real, real)),
    "Huber": Measure(pair(real, real), {"delta": [1.0, 0.3, 5.0]}),
    "LogCosh": Measure(pair(real, real)),
    "CosineSimilarity": Measure(pair(real, real), {"axis": [-1, 1]}),
    "Poisson": Measure(pair(positive, positive)),
    "KLDivergence": Measure(pair(softmax, softmax)),
    "Hinge": Measure(pair(bits, real)),
    "SquaredHinge": Measure(pair(bits, real)),
    "CategoricalHinge": Measure(pair(one_hot, real)),
    "BinaryCrossentropy": Measure(pair(bits, inside), BINARY),
    "BinaryFocalCrossentropy": Measure(pair(bits, inside), BINARY | FOCAL | {"apply_class_balancing": [False, True]}),
    "CategoricalCrossentropy": Measure(along(one_hot, softmax), BINARY),
    "CategoricalFocalCrossentropy": Measure(along(one_hot, softmax), BINARY | FOCAL),
    "CategoricalGeneralizedCrossEntropy": Measure(pair(labels, softmax), {"q": [0.5, 0.9]}),
    "SparseCategoricalCrossentropy": Measure(
        along(labels, softmax),
        {"from_logits": [False, True], "ignore_class": [None, 1, -1], "axis": [-1, 1]},
        masks=True,
    ),
    "Dice": Measure(pair(bits, inside), {"axis": [None, -1, 1]}),
    "Tversky": Measure(pair(bits, inside), {"alpha": [0.5, 0.3], "beta": [0.5, 0.8], "axis": [None, -1, 1]}),
    "CTC": Measure(spoken, values=first, flat=True),
    "Circle": Measure(
        lambda rng, shape, options: (rng.integers(0, 3, shape[0]), unit(rng, *shape)),
        {"gamma": [80.0, 5.0], "margin": [0.4, 0.2], "remove_diagonal": [True, False]},
        values=first,
        flat=True,
        masks=True,
    ),
}

COUNTS: dict[str, list[Any]] = {"thresholds": [None, 0.3, [0.25, 0.5, 0.9]]}
SHARES = COUNTS | {"top_k": [None, 2], "class_id": [None, 1]}
HELD: dict[str, list[Any]] = {"num_thresholds": [200, 20, 1], "class_id": [None, 1]}
SCORES: dict[str, list[Any]] = {"average": [None, "micro", "macro", "weighted"], "threshold": [None, 0.3]}
IDS = {"sparse_y_true": [True, False], "sparse_y_pred": [True, False], "ignore_class": [None, 0]}
ONE_HOT = {"num_classes": [4], "ignore_class": [None, 0]}
AREAS = {
    "curve": ["ROC", "PR", "PRGAIN"],
    "summation_method": ["interpolation", "majoring", "minoring"],
    "num_thresholds": [200, 11],
    "thresholds": [None, [0.1, 0.7, 0.4]],
    "from_logits": [False, True],
}


def measured(loss: str, *left_out: str) -> Measure:
    """The metric of a loss, which has fewer options."""
    measure = LOSSES[loss]
    return replace(measure, options={k: v for k, v in measure.options.items() if k not in left_out})


def counted(options: dict[str, list[Any]]) -> Measure:
    """A metric that counts scores above thresholds."""
    return Measure(pair(bits, share), options, every)


def held(**options: list[Any]) -> Measure:
    """The best of one rate while another is held. Weights are whole: a rate that is just held is lost by rounding."""
    return replace(counted(HELD | options), whole=True)


def four(rng: np.random.Generator, shape: Shape, options: dict[str, Any]) -> Pair:
    """One-hot targets and scores of four classes."""
    return pair(one_hot, softmax)(rng, (*shape[:-1], 4), options)


def numbers(rng: np.random.Generator, shape: Shape, options: dict[str, Any]) -> tuple[np.ndarray]:
    """Values for a metric that knows no targets."""
    del options
    return (real(rng, *shape),)


FEW = ("none", "number", "full")  # as many as what is counted: Keras makes rows of nothing else
METRICS = {
    "MeanSquaredError": measured("MeanSquaredError"),
    "RootMeanSquaredError": Measure(pair(real, real), values=every),
    "MeanAbsoluteError": measured("MeanAbsoluteError"),
    "MeanAbsolutePercentageError": measured("MeanAbsolutePercentageError"),
    "MeanSquaredLogarithmicError": measured("MeanSquaredLogarithmicError"),
    "LogCoshError": measured("LogCosh"),
    "CosineSimilarity": measured("CosineSimilarity"),
    "PearsonCorrelation": Measure(pair(real, real), {"axis": [-1, 1]}, least=2),
    "ConcordanceCorrelation": Measure(pair(real, real), {"axis": [-1, 1]}, least=2),
    "R2Score": Measure(
        pair(real, real),
        {"class_aggregation": ["uniform_average", "variance_weighted_average", None], "num_regressors": [0, 2]},
        weights=("none", "rows"),
        flat=True,
        least=4,
    ),
    "Poisson": measured("Poisson"),
    "KLDivergence": measured("KLDivergence"),
    "Hinge": measured("Hinge"),
    "SquaredHinge": measured("SquaredHinge"),
    "CategoricalHinge": measured("CategoricalHinge"),
    "BinaryCrossentropy": measured("BinaryCrossentropy", "axis"),
    "CategoricalCrossentropy": measured("CategoricalCrossentropy"),
    "SparseCategoricalCrossentropy": replace(measured("SparseCategoricalCrossentropy"), forgets=True),
    "Accuracy": Measure(ids, values=every),
    "BinaryAccuracy": Measure(pair(bits, share), {"threshold": [0.5, 0.25]}),
    "CategoricalAccuracy": Measure(pair(one_hot, softmax)),
    "SparseCategoricalAccuracy": Measure(pair(labels, softmax)),
    "TopKCategoricalAccuracy": Measure(pair(one_hot, softmax), {"k": [1, 2]}),
    "SparseTopKCategoricalAccuracy": Measure(pair(labels, softmax), {"k": [1, 2]}),
    "TruePositives": counted(COUNTS),
    "FalsePositives": counted(COUNTS),
    "TrueNegatives": counted(COUNTS),
    "FalseNegatives": counted(COUNTS),
    "Precision": counted(SHARES),
    "Recall": counted(SHARES),
    "AUC": counted(AREAS),
    "AUC of each label": replace(
        counted(AREAS | {"multi_label": [True]}), flat=True, weights=("none", "number", "one", "rows", "full")
    ),
    "PrecisionAtRecall": held(recall=[0.5, 0.8]),
    "RecallAtPrecision": held(precision=[0.5, 1.0]),
    "SensitivityAtSpecificity": held(specificity=[0.5, 0.9]),
    "SpecificityAtSensitivity": held(sensitivity=[0.4, 0.9]),
    "F1Score": Measure(pair(one_hot, softmax), SCORES, weights=("none", "rows"), flat=True),
    "FBetaScore": Measure(
        pair(one_hot, softmax), SCORES | {"beta": [1.0, 0.5, 2.0]}, weights=("none", "rows"), flat=True
    ),
    "IoU": Measure(ids, IDS | {"num_classes": [4], "target_class_ids": [[0, 2], [3]]}, labelled, FEW, whole=True),
    "MeanIoU": Measure(ids, IDS | {"num_classes": [4]}, labelled, FEW, whole=True),
    "OneHotIoU": Measure(four, ONE_HOT | {"target_class_ids": [[0, 2], [3]]}, weights=FEW, whole=True),
    "OneHotMeanIoU": Measure(four, ONE_HOT, weights=FEW, whole=True),
    "BinaryIoU": Measure(
        pair(bits, share), {"threshold": [0.5, 0.25], "target_class_ids": [[0, 1], [1]]}, every, FEW, whole=True
    ),
    "Mean": Measure(numbers, values=every, forgets=True),
    "Sum": Measure(numbers, values=every, forgets=True, tolerance=1e-5),  # terms of both signs cancel
}
