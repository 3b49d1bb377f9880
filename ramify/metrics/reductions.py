"""Means and sums of values, and of what a function makes of targets and predictions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch

from ramify import registry
from ramify.losses.reduction import apply_mask, mask_of
from ramify.losses.tensors import as_tensor, check_broadcast, same_rank
from ramify.metrics.base import Metric, ratio
from ramify.metrics.names import FUNCTIONS


def per_sample(
    values: Any, sample_weight: Any, dtype: torch.dtype, reduce: Callable[..., torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Weigh values, and reduce them to one per sample.

    Args:
        values: ``(batch, ...)``; a mask attached to them counts as weights.
        sample_weight: weights of the values or of the samples, or ``None``.
        dtype: dtype of the results.
        reduce: `torch.mean` or `torch.sum`, over the axes after the first.

    Returns:
        Values and weights, ``(batch,)``; the weights ``None`` where there are none.
    """
    mask = mask_of(values)
    values = as_tensor(values, dtype)
    weights = None if sample_weight is None else as_tensor(sample_weight, dtype, values.device)
    weights = apply_mask(weights, mask, dtype, "sum")
    if weights is None:
        return (reduce(values, dim=tuple(range(1, values.ndim))) if values.ndim > 1 else values), None
    values, weights = same_rank(values, weights)
    if values.ndim > weights.ndim:
        values = reduce(values, dim=tuple(range(weights.ndim, values.ndim)))
    check_broadcast("sample_weight", weights, values)
    values, weights = values * weights, weights.expand_as(values)
    if values.ndim > 1:
        values = reduce(values, dim=tuple(range(1, values.ndim)))
    if weights.ndim > 1:
        weights = reduce(weights, dim=tuple(range(1, weights.ndim)))
    return values, weights


@registry.serializable("keras.metrics", "sum")
class Sum(Metric):
    """The weighted sum of all values.

    >>> Sum()([1.0, 3.0])
    tensor(4.)
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: any shape.
            sample_weight: weights of the values or of the samples, or ``None``.
        """
        values, _ = per_sample(values, sample_weight, self._dtype, torch.sum)
        self.follow(values.device)
        self.total.add_(values.sum())

    def result(self) -> torch.Tensor:
        """The sum."""
        return self.total.value.clone()


@registry.serializable("keras.metrics", "mean")
class Mean(Metric):
    """The weighted mean of all values; 0 before there are any.

    >>> Mean()([1.0, 3.0], sample_weight=[1.0, 0.0])
    tensor(1.)
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: any shape; several axes are averaged to one value per sample.
            sample_weight: weights of the values or of the samples, or ``None``.
        """
        one = isinstance(values, (int, float)) or (isinstance(values, torch.Tensor) and not values.ndim)
        if one and (sample_weight is None or isinstance(sample_weight, (int, float))):
            self._add_one(values, 1 if sample_weight is None else sample_weight)
            return
        values, weights = per_sample(values, sample_weight, self._dtype, torch.mean)
        self.follow(values.device)
        self.total.add_(values.sum())
        self.count.add_((values.shape[0] if values.ndim else 1) if weights is None else weights.sum())

    def _add_one(self, value: Any, weight: float) -> None:
        """One value, such as the loss of a batch weighed by its size: two small additions."""
        if isinstance(value, torch.Tensor):
            self.follow(value.device)
            self.total.add_(value if value.is_floating_point() else value.to(self._dtype), alpha=weight)
        else:
            self.total.add_(value * weight)
        self.count.add_(weight)

    def result(self) -> torch.Tensor:
        """The mean."""
        return ratio(self.total.value, self.count.value)

    def as_number(self) -> float:
        """The number of `result`; on the CPU without the tensors on the way to it."""
        if type(self).result is Mean.result and self._dtype is torch.float32 and self.total.is_cpu:
            count = self.count.item()
            # The quotient of two float32 in double precision, rounded to float32, is their quotient in float32.
            quotient = self.total.item() / count if count else 0.0
            if abs(quotient) < 1e38:  # which float32 surely holds
                return float(np.float32(quotient))
        number: float = self.result().item()
        return number


@registry.serializable("keras.metrics")
class MeanMetricWrapper(Mean):
    """The mean of what a function makes of targets and predictions.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``, which returns one value per sample.
        name: name of the metric.
        dtype: as in `Metric`.
        **kwargs: passed on to `fn`.

    Example:

    >>> MeanMetricWrapper(lambda y_true, y_pred: (y_true - y_pred).abs())([1.0, 2.0], [2.0, 4.0])
    tensor(1.5000)
    """

    _direction: str | None = None

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)  # type: ignore[arg-type]  # None makes a name up
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]  # a metric of pairs, made of a metric of values
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Gather a batch.

        Args:
            y_true: targets.
            y_pred: predictions; a mask attached to them leaves values out.
            sample_weight: weights of the values or of the samples, or ``None``.
        """
        mask = mask_of(y_pred)
        y_pred = as_tensor(y_pred, self._dtype)
        y_true = as_tensor(y_true, self._target_dtype(y_true), y_pred.device)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        values = values if isinstance(values, torch.Tensor) else as_tensor(values)
        own = mask_of(values)
        mask = own if mask is None else mask if own is None else mask.bool() & own.bool()
        if mask is not None:
            weights = None if sample_weight is None else as_tensor(sample_weight, self._dtype, y_pred.device)
            sample_weight, values = apply_mask(weights, mask, self._dtype, "sum"), values.detach()
        Mean.update_state(self, values, sample_weight)

    def _target_dtype(self, y_true: Any) -> torch.dtype | None:
        # Class numbers stay whole: float32 cannot tell those above 2**24 apart.
        whole = isinstance(y_true, torch.Tensor) and not y_true.is_floating_point()
        return None if whole and self._keeps_labels else self._dtype

    _keeps_labels = False

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric; the function by its registered name."""
        config = {"name": self.name, "dtype": self.dtype}
        if type(self) is MeanMetricWrapper:
            return config | {"fn": registry.serialize(self._fn)} | registry.serialize(self._fn_kwargs)
        arguments = inspect.signature(type(self).__init__).parameters
        return config | {key: value for key, value in self._fn_kwargs.items() if key in arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The metric that `get_config` described; its function must be registered."""
        config = dict(config)
        if "fn" in config:
            fn = config["fn"]
            name = fn.get("config") if isinstance(fn, dict) and fn.get("class_name") == "function" else fn
            known = registry.lookup(name, FUNCTIONS) if isinstance(name, str) else None
            config["fn"] = known or registry.deserialize(fn, "keras.losses", what="metric function")
        return cls(**config)
