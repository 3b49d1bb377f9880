"""Metrics beside their numbers: look-up by name and shape, state, metrics of others, errors."""

from __future__ import annotations

import copy

import pytest
import torch

from ramify import losses, metrics
from ramify.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("name", ["accuracy", "acc", "crossentropy", "ce"])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ((None, 1), (None, 1), "Binary"),
        ((None,), (None, 1), "Binary"),
        ((None,), (None,), "Binary"),
        ((None,), (None, 5), "SparseCategorical"),
        ((None, 1), (None, 5), "SparseCategorical"),
        ((None, 7), (None, 7, 5), "SparseCategorical"),
        ((None, 5), (None, 5), "Categorical"),
        ((None, 7, 5), (None, 7, 5), "Categorical"),
    ],
)
def test_accuracy_is_told_by_the_shapes(name, y_true, y_pred, kind):
    metric = metrics.resolve(name, y_true, y_pred)
    assert type(metric).__name__ == kind + ("Accuracy" if name.startswith("a") else "Crossentropy")
    assert metric.name == name


def double(y_true, y_pred):
    return 2 * (y_pred - y_true)


@pytest.mark.parametrize(
    ("identifier", "kind", "name"),
    [
        ("mse", "MeanSquaredError", "mse"),
        ("MAE", "MeanAbsoluteError", "MAE"),
        ("AUC", "AUC", "AUC"),
        ("huber", "MeanMetricWrapper", "huber"),
        (double, "MeanMetricWrapper", "double"),
        (metrics.binary_accuracy, "MeanMetricWrapper", "binary_accuracy"),
        (losses.Huber(), "MeanMetricWrapper", "huber_loss"),
        (torch.nn.L1Loss(), "MeanMetricWrapper", "L1Loss"),
        (metrics.Precision(name="p"), "Precision", "p"),
        ({"class_name": "Recall", "config": {"name": "r"}}, "Recall", "r"),
    ],
)
def test_resolve(identifier, kind, name):
    metric = metrics.resolve(identifier, (None, 1), (None, 1))
    assert (type(metric).__name__, metric.name) == (kind, name)
    metric.update_state(torch.ones(4, 1), torch.full((4, 1), 0.75))
    assert torch.isfinite(metric.result())


def test_unknown_metrics():
    with pytest.raises(ArgumentError, match="Did you mean"):
        metrics.get("precison")
    with pytest.raises(ArgumentError, match="no metric"):
        metrics.get(3)
    assert metrics.get(None) is metrics.resolve(None, (1,), (1,)) is None


def test_automatic_names_count():
    first, second = metrics.AUC(), metrics.AUC()
    assert first.name.startswith("auc")
    assert first.name != second.name
    assert metrics.Mean().name == metrics.Mean().name == "mean"


class Foreign:
    """As torchmetrics has it."""

    def __init__(self):
        self.reset()

    def update(self, preds, target):
        self.seen += (preds.round() == target).sum()

    def compute(self):
        return self.seen

    def reset(self):
        self.seen = torch.tensor(0)


def test_metrics_of_torchmetrics_kind():
    metric = metrics.resolve(Foreign(), (None, 1), (None, 1))
    assert metric.name == "foreign"
    assert metric(torch.tensor([0.0, 1.0]), torch.tensor([0.2, 0.9])) == 2
    metric.reset_state()
    assert metric.result() == 0
    with pytest.raises(ArgumentError, match="weigh"):
        metric.update_state(torch.zeros(1), torch.zeros(1), sample_weight=torch.ones(1))


class Spread(metrics.Metric):
    """A user's metric, in Keras's way, which holds another."""

    def __init__(self, name="spread", **kwargs):
        super().__init__(name=name, **kwargs)
        self.highest = self.add_weight(shape=(), initializer="zeros", name="highest")
        self.mean = metrics.Mean(name="inner")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.highest.assign(torch.maximum(self.highest, y_pred.max()))
        self.mean.update_state(y_pred)

    def result(self):
        return self.highest - self.mean.result()


def test_metrics_of_users():
    metric = Spread()
    prediction = torch.tensor([1.0, 3.0], requires_grad=True)
    assert metric(None, prediction * 2) == 2.0
    assert not metric.result().requires_grad
    assert [v.name for v in metric.variables] == ["highest", "total", "count"]
    assert [v.path for v in metric.variables] == ["spread/highest", "inner/total", "inner/count"]
    twin = copy.deepcopy(metric)
    metric.reset_state()
    assert [v.numpy().item() for v in metric.variables] == [0.0, 0.0, 0.0]
    assert twin.result() == 2.0


def test_updates_are_in_place():
    metric = metrics.Mean()
    before = [v.data_ptr() for v in metric.variables]
    for value in (torch.tensor(1.0), torch.ones(3), 2, [4.0, 5.0]):
        metric.update_state(value)
    metric.reset_state()
    assert [v.data_ptr() for v in metric.variables] == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["Mean", "MeanSquaredError", "AUC", "Precision", "F1Score", "R2Score"])
def test_state_follows_its_input(name):
    metric = getattr(metrics, name)()
    x = torch.rand(4, 3, device="cuda")
    metric.update_state(*((x,) if name == "Mean" else (x.round(), x)))
    assert all(v.is_cuda for v in metric.variables)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: metrics.AUC(curve="x"), "curve"),
        (lambda: metrics.AUC(num_thresholds=1), "above 1"),
        (lambda: metrics.AUC(num_labels=3), "multi_label"),
        (lambda: metrics.Precision(thresholds=2.0), r"\[0, 1\]"),
        (lambda: metrics.IoU(2, [3]), "out of range"),
        (lambda: metrics.FBetaScore(average="x"), "average"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta"),
        (lambda: metrics.R2Score(class_aggregation="x"), "class_aggregation"),
        (lambda: metrics.PrecisionAtRecall(2.0), "recall"),
        (lambda: metrics.BinaryAccuracy(threshold=2.0), "threshold"),
    ],
)
def test_arguments_out_of_range(make, match):
    with pytest.raises(ArgumentError, match=match):
        make()


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match="one-hot"):
        metrics.F1Score().update_state(torch.zeros(3), torch.zeros(3))
    with pytest.raises(ShapeError, match="sample_weight"):
        metrics.Mean().update_state(torch.zeros(4, 3), sample_weight=torch.zeros(5))
    with pytest.raises(ArgumentError, match="first `update_state`"):
        metrics.F1Score().result()
    with pytest.warns(UserWarning, match="plain score"):
        metrics.R2Score(num_regressors=9)(torch.rand(3, 1), torch.rand(3, 1))


def test_functions_make_a_round_trip():
    metric = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="b", threshold=0.3)
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert again([1.0], [0.4]) == 1


@pytest.mark.parametrize("values", [[], [0.1, 0.7, 1e-30], [3e38, 3e38], [float("nan")], [float("inf"), 1.0]])
@pytest.mark.parametrize("weight", [1, 3, 1e-3])
def test_the_mean_as_a_number_is_its_result(values, weight):
    mean = metrics.Mean()
    for value in values:
        mean.update_state(torch.tensor(value), sample_weight=weight)
    assert repr(mean.as_number()) == repr(mean.result().item())
