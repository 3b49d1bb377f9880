"""Cross-entropies: binary, categorical on one-hot targets, categorical on class numbers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes, registry
from ramify.errors import ArgumentError, ShapeError
from ramify.losses.base import BuiltinLoss
from ramify.losses.reduction import with_mask
from ramify.losses.tensors import as_pair, as_tensor

# No class has this number, so that torch's kernels leave out nothing by themselves.
_NO_CLASS = -(2**31)


def log_probabilities(y_pred: torch.Tensor, from_logits: bool, axis: int) -> torch.Tensor:
    """Logarithms of class probabilities.

    Probabilities are divided by their sum and clipped to ``[epsilon, 1 - epsilon]`` first.

    Args:
        y_pred: logits or probabilities.
        from_logits: which of the two.
        axis: the axis of the classes.
    """
    if from_logits:
        return F.log_softmax(y_pred, dim=axis)
    small = dtypes.epsilon()
    return (y_pred / y_pred.sum(axis, keepdim=True)).clamp(small, 1.0 - small).log()


def smoothed(y_true: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    """Distributions with a share spread evenly over the last axis, whichever axis the classes are on, as Keras does."""
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]


@registry.serializable("keras.losses", "bce", "BCE")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> torch.Tensor:
    """Cross-entropy of independent yes-no answers, averaged over an axis.

    ``-(t log p + (1 - t) log(1 - p))``, with `p` clipped to ``[epsilon, 1 - epsilon]``.

    Args:
        y_true: targets in ``[0, 1]``, ``(..., n)``.
        y_pred: probabilities or logits, ``(..., n)``.
        from_logits: `y_pred` holds logits.
        label_smoothing: how far targets are drawn towards one half, in ``[0, 1]``.
        axis: the axis the mean is taken over.

    Returns:
        Losses, the shape without `axis`.

    >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])
    tensor([0.6931])
    """
    y_true, y_pred = torch.broadcast_tensors(*as_pair(y_true, y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    loss = binary_terms(y_true, y_pred, from_logits, "none")
    return loss.mean(axis) if loss.ndim else loss


def binary_terms(y_true: torch.Tensor, y_pred: torch.Tensor, from_logits: bool, reduction: str) -> torch.Tensor:
    """Binary cross-entropies of targets and predictions of one shape, reduced as torch does."""
    if from_logits:
        return F.binary_cross_entropy_with_logits(y_pred, y_true, reduction=reduction)
    small = dtypes.epsilon()
    return F.binary_cross_entropy(y_pred.clamp(small, 1.0 - small), y_true, reduction=reduction)


@registry.serializable("keras.losses")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> torch.Tensor:
    """Cross-entropy between two distributions over classes: ``-sum(t log p)``.

    Args:
        y_true: target distributions, such as one-hot vectors, ``(..., classes)``.
        y_pred: probabilities (divided by their sum and clipped) or logits, ``(..., classes)``.
        from_logits: `y_pred` holds logits.
        label_smoothing: share of the target that is spread evenly over the classes, in ``[0, 1]``.
        axis: the axis of the classes.

    Returns:
        Losses, the shape without `axis`.

    Raises:
        ShapeError: shapes that differ.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    tensor([0.6931])
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            f"categorical_crossentropy compares distributions over the same classes, but y_true has shape "
            f"{tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}. "
            "Make y_true one-hot, or use sparse_categorical_crossentropy for class numbers."
        )
    if label_smoothing:
        y_true = smoothed(y_true, label_smoothing)
    return -(y_true * log_probabilities(y_pred, from_logits, axis)).sum(axis)


@registry.serializable("keras.losses")
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> torch.Tensor:
    """Cross-entropy of class numbers: ``-log p[t]``.

    Args:
        y_true: class numbers in ``[0, classes)``, ``(...)`` or ``(..., 1)``; any dtype that holds whole numbers.
        y_pred: probabilities (divided by their sum and clipped) or logits, ``(..., classes)``.
        from_logits: `y_pred` holds logits.
        ignore_class: a class number whose samples give zero loss and do not count in a mean.
        axis: the axis of the classes.

    Returns:
        Losses, the shape of `y_pred` without `axis`.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: class numbers out of range (on the CPU; a GPU stops with an assertion of its own).

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    tensor([0.6931])
    """
    y_pred = as_tensor(y_pred)
    labels = _labels(y_true, y_pred, axis)
    if ignore_class is None:
        return _picked(labels, y_pred, from_logits, axis)
    valid = labels != ignore_class
    return with_mask(torch.where(valid, _picked(labels * valid, y_pred, from_logits, axis), 0.0), valid)


def _labels(y_true: Any, y_pred: torch.Tensor, axis: int) -> torch.Tensor:
    labels = as_tensor(y_true, torch.int64, y_pred.device)
    if labels.ndim == y_pred.ndim and labels.ndim and labels.shape[axis] == 1:
        labels = labels.squeeze(axis)
    wanted = list(y_pred.shape)
    if wanted:
        del wanted[axis]
    if list(labels.shape) != wanted or not y_pred.ndim:
        raise ShapeError(
            f"sparse_categorical_crossentropy wants one class number per prediction: y_pred of shape "
            f"{tuple(y_pred.shape)} with classes on axis {axis} goes with y_true of shape {tuple(wanted)}, "
            f"but y_true has shape {tuple(labels.shape)}. For one-hot targets use categorical_crossentropy."
        )
    return labels


def _picked(labels: torch.Tensor, y_pred: torch.Tensor, from_logits: bool, axis: int) -> torch.Tensor:
    try:
        if from_logits:
            return -F.log_softmax(y_pred, dim=axis).gather(axis, labels.unsqueeze(axis)).squeeze(axis)
        # Of all clipped probabilities only the picked one counts, so that it is picked before the clipping.
        small = dtypes.epsilon()
        picked = y_pred.gather(axis, labels.unsqueeze(axis)) / y_pred.sum(axis, keepdim=True)
        return -picked.squeeze(axis).clamp(small, 1.0 - small).log()
    except (IndexError, RuntimeError) as error:
        raise _explain(labels, y_pred, axis, error) from error


def _explain(labels: torch.Tensor, y_pred: torch.Tensor, axis: int, error: Exception) -> Exception:
    if "out of bounds" not in str(error) or labels.is_cuda:
        return error
    return ArgumentError(
        f"Class numbers from {int(labels.min())} to {int(labels.max())} do not fit predictions of "
        f"{y_pred.shape[axis]} classes (shape {tuple(y_pred.shape)}, axis {axis}). Give the last layer one unit per "
        "class, count classes from 0, or name a class to leave out by `ignore_class`."
    )


@registry.serializable("keras.losses")
class BinaryCrossentropy(BuiltinLoss):
    """Cross-entropy of yes-no answers: `binary_crossentropy`, weighed and reduced as in `Loss`.

    Args:
        from_logits: predictions are logits.
        label_smoothing: how far targets are drawn towards one half, in ``[0, 1]``.
        axis: the axis the mean is taken over.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> BinaryCrossentropy(from_logits=True)([[1.0], [0.0]], [[0.0], [0.0]])
    tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The mean over the batch, where the shapes are equal and nothing is smoothed."""
        if self.label_smoothing or y_true.shape != y_pred.shape:
            return None
        return binary_terms(y_true, y_pred, self.from_logits, "mean")


@registry.serializable("keras.losses")
class CategoricalCrossentropy(BuiltinLoss):
    """Cross-entropy of distributions over classes: `categorical_crossentropy`, weighed and reduced as in `Loss`.

    Args:
        from_logits: predictions are logits.
        label_smoothing: share of the target that is spread evenly over the classes, in ``[0, 1]``.
        axis: the axis of the classes.
        reduction: as in `Loss`.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> CategoricalCrossentropy(from_logits=True)([[1.0, 0.0]], [[0.0, 0.0]])
    tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The mean over the batch, from logits with the classes on the last axis."""
        last = self.axis in (-1, y_pred.ndim - 1)
        if not (self.from_logits and last) or y_true.shape != y_pred.shape or y_pred.ndim < 2 or not y_pred.numel():
            return None
        classes = y_pred.shape[-1]
        return F.cross_entropy(
            y_pred.reshape(-1, classes), y_true.reshape(-1, classes), label_smoothing=self.label_smoothing
        )


@registry.serializable("keras.losses")
class SparseCategoricalCrossentropy(BuiltinLoss):
    """Cross-entropy of class numbers: `sparse_categorical_crossentropy`, weighed and reduced as in `Loss`.

    Args:
        from_logits: predictions are logits.
        ignore_class: a class number whose samples give zero loss and do not count in a mean.
        reduction: as in `Loss`.
        axis: the axis of the classes.
        name: as in `Loss`.
        dtype: as in `Loss`.

    >>> SparseCategoricalCrossentropy(from_logits=True)([0, 1], [[0.0, 0.0], [0.0, 0.0]])
    tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def _convert(self, x: Any, device: torch.device | None) -> Any:
        # Class numbers stay whole numbers: float32 cannot tell those above 2**24 apart.
        if isinstance(x, torch.Tensor) and not x.is_floating_point():
            return as_tensor(x, torch.int64, device)
        return super()._convert(x, device)

    def mean_fused(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
        """The mean over the batch, from logits with the classes on the last axis."""
        last = self.axis in (-1, y_pred.ndim - 1)
        if not (self.from_logits and last) or self.ignore_class is not None or y_pred.ndim < 2 or not y_pred.numel():
            return None
        labels = _labels(y_true, y_pred, self.axis)
        try:
            return F.cross_entropy(y_pred.reshape(-1, y_pred.shape[-1]), labels.reshape(-1), ignore_index=_NO_CLASS)
        except IndexError as error:
            raise _explain(labels, y_pred, self.axis, error) from error
