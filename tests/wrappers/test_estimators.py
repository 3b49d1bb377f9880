"""Models as estimators: what scikit-learn does with them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import ramify
from ramify.errors import ArgumentError
from ramify.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
LABELS = np.where(X[:, 0] > 0, "right", "left")
NUMBERS = X @ np.array([1.0, -2.0, 0.5])


def make(X, y, loss="mse", units=0, activation=None):
    ramify.utils.set_random_seed(0)
    outputs = 1 if y is None or y.ndim == 1 else y.shape[1]
    model = ramify.Sequential(
        [
            ramify.Input(X.shape[1:]),
            *([ramify.layers.Dense(units, "relu")] if units else []),
            ramify.layers.Dense(outputs),
        ]
    )
    if activation:
        model.add(ramify.layers.Activation(activation))
    model.compile(ramify.optimizers.Adam(0.1), loss)
    return model


SOFTMAX = {"loss": "categorical_crossentropy", "activation": "softmax"}


def classifier(**kwargs):
    return SKLearnClassifier(make, model_kwargs=SOFTMAX, fit_kwargs={"epochs": 20}, **kwargs)


def test_classes_keep_their_labels():
    estimator = classifier().fit(X, LABELS)
    assert set(estimator.predict(X)) == set(estimator.classes_) == {"left", "right"}
    assert estimator.score(X, LABELS) > 0.9
    assert len(estimator.history_["loss"]) == 20


def test_numbers_keep_their_rank():
    estimator = SKLearnRegressor(make, fit_kwargs={"epochs": 60, "batch_size": 60}).fit(X, NUMBERS)
    assert estimator.predict(X).shape == (60,)
    assert estimator.score(X, NUMBERS) > 0.8
    assert SKLearnRegressor(make).fit(X, X).predict(X).shape == (60, 3)


def test_a_pipeline_a_clone_and_a_search():
    pipeline = make_pipeline(StandardScaler(), SKLearnTransformer(make, fit_kwargs={"epochs": 2}), classifier())
    pipeline.fit(X, (LABELS == "left").astype(int))
    assert pipeline.predict(X).shape == (60,)
    copy = clone(classifier(warm_start=True))
    assert copy.get_params()["warm_start"] is True
    assert copy.set_params(warm_start=False).warm_start is False
    search = GridSearchCV(classifier(), {"model_kwargs": [SOFTMAX, {**SOFTMAX, "units": 4}]}, cv=2).fit(X, LABELS)
    assert search.best_score_ > 0.8


def test_a_model_is_copied_unless_it_goes_on():
    model = make(X, X)
    before = model.get_weights()[0].copy()
    fresh = SKLearnTransformer(model).fit(X, X)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert fresh.model_ is not model
    assert fresh.transform(X).shape == (60, 3)
    warm = SKLearnTransformer(model, warm_start=True).fit(X, X, epochs=2)
    assert warm.model_ is model
    assert len(warm.history_["loss"]) == 2
    trained = model.get_weights()[0].copy()
    assert not np.array_equal(warm.fit(X, X).model_.get_weights()[0], trained)


def test_what_cannot_be_is_said():
    with pytest.raises(NotFittedError):
        classifier().predict(X)
    with pytest.raises(ArgumentError, match="compiled model"):
        SKLearnRegressor(ramify.Sequential([ramify.layers.Dense(1)])).fit(X, NUMBERS)
    with pytest.raises(ArgumentError, match="function that makes one"):
        SKLearnRegressor("dense").fit(X, NUMBERS)
    with pytest.raises(ArgumentError, match="return a compiled"):
        SKLearnRegressor(lambda X, y: None).fit(X, NUMBERS)
    with pytest.raises(ArgumentError, match="one class"):
        classifier().fit(X, ["a"] * 60)
    with pytest.raises(ArgumentError, match="one label"):
        classifier().fit(X, np.eye(3, dtype=int)[RNG.integers(3, size=60)] + [[0, 0, 1]])
    with pytest.raises(ValueError, match="features"):
        classifier().fit(X, LABELS).predict(X[:, :2])


@pytest.mark.parametrize(
    "estimator",
    [
        SKLearnClassifier(make, model_kwargs=SOFTMAX, fit_kwargs={"epochs": 3}),
        SKLearnRegressor(make, fit_kwargs={"epochs": 3}),
        SKLearnTransformer(make, fit_kwargs={"epochs": 1}),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_scikit_learn_checks(estimator):
    reports = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {report["check_name"]: report["exception"] for report in reports if report["status"] == "failed"}
    assert not failed


def test_scikit_learn_comes_when_it_is_used():
    code = "import sys, ramify.wrappers; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
