"""`SKLearnClassifier`, `SKLearnRegressor` and `SKLearnTransformer`: models in scikit-learn's pipelines."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ramify.errors import ArgumentError
from ramify.models import Model, clone_model
from ramify.ops import convert_to_numpy

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError(
        "`ramify.wrappers` needs scikit-learn 1.6 or newer. Install it with `pip install scikit-learn`."
    ) from error

Array = np.ndarray[Any, Any]


class _Estimator(BaseEstimator):
    """What the three share: a fresh model for every fit, with arguments for its making and its training."""

    model_: Any
    history_: dict[str, list[float]]
    n_features_in_: int
    _targets_are_column = False

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Self:
        """Train a model.

        Args:
            X: samples ``(n, features)``, or of more axes; numbers.
            y: targets, ``(n,)`` or ``(n, outputs)``.
            **kwargs: go to the model's `fit`, before those of `fit_kwargs`.

        Returns:
            The estimator itself, with `model_` and `history_`.

        Raises:
            ArgumentError: no model, or one that is not compiled.
            ValueError: samples or targets that scikit-learn refuses, such as those with NaN.
        """
        samples, targets = self._checked(X, y)
        self.model_ = self._made(samples, targets)
        settings = {"verbose": 0, **(self.fit_kwargs or {}), **kwargs}
        self.history_ = self.model_.fit(samples, targets, **settings).history
        return self

    def _checked(self, samples: Any, targets: Any) -> tuple[Array, Array | None]:
        if targets is None:
            return validate_data(self, samples, None, allow_nd=True), None  # says so where targets are required
        samples, targets = validate_data(
            self, samples, targets, allow_nd=True, multi_output=True, y_numeric=self._numeric
        )
        return samples, self._encoded(targets)

    _numeric = False

    def _encoded(self, targets: Array) -> Array:
        return targets

    def _made(self, samples: Array, targets: Array | None) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            if not self.model.compiled:
                raise ArgumentError(f"{type(self).__name__} takes a compiled model. Call `model.compile(...)` first.")
            return self.model if self.warm_start else _copied(self.model)
        if not callable(self.model):
            raise ArgumentError(
                f"{type(self).__name__} takes a model, or a function that makes one, but got {self.model!r:.80}."
            )
        made = self.model(X=samples, y=targets, **(self.model_kwargs or {}))
        if not isinstance(made, Model) or not made.compiled:
            raise ArgumentError(f"The function given to {type(self).__name__} must return a compiled model.")
        return made

    def predict(self, X: Any) -> Array:
        """What the model gives for samples, in the form that the targets had.

        Args:
            X: samples as in `fit`.

        Raises:
            sklearn.exceptions.NotFittedError: called before `fit`.
        """
        return self._decoded(self._outputs(X))

    def _outputs(self, samples: Any) -> Array:
        check_is_fitted(self, "model_")
        samples = validate_data(self, samples, reset=False, allow_nd=True)
        return np.asarray(convert_to_numpy(self.model_.predict(samples, verbose=0)))

    def _decoded(self, outputs: Array) -> Array:
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class SKLearnClassifier(ClassifierMixin, _Estimator):
    """A model that classifies, as an estimator of scikit-learn.

    The model is trained on one-hot targets and gives a probability (or a logit) for each class, ``(n, classes)``; so
    compile it with ``"categorical_crossentropy"`` or the like.

    Args:
        model: a compiled model, which is cloned for every fit; or a function that takes `X` and `y` (one-hot) as
            keywords and returns a compiled model.
        warm_start: go on training the same model in the next fit.
        model_kwargs: further keywords for that function.
        fit_kwargs: keywords for the model's `fit`, such as ``{"epochs": 10}``.

    Attributes:
        model_: the trained model.
        history_: what `fit` recorded.
        classes_: the labels.

    Example:

    >>> import ramify
    >>> def model(X, y):
    ...     net = ramify.Sequential([ramify.Input(X.shape[1:]), ramify.layers.Dense(y.shape[1], "softmax")])
    ...     net.compile("adam", "categorical_crossentropy")
    ...     return net
    >>> estimator = SKLearnClassifier(model, fit_kwargs={"epochs": 2}).fit([[0.0], [1.0], [2.0]], ["a", "b", "a"])
    >>> estimator.predict([[3.0]]).shape, estimator.classes_.tolist()
    ((1,), ['a', 'b'])
    """

    classes_: Array
    _encoder: Any

    def _encoded(self, targets: Array) -> Array:
        check_classification_targets(targets)
        kind = type_of_target(targets)
        if kind not in ("binary", "multiclass"):
            raise ArgumentError(
                f"Only binary and multiclass classification: one label for each sample, but the targets are {kind!r}. "
                "Supported are (n,) and (n, 1)."
            )
        column = column_or_1d(targets, warn=True).reshape(-1, 1)
        if not (self.warm_start and hasattr(self, "_encoder")):
            self._encoder = OneHotEncoder(sparse_output=False, dtype=np.float32).fit(column)
            self.classes_ = self._encoder.categories_[0]
        if len(self.classes_) < 2:
            raise ArgumentError(f"SKLearnClassifier can't train when only one class is present: {self.classes_}.")
        return np.asarray(self._encoder.transform(column))

    def _decoded(self, outputs: Array) -> Array:
        return np.asarray(self.classes_[outputs.reshape(len(outputs), -1).argmax(-1)])


class SKLearnRegressor(RegressorMixin, _Estimator):
    """A model that predicts numbers, as an estimator of scikit-learn.

    Args:
        model: a compiled model, which is cloned for every fit; or a function that takes `X` and `y` as keywords and
            returns a compiled model.
        warm_start: go on training the same model in the next fit.
        model_kwargs: further keywords for that function.
        fit_kwargs: keywords for the model's `fit`, such as ``{"epochs": 10}``.

    Attributes:
        model_: the trained model.
        history_: what `fit` recorded.

    Example:

    >>> import ramify
    >>> net = ramify.Sequential([ramify.Input((1,)), ramify.layers.Dense(1)])
    >>> net.compile("sgd", "mse")
    >>> SKLearnRegressor(net).fit([[0.0], [1.0]], [0.0, 2.0]).predict([[3.0]]).shape
    (1,)
    """

    _numeric = True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _encoded(self, targets: Array) -> Array:
        self._targets_are_column = targets.ndim == 1
        return targets.reshape(-1, 1) if targets.ndim == 1 else targets

    def _decoded(self, outputs: Array) -> Array:
        outputs = outputs.astype("float64")  # as scikit-learn expects of regressors
        return outputs.reshape(-1) if self._targets_are_column and outputs.shape[1:] == (1,) else outputs


class SKLearnTransformer(TransformerMixin, _Estimator):
    """A model that makes features, as a step of a scikit-learn pipeline.

    Args:
        model: a compiled model, which is cloned for every fit; or a function that takes `X` and `y` as keywords and
            returns a compiled model.
        warm_start: go on training the same model in the next fit.
        model_kwargs: further keywords for that function.
        fit_kwargs: keywords for the model's `fit`, such as ``{"epochs": 10}``.

    Attributes:
        model_: the trained model.
        history_: what `fit` recorded.

    Example:

    >>> import ramify
    >>> net = ramify.Sequential([ramify.Input((1,)), ramify.layers.Dense(3)])
    >>> net.compile("sgd", "mse")
    >>> SKLearnTransformer(net).fit([[0.0], [1.0]], [[0.0] * 3, [1.0] * 3]).transform([[3.0]]).shape
    (1, 3)
    """

    def transform(self, X: Any) -> Array:
        """What the model makes of samples.

        Args:
            X: samples as in `fit`.
        """
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _copied(model: Any) -> Any:
    """A model of the same kind with fresh weights, compiled in the same way."""
    copy = clone_model(model)
    copy.compile_from_config(model.get_compile_config())
    return copy
