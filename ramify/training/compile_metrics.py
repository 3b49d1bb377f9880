"""The metrics that `compile` was given, as one metric that gives a dict."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ramify import metrics
from ramify.errors import ArgumentError
from ramify.training.outputs import Assigned, Outputs


@dataclass
class _Entry:
    """One metric of one output."""

    index: int
    label: str
    metric: Any
    weighted: bool


class CompileMetrics(metrics.Metric):
    """All metrics of a model's outputs.

    Which there are is known once the first batch was seen: ``"accuracy"`` depends on the shapes of targets and
    predictions.

    Args:
        given: metrics: one, or a list, for a single output; a list with one entry per output, or a dict by their names,
            for several.
        weighted: the same, of metrics that take the sample weights into account.
        output_names: names of the outputs, for models that know them.
    """

    def __init__(self, given: Any, weighted: Any = None, output_names: Sequence[str] | None = None) -> None:
        super().__init__(name="compile_metrics")
        self.given = given
        self.weighted = weighted
        self.output_names = output_names
        self._entries: list[_Entry] | None = None
        self._flat: list[Any] = []
        self._one = False
        self._awaited: Mapping[str, Any] = {}

    @property
    def built(self) -> bool:
        """Whether a batch has shown which metric belongs to which output."""
        return self._entries is not None

    @property
    def metrics(self) -> list[Any]:
        """The metrics, flat; none before the first batch."""
        return list(self._flat)

    def build(self, y_true: Any, y_pred: Any) -> list[_Entry]:
        """Work out which metric belongs to which output, and what it is called.

        Raises:
            ArgumentError: names that are no outputs, or another number of entries than of outputs.
        """
        outputs = self._outputs = Outputs(y_pred, self.output_names)
        self._y, self._weights = Assigned(outputs, "y"), Assigned(outputs, "sample_weight", shared=True)
        targets, predictions = self._y(y_true), outputs.pick(y_pred)
        entries: list[_Entry] = []
        seen: set[int] = set()
        for weighted, given in ((False, self.given), (True, self.weighted)):
            for i, group in enumerate(
                outputs.assign(given, "weighted_metrics" if weighted else "metrics", missing=None)
            ):
                for one in _flatten(group):
                    if targets[i] is None:
                        raise ArgumentError(
                            f"No target for the output {outputs.describe(outputs.paths[i])}, which has the metric "
                            f"{one!r:.60}. Pass y for it, or leave the metric out."
                        )
                    # Two outputs cannot gather in one metric.
                    own = copy.deepcopy(one) if id(one) in seen and not isinstance(one, str) else one
                    seen.add(id(own))
                    metric = metrics.resolve(own, tuple(targets[i].shape), tuple(predictions[i].shape))
                    entries.append(_Entry(i, "", metric, weighted))
        _name(entries, outputs)
        self._entries, self._flat = entries, [entry.metric for entry in entries]
        self._one = outputs.single
        awaited, self._awaited = self._awaited, {}
        for entry in entries:
            _go_on(entry.metric, awaited.get(entry.label))
        return entries

    def gathered(self) -> dict[str, list[Any]]:
        """What each metric has gathered, by its label in results."""
        return {entry.label: list(entry.metric.variables) for entry in self._entries or ()}

    def await_state(self, state: Mapping[str, Any]) -> None:
        """Let the metrics go on from what `gathered` gave, as soon as the first batch shows which they are."""
        self._awaited = dict(state)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Gather a batch.

        Args:
            y_true: targets, nested as the outputs are, flat, or by name.
            y_pred: predictions.
            sample_weight: one array for all outputs, or nested like the targets.
        """
        entries = self._entries
        if entries is None:
            entries = self.build(y_true, y_pred)
        if self._one and isinstance(y_true, torch.Tensor):
            targets, predictions, weights = [y_true], [y_pred], [sample_weight]
        else:
            targets, predictions, weights = self._y(y_true), self._outputs.pick(y_pred), self._weights(sample_weight)
        for entry in entries:
            i = entry.index
            if entry.weighted:
                entry.metric.update_state(targets[i], predictions[i], weights[i])
            else:
                entry.metric.update_state(targets[i], predictions[i])

    def result(self) -> dict[str, Any]:
        """Name -> value of each metric."""
        found: dict[str, Any] = {}
        for entry in self._entries or ():
            value = entry.metric.result()
            if isinstance(value, dict):
                found.update(value)
            else:
                found[entry.label] = value
        return found

    def reset_state(self) -> None:
        """Forget what was gathered."""
        self._awaited = {}
        for metric in self._flat:
            metric.reset_state()


def _go_on(metric: Any, values: Any) -> None:
    """Give a metric state of the same shapes; another one is no state of this metric."""
    own = list(metric.variables)
    arrays = [np.asarray(value) for value in values or ()]
    if [array.shape for array in arrays] == [tuple(variable.shape) for variable in own]:
        for variable, array in zip(own, arrays, strict=True):
            variable.assign(array)


def _flatten(group: Any) -> list[Any]:
    if group is None:
        return []
    return [one for item in group for one in _flatten(item)] if isinstance(group, (list, tuple)) else [group]


def _name(entries: list[_Entry], outputs: Outputs) -> None:
    """Names as Keras gives them: the output's first where there are several; equal names are told apart."""
    taken: set[str] = set()
    for entry in entries:
        output = outputs.names[entry.index] if len(outputs) > 1 else None
        start = f"{output}_" if output is not None else ""
        label = start + entry.metric.name
        if label in taken and entry.weighted:
            label = f"{start}weighted_{entry.metric.name}"
        base, number = label, 0
        while label in taken:
            number += 1
            label = f"{base}_{number}"
        taken.add(label)
        entry.label = label
