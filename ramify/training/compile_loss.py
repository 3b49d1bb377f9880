"""The losses that `compile` was given, put together to the one number that is minimised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ramify import metrics
from ramify.errors import ArgumentError
from ramify.losses import Loss
from ramify.losses.lookup import as_loss
from ramify.training.outputs import Assigned, Outputs


@dataclass
class _Term:
    """The loss of one output."""

    index: int
    label: str
    loss: Loss
    weight: float | None
    mean: metrics.Mean


class CompileLoss:
    """The weighted sum of the losses of a model's outputs.

    What belongs to what is worked out when the first batch has shown how the outputs are nested.

    Args:
        loss: one loss for all outputs, a list in their order, a dict by their names, or nested as they are; ``None``
            for an output that has no loss.
        loss_weights: numbers, in the same ways.
        output_names: names of the outputs, for models that know them.

    Example:

    >>> loss = CompileLoss({"a": "mse", "b": "mae"}, {"a": 0.5})
    >>> loss({"a": torch.ones(2, 1), "b": torch.ones(2, 1)}, {"a": torch.zeros(2, 1), "b": torch.zeros(2, 1)})
    tensor(1.5000)
    >>> [mean.name for mean in loss.metrics]
    ['a_loss', 'b_loss']
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None) -> None:
        self.loss = loss
        self.loss_weights = loss_weights
        self.output_names = output_names
        self._terms: list[_Term] | None = None
        self._outputs: Outputs | None = None

    @property
    def built(self) -> bool:
        """Whether a batch has shown which loss belongs to which output."""
        return self._terms is not None

    @property
    def metrics(self) -> list[metrics.Mean]:
        """The running means of the outputs' losses, where there are several."""
        terms = self._terms or []
        return [term.mean for term in terms] if len(terms) > 1 else []

    def build(self, y_pred: Any) -> list[_Term]:
        """Work out which loss belongs to which output.

        Raises:
            ArgumentError: names that are no outputs, or another number of losses or weights than of outputs.
        """
        outputs = self._outputs = Outputs(y_pred, self.output_names)
        losses = [_only(loss) for loss in outputs.assign(self.loss, "loss", missing=None)]
        weights = [_only(weight) for weight in outputs.assign(self.loss_weights, "loss_weights", missing=None)]
        self._y, self._weights = Assigned(outputs, "y"), Assigned(outputs, "sample_weight", shared=True)
        terms: list[_Term] = []
        taken: set[str] = set()
        for i, (given, weight) in enumerate(zip(losses, weights, strict=True)):
            if weight is not None and not isinstance(weight, (int, float)):
                raise ArgumentError(
                    f"loss_weights holds {weight!r:.60} for {outputs.describe(outputs.paths[i])}. Use numbers."
                )
            loss = as_loss(given, given if isinstance(given, str) else None)
            if loss is not None:
                label = _label(outputs, i, loss, taken)
                terms.append(_Term(i, label, loss, weight, metrics.Mean(name=label)))
        self._terms = terms
        return terms

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor | None:
        """The loss of a batch, and its parts noted in `metrics`.

        Args:
            y_true: targets, nested as the outputs are, flat, or by name.
            y_pred: predictions.
            sample_weight: one array for all outputs, or nested like the targets.

        Returns:
            A scalar; ``None`` where no output has a loss.

        Raises:
            ArgumentError: an output with a loss but without a target.
        """
        terms = self._terms
        if terms is None:
            terms = self.build(y_pred)
        plain = type(y_pred) is torch.Tensor and isinstance(y_true, torch.Tensor)
        if plain and len(terms) == 1 and (sample_weight is None or isinstance(sample_weight, torch.Tensor)):
            return _value(terms[0], y_true, y_pred, sample_weight)
        if not terms:
            return None
        assert self._outputs is not None  # made along with the terms
        targets, weights = self._y(y_true), self._weights(sample_weight)
        predictions = self._outputs.pick(y_pred)
        total: torch.Tensor | None = None
        for term in terms:
            i = term.index
            if targets[i] is None:
                raise ArgumentError(
                    f"No target for the output {self._outputs.describe(self._outputs.paths[i])}, which has the loss "
                    f"'{term.loss.name}'. Pass y for it, or None as its loss."
                )
            value = _value(term, targets[i], predictions[i], weights[i], note=len(terms) > 1)
            total = value if total is None else total + value
        return total


def _value(term: _Term, y_true: Any, y_pred: Any, sample_weight: Any, note: bool = False) -> torch.Tensor:
    value = term.loss(y_true, y_pred, sample_weight)
    if value.ndim:
        raise ArgumentError(
            f"The loss '{term.loss.name}' gave {tuple(value.shape)} numbers, but training minimises one. "
            "Make it with reduction='sum_over_batch_size'."
        )
    if note:
        term.mean.update_state(value, sample_weight=y_pred.shape[0])
    return value if term.weight is None else value * term.weight


def _only(value: Any) -> Any:
    while isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    return value


def _label(outputs: Outputs, i: int, loss: Loss, taken: set[str]) -> str:
    """``<output>_loss``; after the loss where outputs have no names; the keys that lead to an output come before."""
    name, path = outputs.names[i], outputs.paths[i]
    parts = [part for part in path if isinstance(part, str)]
    if not (path and path[-1] == name):
        parts.append(name if name is not None else loss.name)
    base = label = "/".join(parts) + "_loss"
    number = 0
    while label in taken:
        number += 1
        label = f"{base}_{number}"
    taken.add(label)
    return label
