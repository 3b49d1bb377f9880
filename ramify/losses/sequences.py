"""Connectionist temporal classification: labels for sequences whose alignment is unknown."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import registry
from ramify.errors import ShapeError
from ramify.losses.base import BuiltinLoss
from ramify.losses.tensors import as_tensor


@registry.serializable("keras.losses")
def ctc(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Minus the log-likelihood of a label sequence, over all its alignments (Graves et al. 2006).

    Args:
        y_true: class numbers, ``(batch, length)``; 0 is the blank and fills up short sequences.
        y_pred: logits, ``(batch, steps, classes)``.

    Returns:
        Losses, ``(batch,)``.

    Raises:
        ShapeError: ranks that do not fit.

    >>> ctc([[1, 0]], [[[0.0, 0.0], [0.0, 0.0]]])
    tensor([0.2877])
    """
    y_pred = as_tensor(y_pred)
    labels = as_tensor(y_true, torch.int64, y_pred.device)
    if labels.ndim != 2 or y_pred.ndim != 3:
        raise ShapeError(
            f"ctc wants y_true of shape (batch, length) and y_pred of shape (batch, steps, classes), "
            f"but received {tuple(labels.shape)} and {tuple(y_pred.shape)}."
        )
    batch, steps, _ = y_pred.shape
    return F.ctc_loss(
        F.log_softmax(y_pred, -1).transpose(0, 1),
        labels,
        torch.full((batch,), steps, dtype=torch.int64, device=y_pred.device),
        (labels != 0).sum(-1),
        reduction="none",
    )


@registry.serializable("keras.losses")
class CTC(BuiltinLoss):
    """`ctc`, weighed and reduced as in `Loss`.

    >>> CTC()([[1, 0]], [[[0.0, 0.0], [0.0, 0.0]]])
    tensor(0.2877)
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "ctc", dtype: Any = None) -> None:
        super().__init__(ctc, reduction, name, dtype)
