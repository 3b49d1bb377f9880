"""The losses that `compile` was given, put together to the one number that is minimised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ramify import metrics
from ramify.errors import ArgumentError, ShapeError
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
        self.noted: list[tuple[Any, torch.Tensor, int]] | None = None  # instead of in `metrics`, where a list

    @property
    def built(self) -> bool:
        """Whether a batch has shown which loss belongs to which output."""
        return self._terms is not None

    @property
    def metrics(self) -> list[metrics.Mean]:
        """The running means of the outputs' losses, where there are several."""
        terms = self._terms or []
        return [term.mean for term in terms] if len(terms) > 1 else []

    @property
    def waits(self) -> bool:
        """Whether no predictions have yet shown how the outputs are nested."""
        return self._terms is None

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
                mean = metrics.Mean(name=label)
                for variable in mean.variables:
                    variable.path = f"compile_loss/{variable.path}"  # as Keras has it in its state trees
                terms.append(_Term(i, label, loss, weight, mean))
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
            value = self._value(terms[0], y_true, y_pred, sample_weight)
            return value if terms[0].weight is None else value * terms[0].weight
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
            value = self._value(term, targets[i], predictions[i], weights[i])
            if len(terms) > 1:
                self._note(term.mean, value, predictions[i].shape[0])
            value = value if term.weight is None else value * term.weight
            total = value if total is None else total + value
        return total

    def _value(self, term: _Term, y_true: Any, y_pred: Any, sample_weight: Any) -> torch.Tensor:
        try:
            value = term.loss(y_true, y_pred, sample_weight)
        except (RuntimeError, IndexError) as error:
            if "out of memory" in str(error):
                raise
            assert self._outputs is not None  # made along with the terms
            weights = "" if sample_weight is None else f" and weights of shape {_shape(sample_weight)}"
            raise ShapeError(
                f"The loss '{term.loss.name}' of the output {self._outputs.describe(self._outputs.paths[term.index])} "
                f"cannot compare targets of shape {_shape(y_true)} with predictions of shape {_shape(y_pred)}{weights} "
                f"({error}). Pass targets that fit the predictions, or choose another loss."
            ) from error
        if value.ndim:
            raise ArgumentError(
                f"The loss '{term.loss.name}' gave {tuple(value.shape)} numbers, but training minimises one. "
                "Make it with reduction='sum_over_batch_size'."
            )
        return value

    def _note(self, mean: Any, value: torch.Tensor, count: int) -> None:
        if self.noted is None:
            mean.update_state(value, sample_weight=count)
        else:
            self.noted.append((mean, value, count))


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


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
