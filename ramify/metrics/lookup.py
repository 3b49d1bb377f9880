"""From a name, a config or a function to a metric."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ramify import losses, registry
from ramify.errors import ArgumentError
from ramify.metrics.accuracies import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from ramify.metrics.adapters import TorchMetric, is_foreign_metric
from ramify.metrics.base import Metric
from ramify.metrics.losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from ramify.metrics.names import MODULE
from ramify.metrics.reductions import MeanMetricWrapper

_BY_SHAPE: dict[str, tuple[type[Any], type[Any], type[Any]]] = {
    "accuracy": (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy),
    "crossentropy": (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy),
}
_BY_SHAPE |= {"acc": _BY_SHAPE["accuracy"], "ce": _BY_SHAPE["crossentropy"]}


def serialize(metric: Any) -> Any:
    """A metric as plain data: a dict for an object, a name for a function."""
    return registry.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that `serialize` described.

    Args:
        config: a name such as ``"mse"`` or ``"AUC"``, or a config.
        custom_objects: name -> class or function, looked up first.

    Raises:
        ArgumentError: a name that nothing is registered under.
    """
    return registry.deserialize(config, MODULE, custom_objects, what="metric")


def get(identifier: Any) -> Any:
    """The metric that an identifier stands for.

    Args:
        identifier: ``None``, a name, a config, a `Metric` class or object, a function of ``(y_true, y_pred)``, or an
            object of torchmetrics.

    Returns:
        ``None``, a function or a `Metric`.

    Raises:
        ArgumentError: anything else.

    >>> get("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, (str, Mapping)):
        return deserialize(identifier)
    if inspect.isclass(identifier):
        identifier = identifier()
    if is_foreign_metric(identifier):
        return TorchMetric(identifier)
    if isinstance(identifier, Metric) or callable(identifier):
        return identifier
    raise ArgumentError(
        f"{identifier!r} is no metric. Pass a name such as 'accuracy', a Metric, a function of (y_true, y_pred), "
        "or an object of torchmetrics."
    )


def resolve(identifier: Any, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> Metric | None:
    """The metric for one output of a model: as `get`, but always a `Metric`, and ``"accuracy"`` is told by the shapes.

    Args:
        identifier: as in `get`; also a loss. ``"accuracy"``, ``"acc"``, ``"crossentropy"`` and ``"ce"`` stand for the
            binary, the sparse or the categorical kind.
        y_true_shape: shape of a batch of targets.
        y_pred_shape: shape of a batch of predictions.

    Returns:
        A metric whose name is the string, or that of the function or object; ``None`` for ``None``.

    >>> resolve("acc", (32, 1), (32, 10))
    <SparseCategoricalAccuracy name=acc>
    """
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in _BY_SHAPE:
        made: Metric = _BY_SHAPE[identifier.lower()][_kind(y_true_shape, y_pred_shape)](name=identifier)
        return made
    if isinstance(identifier, torch.nn.Module) and not is_foreign_metric(identifier):
        identifier = losses.TorchLoss(identifier)
    found = _metric_or_loss(identifier)
    name = identifier if isinstance(identifier, str) else getattr(found, "name", getattr(found, "__name__", None))
    if not isinstance(found, Metric):
        return MeanMetricWrapper(_per_sample(found), name=name)
    if isinstance(identifier, str):
        found.name = identifier
    return found


def _metric_or_loss(identifier: Any) -> Any:
    is_loss = isinstance(identifier, str) and registry.lookup(identifier, MODULE) is None
    if is_loss and registry.lookup(identifier, losses.lookup.MODULE) is not None:
        return losses.get(identifier)
    return get(identifier)


def _per_sample(fn: Any) -> Any:
    """A loss gives one value per sample here: the metric weighs and reduces."""
    return fn.call if isinstance(fn, losses.Loss) else fn


def _kind(y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]) -> int:
    """0 for binary, 1 for sparse, 2 for categorical."""
    if len(y_pred_shape) < 2 or y_pred_shape[-1] == 1:
        return 0
    return 1 if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1 else 2
