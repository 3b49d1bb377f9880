"""Models as estimators of scikit-learn, which is imported when they are first used."""

from typing import TYPE_CHECKING

from ramify.lazy import attributes, lazy

if TYPE_CHECKING:
    from ramify.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

__getattr__ = attributes(__name__, dict.fromkeys(__all__, lazy("ramify.wrappers.estimators")))
