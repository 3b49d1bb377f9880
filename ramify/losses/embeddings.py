"""The circle loss, on embeddings that shall be close within a class and far apart between classes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import registry
from ramify.losses.base import BuiltinLoss
from ramify.losses.reduction import with_mask
from ramify.losses.tensors import as_tensor


@registry.serializable("keras.losses")
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> torch.Tensor:
    """Circle loss of every sample against all references.

    Sun et al. 2020, https://arxiv.org/abs/2002.10857, equations 5 to 8, on cosine similarities `s`: relaxed margins
    ``O_p = 1 + m``, ``O_n = -m``, ``D_p = 1 - m``, ``D_n = m``.

    Args:
        y_true: class numbers, ``(batch,)`` or ``(batch, 1)``.
        y_pred: embeddings of length one, ``(batch, n)``.
        ref_labels: class numbers of the references; `y_true` when ``None``.
        ref_embeddings: embeddings of the references, ``(references, n)``; `y_pred` when ``None``.
        remove_diagonal: do not compare sample `i` with reference `i`.
        gamma: scale of the similarities.
        margin: the relaxation `m`.

    Returns:
        Losses, ``(batch,)``; samples without a loss are masked.

    >>> circle([0, 1, 0], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]).round(decimals=4)
    tensor([0., 0., 0.])
    """
    y_pred = as_tensor(y_pred)
    references = y_pred if ref_embeddings is None else as_tensor(ref_embeddings, y_pred.dtype, y_pred.device)
    labels = as_tensor(y_true, torch.int64, y_pred.device).reshape(-1, 1)
    ref = labels if ref_labels is None else as_tensor(ref_labels, torch.int64, y_pred.device).reshape(-1, 1)
    similarity = (y_pred @ references.t()).clamp(max=1.0)
    positive = labels == ref.t()
    negative = ~positive
    if remove_diagonal:
        other = ~torch.eye(*positive.shape, dtype=torch.bool, device=positive.device)
        positive, negative = positive & other, negative & other
    pull = -gamma * (1.0 + margin - similarity).clamp(min=0.0) * (similarity - (1.0 - margin))
    push = gamma * (similarity + margin).clamp(min=0.0) * (similarity - margin)
    nothing = float("-inf")
    losses = F.softplus(
        pull.masked_fill(~positive, nothing).logsumexp(1) + push.masked_fill(~negative, nothing).logsumexp(1)
    )
    return with_mask(losses, losses > 0)


@registry.serializable("keras.losses")
class Circle(BuiltinLoss):
    """`circle` within a batch, weighed and reduced as in `Loss`.

    Args:
        gamma: scale of the similarities.
        margin: the relaxation.
        remove_diagonal: do not compare a sample with itself.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> Circle()([0, 0], [[1.0, 0.0], [1.0, 0.0]])
    tensor(0.)
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
