"""`Frozen`: a model for inference alone, with its weights as they were, at the least cost per call."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph.structure import flatten
from ramify.passes.arrays import new_arrays
from ramify.passes.catalogue import checked
from ramify.passes.plans import LIMIT, kind_of, make_entry
from ramify.passes.recording import RecordingError

_Tensor = torch.Tensor


class Frozen:
    """What `model.optimize_for_inference()` returns: a function of the model's inputs.

    It has a copy of the weights, and does not follow those of the model. For inputs of each kind (shapes and dtypes) it
    makes straight-line code once; a call then looks for nothing but the kind. What it returns is the model's output
    without gradient.

    Args:
        model: a model with a graph.
        passes: names of the passes to use.
    """

    def __init__(self, model: Any, passes: frozenset[str]) -> None:
        self.passes = checked(passes)
        self._model = copy.deepcopy(model).eval()
        self._runs: dict[Any, Callable[..., Any]] = {}
        self.fired: dict[Any, list[tuple[str, str]]] = {}

    def __call__(self, inputs: Any) -> Any:
        """The model's outputs.

        Args:
            inputs: one tensor or array, a list in the order of the inputs, or a dict by their names.

        Returns:
            Tensors, nested as the model's outputs are.
        """
        if type(inputs) is _Tensor and not inputs.requires_grad:
            run = self._runs.get((inputs.shape, inputs.stride(), inputs.dtype, inputs.device))
            if run is not None:
                return run(inputs)
        return self._call(inputs)

    def _call(self, inputs: Any) -> Any:
        with torch.no_grad():
            fed = [value.detach() for value in self._model.fed(inputs)]
            key = kind_of(fed)
            run = self._runs.get(key)
            return self._first(key, fed) if run is None else run(*fed)

    def _first(self, key: Any, fed: list[torch.Tensor]) -> Any:
        try:
            entry, outputs = make_entry(self._model.lowered, fed, self.passes)
        except RecordingError as error:
            raise ArgumentError(f"{self._model.describe()} cannot be frozen: {error}. Call the model itself.") from None
        if len(self._runs) >= LIMIT:
            self._runs.pop(next(iter(self._runs)))
        self.fired[key] = entry.plan.fired
        self._runs[key] = torch.no_grad()(entry.plan.run) if entry.plan.calls_layers else entry.plan.run
        return outputs

    def predict(self, x: Any) -> Any:
        """As a call, but NumPy arrays come out."""
        return new_arrays(self(x), map(dtypes.from_numpy, flatten(x)))

    @property
    def code(self) -> list[str]:
        """The code for each kind of inputs so far, as text."""
        return [getattr(run, "__wrapped__", run).__globals__["__source__"] for run in self._runs.values()]
