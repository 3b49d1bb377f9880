"""Models as estimators of scikit-learn, which is imported when they are first used."""

import typing

from ramify.lazy import attributes as _attributes
from ramify.lazy import lazy as _lazy

if typing.TYPE_CHECKING:
    from ramify.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

__getattr__ = _attributes(__name__, dict.fromkeys(__all__, _lazy("ramify.wrappers.estimators")))
