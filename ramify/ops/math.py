"""Mathematics beyond NumPy's: segments, largest values, error functions, complex views."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ShapeError
from ramify.ops.convert import floating, like, wide
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = [
    "cdist", "erf", "erfc", "erfinv", "extract_sequences", "in_top_k", "logsumexp", "rsqrt", "segment_max",
    "segment_min", "segment_prod", "segment_sum", "top_k", "view_as_complex", "view_as_real",
]  # fmt: skip


def _segmented(data: Any, segment_ids: Any, num_segments: Any, reduction: str, empty: float) -> Tensor:
    """Reduce the rows of equal id; ids outside the range count nowhere."""
    data, ids = like(data, segment_ids)
    ids = ids.long()
    count = int(ids.max()) + 1 if num_segments is None else int(num_segments)
    # One row more takes what belongs nowhere, so that no number has to be read.
    ids = torch.where((ids >= 0) & (ids < count), ids, count)
    result = data.new_full((count + 1, *data.shape[1:]), empty)
    if reduction == "sum":
        return result.index_add(0, ids, data)[:count]
    places = ids.view(-1, *(1 for _ in data.shape[1:])).expand(data.shape)
    return result.scatter_reduce(0, places, data, reduction)[:count]


@op
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: ARG001 - Keras has it; no kernel here needs it
    """The sum of the rows of each segment.

    Args:
        data: tensor of shape ``(rows, ...)``.
        segment_ids: whole numbers of shape ``(rows,)``; rows whose id lies outside the segments do not count.
        num_segments: number of segments; the largest id plus one when not given, which waits for the device and is
            unknown of symbolic tensors.
        sorted: that the ids rise; no kernel here needs to know.

    Returns:
        A tensor of shape ``(num_segments, ...)`` and the dtype of `data`; 0 for segments without rows.

    >>> segment_sum(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 2]))
    tensor([3., 0., 3.])
    """
    return _segmented(data, segment_ids, num_segments, "sum", 0)


def _end(data: Any, largest: bool) -> float:
    """The end of a dtype's range."""
    dtype = to_tensor(data).dtype
    if dtype.is_floating_point:
        return float("inf") if largest else float("-inf")
    return torch.iinfo(dtype).max if largest else torch.iinfo(dtype).min


@op
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: ARG001 - Keras has it; no kernel here needs it
    """The largest value of the rows of each segment; arguments as in `segment_sum`.

    Returns:
        A tensor of shape ``(num_segments, ...)``; the least value of the dtype for segments without rows.

    >>> segment_max(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 2]))
    tensor([2., -inf, 3.])
    """
    return _segmented(data, segment_ids, num_segments, "amax", _end(data, largest=False))


@op
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: ARG001 - Keras has it; no kernel here needs it
    """The least value of the rows of each segment; arguments as in `segment_sum`.

    Returns:
        A tensor of shape ``(num_segments, ...)``; the largest value of the dtype for segments without rows.

    >>> segment_min(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 2]))
    tensor([1., inf, 3.])
    """
    return _segmented(data, segment_ids, num_segments, "amin", _end(data, largest=True))


@op
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:  # noqa: ARG001 - Keras has it; no kernel here needs it
    """The product of the rows of each segment; arguments as in `segment_sum`.

    Returns:
        A tensor of shape ``(num_segments, ...)``; 1 for segments without rows.

    >>> segment_prod(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 2]))
    tensor([2., 1., 3.])
    """
    return _segmented(data, segment_ids, num_segments, "prod", 1)


@op
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest values along the last axis, and where they stand.

    Args:
        x: tensor of at least one axis.
        k: how many.
        sorted: whether they come in falling order.

    Returns:
        ``(values, indices)``, each with a last axis of size `k`.

    >>> top_k(torch.tensor([3, 1, 2]), 2)
    (tensor([3, 2]), tensor([0, 2]))
    """
    values, indices = torch.topk(to_tensor(x), k, sorted=sorted)
    return values, indices


@op
def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Whether the prediction for each target is among the `k` largest of its row; equals do not push it out.

    Args:
        targets: whole numbers of shape ``(batch,)``.
        predictions: tensor of shape ``(batch, classes)``.
        k: how many count.

    Returns:
        Booleans of shape ``(batch,)``; false where the target is no class or its prediction is not finite.

    >>> in_top_k(torch.tensor([1, 0]), torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]), 1)
    tensor([False,  True])
    """
    targets, predictions = like(targets, predictions)
    targets, classes = targets.long(), predictions.shape[-1]
    known = (targets >= 0) & (targets < classes)
    chosen = predictions.gather(-1, targets.clamp(0, classes - 1).unsqueeze(-1))
    return ((predictions > chosen).sum(-1) < k) & torch.isfinite(chosen.squeeze(-1)) & known


@op
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` over some axes, without overflow.

    Args:
        x: tensor of any shape.
        axis: axis or axes; ``None`` for all.
        keepdims: whether the axes stay, of size 1.

    >>> logsumexp(torch.tensor([1000.0, 1000.0]))
    tensor(1000.6932)
    """
    x = floating(x)
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


@op
def erf(x: Any) -> Tensor:
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to `x`.

    >>> erf(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return torch.erf(to_tensor(x))


@op
def erfc(x: Any) -> Tensor:
    """``1 - erf(x)``, exact for large `x` too.

    >>> erfc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return torch.erfc(to_tensor(x))


@op
def erfinv(x: Any) -> Tensor:
    """The inverse of `erf`, from -1 to 1.

    >>> erfinv(torch.tensor([0.0, 0.8427]))
    tensor([0.0000, 1.0000])
    """
    return torch.erfinv(to_tensor(x))


@op
def rsqrt(x: Any) -> Tensor:
    """``1 / sqrt(x)``.

    >>> rsqrt(torch.tensor([1.0, 4.0]))
    tensor([1.0000, 0.5000])
    """
    return torch.rsqrt(to_tensor(x))


@op
def cdist(x: Any, y: Any) -> Tensor:
    """The Euclidean distance of every row of one tensor to every row of another.

    Args:
        x: tensor of shape ``(..., p, features)``.
        y: tensor of shape ``(..., r, features)``.

    Returns:
        A tensor of shape ``(..., p, r)``.

    >>> cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    x, y = like(x, y)
    dtype = torch.promote_types(floating(x).dtype, floating(y).dtype)
    return torch.cdist(wide(x.to(dtype)), wide(y.to(dtype))).to(dtype)


@op
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Overlapping pieces of the last axis.

    Args:
        x: tensor of shape ``(..., length)``.
        sequence_length: length of a piece.
        sequence_stride: how far apart two pieces begin.

    Returns:
        A view of shape ``(..., pieces, sequence_length)``.

    >>> extract_sequences(torch.arange(6), 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    return to_tensor(x).unfold(-1, sequence_length, sequence_stride)


@op
def view_as_complex(x: Any) -> Tensor:
    """Complex numbers of pairs of real ones.

    Args:
        x: tensor of shape ``(..., 2)``.

    Returns:
        A complex tensor of shape ``(...)``.

    >>> view_as_complex(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    x = wide(x)
    if x.ndim == 0 or x.shape[-1] != 2:
        raise ShapeError(f"view_as_complex takes pairs along the last axis, but received shape {tuple(x.shape)}.")
    return torch.view_as_complex(x.contiguous())


@op
def view_as_real(x: Any) -> Tensor:
    """Pairs (real part, imaginary part) of complex numbers.

    Args:
        x: tensor of shape ``(...)``.

    Returns:
        A tensor of shape ``(..., 2)``.

    >>> view_as_real(torch.tensor([1.0 + 2.0j]))
    tensor([[1., 2.]])
    """
    x = to_tensor(x)
    return torch.view_as_real(x if x.is_complex() else torch.complex(floating(x), torch.zeros_like(floating(x))))
