"""`Loss`, what every loss derives from, and the wrapper that makes one of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch

from ramify import dtypes, naming, registry
from ramify.losses.reduction import MEANS, check_reduction, mask_of, reduce_weighted
from ramify.losses.tensors import as_tensor, map_structure, same_rank


@registry.serializable("keras.losses")
class Loss:
    """The base of all losses: override `call`, which gives one loss per sample; weighing and reducing is done here.

    Args:
        name: name of the loss; that of the class when ``None``.
        reduction: ``"sum_over_batch_size"`` or ``"mean"`` (the mean over all values), ``"sum"``,
            ``"mean_with_sample_weight"`` (the sum over the sum of the weights), ``"none"`` or ``None``.
        dtype: dtype that the inputs are cast to; `floatx` when ``None``.

    Raises:
        ArgumentError: an unknown reduction.

    Example:

    >>> class Cubed(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return (y_true - y_pred).abs().pow(3).mean(-1)
    >>> Cubed()([[0.0, 0.0]], [[1.0, 2.0]])
    tensor(4.5000)
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or naming.to_snake_case(type(self).__name__)
        self.reduction = check_reduction(reduction)
        self._dtype = dtypes.to_torch(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        """Name of the dtype that the inputs are cast to."""
        return dtypes.name(self._dtype)

    def call(self, y_true: Any, y_pred: Any) -> torch.Tensor:
        """One loss per sample.

        Args:
            y_true: targets, as passed to the loss but as tensors of its dtype.
            y_pred: predictions, likewise.

        Returns:
            Losses of shape ``(batch, ...)``; a mask attached to them is honoured.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `call(y_true, y_pred)`. Define it.")

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The unweighted mean over the batch by one kernel, or ``None`` where only the general way gives it."""
        return None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        """The loss of a batch.

        Args:
            y_true: targets: tensor, array, numbers, or nested dicts and lists of them.
            y_pred: predictions, likewise.
            sample_weight: weights that broadcast to the losses per sample, or ``None``.

        Returns:
            A scalar, or the losses per sample where the reduction is ``None``.

        Raises:
            ShapeError: weights that do not fit.
        """
        mask = mask_of(y_pred)
        if isinstance(y_pred, torch.Tensor):
            y_pred = as_tensor(y_pred, self._dtype)
            y_true = self._convert(y_true, y_pred.device)
            if sample_weight is None and mask is None and self.reduction in MEANS and isinstance(y_true, torch.Tensor):
                fused = self.mean_fused(y_true, y_pred)
                if fused is not None:
                    return fused
        else:
            y_pred = self._convert(y_pred, None)
            y_true = self._convert(y_true, y_pred.device if isinstance(y_pred, torch.Tensor) else None)
        losses = self.call(y_true, y_pred)
        own = mask_of(losses)
        if own is not None:
            mask = own if mask is None else mask.bool() & own.bool()
        return reduce_weighted(as_tensor(losses, self._dtype), sample_weight, mask, self.reduction)

    def _convert(self, x: Any, device: torch.device | None) -> Any:
        if isinstance(x, torch.Tensor):
            return as_tensor(x, self._dtype, device)
        return map_structure(lambda leaf: as_tensor(leaf, self._dtype, device), x)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The loss that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


@registry.serializable("keras.losses")
class LossFunctionWrapper(Loss):
    """A loss made of a function.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``, which returns one loss per sample.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.
        **kwargs: passed on to `fn`.

    Example:

    >>> LossFunctionWrapper(lambda y_true, y_pred, p: (y_true - y_pred).abs() ** p, p=2)([0.0], [3.0])
    tensor(9.)
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> torch.Tensor:
        """What the function gives, after ranks were made equal where they differ by a last axis of size 1."""
        if isinstance(y_true, torch.Tensor) and isinstance(y_pred, torch.Tensor) and y_true.ndim != y_pred.ndim:
            y_true, y_pred = same_rank(y_true, y_pred)
        result: torch.Tensor = self.fn(y_true, y_pred, **self._fn_kwargs)
        return result

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss; the function by its registered name."""
        config = super().get_config()
        config["fn"] = registry.serialize(self.fn)
        return config | registry.serialize(self._fn_kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The loss that `get_config` described; its function must be registered."""
        config = dict(config)
        if "fn" in config:
            config["fn"] = registry.deserialize(config["fn"], "keras.losses", what="loss function")
        return cls(**config)


class BuiltinLoss(LossFunctionWrapper):
    """A loss of the library: its config is its constructor's arguments, without the function."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return Loss.get_config(self) | dict(self._fn_kwargs)
