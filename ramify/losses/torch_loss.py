"""Losses of `torch.nn`, taken as they are."""

from __future__ import annotations

import copy
from typing import Any

import torch

from ramify.losses.base import Loss
from ramify.losses.reduction import mask_of, reduce_weighted
from ramify.losses.tensors import as_tensor


class TorchLoss(Loss):
    """A `torch.nn` loss, which takes ``(input, target)``, behind the face of a `Loss`: ``(y_true, y_pred)``.

    Whole-number targets become int64 and lose a last axis of size 1 that the predictions do not have; others take the
    dtype of the predictions.

    Args:
        module: any module with ``forward(input, target)``; its own reduction is used unless weights or a mask are
            given, which need one loss per sample.
        name: name of the loss; that of the module's class when ``None``.

    Example:

    >>> TorchLoss(torch.nn.CrossEntropyLoss())([0, 1], [[0.0, 0.0], [0.0, 0.0]])
    tensor(0.6931)
    """

    def __init__(self, module: torch.nn.Module, name: str | None = None) -> None:
        super().__init__(name=name or type(module).__name__, reduction="sum_over_batch_size")
        self.module = module

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        """The loss of a batch, as the module gives it; weighed and averaged where there are weights or a mask."""
        mask = mask_of(y_pred)
        y_pred = as_tensor(y_pred)
        target = self._target(y_true, y_pred)
        if sample_weight is None and mask is None:
            result: torch.Tensor = self.module(y_pred, target)
            return reduce_weighted(result)
        module = self.module
        if getattr(module, "reduction", "none") != "none":
            module = copy.copy(module)
            setattr(module, "reduction", "none")  # noqa: B010 -- a plain attribute, for the type checker
        return reduce_weighted(module(y_pred, target), sample_weight, mask)

    @staticmethod
    def _target(y_true: Any, y_pred: torch.Tensor) -> torch.Tensor:
        whole = isinstance(y_true, list) and not isinstance(y_true[0] if y_true else 0.0, (float, list, torch.Tensor))
        target = as_tensor(y_true, torch.int64 if whole else None, y_pred.device)
        if target.is_floating_point() or target.dtype == torch.bool:
            return target.to(y_pred.dtype)
        if target.ndim == y_pred.ndim and target.shape[-1] == 1 and y_pred.shape[-1] != 1:
            target = target.squeeze(-1)
        return target.to(torch.int64) if target.ndim < y_pred.ndim else target.to(y_pred.dtype)

    def call(self, y_true: Any, y_pred: Any) -> torch.Tensor:
        """What the module gives for targets and predictions in Keras's order."""
        y_pred = as_tensor(y_pred)
        result: torch.Tensor = self.module(y_pred, self._target(y_true, y_pred))
        return result
