"""Every loss and metric beside Keras on what hypothesis draws: inputs, options, weights, masks, several batches."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import ramify
from ramify import losses, metrics
from ramify.losses.lookup import _CLASS_OF
from tests.parity.measures import LOSSES, METRICS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")

REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
# What has no twin in Keras, or is the base of others.
OWN = {"TorchLoss", "TorchMetric", "as_loss", "resolve"}
BASES = {"Loss", "LossFunctionWrapper", "Metric", "MeanMetricWrapper", "get", "serialize", "deserialize"}
ACCURACIES = {
    "binary_accuracy": "BinaryAccuracy",
    "categorical_accuracy": "CategoricalAccuracy",
    "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
    "top_k_categorical_accuracy": "TopKCategoricalAccuracy",
    "sparse_top_k_categorical_accuracy": "SparseTopKCategoricalAccuracy",
    "pearson_correlation": "PearsonCorrelation",
    "concordance_correlation": "ConcordanceCorrelation",
}
FUNCTIONS = {
    **{fn.__name__: LOSSES[cls.__name__] for fn, cls in _CLASS_OF.items()},
    "categorical_generalized_cross_entropy": LOSSES["CategoricalGeneralizedCrossEntropy"],
    **{name: METRICS[cls] for name, cls in ACCURACIES.items()},
}


def public(module):
    """Names of a module that users see, ours and Keras's."""
    theirs = {name for name in dir(getattr(keras, module.__name__.split(".")[1])) if name[0] != "_"}
    return (set(module.__all__) | theirs) - OWN - BASES


def test_the_tables_are_complete():
    for module, table in ((losses, LOSSES), (metrics, METRICS)):
        names = public(module)
        assert {name for name in names if name[0].isupper()} <= set(table)
        assert {name for name in names if name[0].islower()} <= set(FUNCTIONS)


def same(got, want, tolerance=1e-6):
    got, want = got.detach().numpy(), keras.ops.convert_to_numpy(want)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    # sums of numbers of both signs are known as well as the largest of what was added
    largest = float(np.abs(np.nan_to_num(want, posinf=0, neginf=0)).max(initial=0))
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * max(1.0, largest))


class Draw:
    """The options of one measure, and its batches, beside what Keras must be given for the same."""

    def __init__(self, data, measure):
        self.measure = measure
        self.options = {name: data.draw(st.sampled_from(values), name) for name, values in measure.options.items()}
        self.deep = not measure.flat and data.draw(st.booleans(), "deep")
        self.masked = data.draw(st.booleans(), "masked")
        self.kind = data.draw(st.sampled_from(measure.weights), "weights")
        self.features, self.steps = data.draw(st.integers(2, 5), "features"), data.draw(st.integers(1, 4), "steps")
        self.rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
        self.data, self.joined = data, False

    def batch(self):
        """What both are updated with, our arguments and Keras's: arrays, with a mask and weights."""
        size = self.data.draw(st.integers(self.measure.least, 7), "samples")
        # Keras takes weights of samples for weights of time steps where there are as many
        steps = (self.steps + self.measure.least + (self.steps + self.measure.least == size),) if self.deep else ()
        *first, last = self.measure.draw(self.rng, (size, *steps, self.features), self.options)
        ours, theirs = torch.tensor(last), torch.tensor(last)
        shape = self.measure.values(last, self.options)
        weight, aligned = self.weights(shape)
        masked = self.masked and len(shape) > 0
        if masked:
            mask = torch.tensor(self.rng.integers(0, 2, shape) > 0)
            ours._ramify_mask = theirs._keras_mask = mask
        # Keras joins a mask only with weights of its shape
        if masked or (self.measure.masks and self.options.get("ignore_class", 0) is not None):
            if aligned is None and self.measure.forgets:
                aligned = np.float32(1)
            aligned = aligned if aligned is None else np.broadcast_to(aligned, shape).copy()
            self.joined = True
            if self.kind in ("number", "one"):  # which counts once in a sum of weights, however many it stands for
                weight = aligned
        return (*first, ours), weight, (*first, theirs), aligned

    def weights(self, shape):
        """Weights as a user may give them, and with the axes that Keras wants."""
        kind = self.kind if shape else "none" if self.kind == "none" else "number"
        sizes = {"number": (), "one": (1,), "rows": shape[:1], "column": (*shape[:1], *[1] * (len(shape) - 1))}
        if kind == "none":
            return None, None
        size = sizes.get(kind, shape)
        drawn = self.rng.integers(0, 4, size) if self.measure.whole else self.rng.uniform(0, 2, size)
        drawn = np.asarray(drawn, "int32" if self.measure.whole else "float32")
        return drawn, drawn.reshape(sizes["column"]) if kind == "rows" else drawn


def check_loss(name, data):
    measure = LOSSES[name]
    draw = Draw(data, measure)
    reduction = data.draw(st.sampled_from(REDUCTIONS), "reduction")
    args, weight, their_args, their_weight = draw.batch()
    same(
        getattr(losses, name)(reduction=reduction, **draw.options)(*args, sample_weight=weight),
        getattr(keras.losses, name)(reduction=reduction, **draw.options)(*their_args, sample_weight=their_weight),
        measure.tolerance,
    )


def check_metric(name, data):
    measure, cls = METRICS[name], name.split()[0]
    draw = Draw(data, measure)
    ours, theirs = getattr(metrics, cls)(**draw.options), getattr(keras.metrics, cls)(**draw.options)
    for _ in range(2):
        for _ in range(data.draw(st.integers(1, 3), "batches")):
            args, weight, their_args, their_weight = draw.batch()
            ours.update_state(*args, sample_weight=weight)
            theirs.update_state(*their_args, sample_weight=their_weight)
            same(ours.result(), theirs.result(), measure.tolerance)
        for mine, real in () if draw.joined else zip(ours.variables, theirs.variables, strict=True):
            same(mine.value, real.value, measure.tolerance)
        ours.reset_state()
        theirs.reset_state()


def check_function(name, data):
    draw = Draw(data, FUNCTIONS[name])
    module = "losses" if hasattr(losses, name) else "metrics"
    (y_true, y_pred), _, _, _ = draw.batch()
    y_true = torch.tensor(y_true)
    ours, theirs = (getattr(getattr(lib, module), name) for lib in (ramify, keras))
    same(ours(y_true, y_pred, **draw.options), theirs(y_true, torch.tensor(y_pred.numpy()), **draw.options))


QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)  # to explain a failure takes many more runs
CHECKS = [
    *[pytest.param(check_loss, name, id=name) for name in LOSSES],
    *[pytest.param(check_metric, name, id=f"metric-{name}") for name in METRICS],
    *[pytest.param(check_function, name, id=name) for name in FUNCTIONS],
]


@pytest.mark.parametrize(("check", "name"), CHECKS)
@settings(max_examples=8, deadline=None, phases=QUICK)
@given(data=st.data())
def test_drawn(check, name, data):
    check(name, data)


@pytest.mark.slow
@pytest.mark.parametrize(("check", "name"), CHECKS)
@settings(max_examples=500, deadline=None, phases=QUICK)
@given(data=st.data())
def test_many_drawn(check, name, data):
    check(name, data)
