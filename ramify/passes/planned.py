"""`Planned`: the part of a model that knows of passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from ramify.errors import GraphError
from ramify.layers.layer import Layer
from ramify.passes.catalogue import PASSES, checked
from ramify.passes.explain import Explanation
from ramify.passes.frozen import Frozen
from ramify.passes.plans import Plans


class Planned(Layer):
    """A layer that may run a plan in place of its sublayers where only numbers are wanted."""

    def _plan_for(self, inputs: Sequence[Any]) -> Callable[..., Any] | None:
        """What runs a call for inference, or ``None`` where the layers must run."""
        if torch.is_grad_enabled():
            return None
        own = self.__dict__
        plans = own.get("_plans")
        if plans is None:
            plans = own["_plans"] = Plans(own.get("_passes", frozenset(PASSES)))
        found: Callable[..., Any] | None = plans.find(self, inputs) if plans.passes else None
        return found

    @property
    def passes(self) -> frozenset[str]:
        """Names of the passes that calls for inference may use; set it to switch some off, or all of them.

        Calls without gradient (`predict`, `evaluate`, and calls under ``torch.no_grad()``) run straight-line code that
        these passes have rewritten. Whatever they do is equal up to rounding. With none, the layers run one by one.

        Raises:
            ArgumentError: a name that no pass has.

        Example:

        >>> import ramify
        >>> x = ramify.Input((4,))
        >>> model = ramify.Model(x, ramify.layers.Dense(2)(x))
        >>> model.passes -= {"twins", "siblings"}
        >>> "twins" in model.passes
        False
        """
        found: frozenset[str] = self.__dict__.get("_passes", frozenset(PASSES))
        return found

    @passes.setter
    def passes(self, names: Iterable[str]) -> None:
        self.__dict__["_passes"] = checked(names)
        self.__dict__["_plans"] = None

    def optimize_for_inference(self, passes: Iterable[str] | None = None) -> Frozen:
        """A copy of the model for inference alone, at the least cost per call.

        Weights are folded and packed once; later changes of the model do not reach the copy.

        Args:
            passes: names of the passes to use; those in `passes` when not given.

        Returns:
            A function of the model's inputs, which returns tensors; its `predict` returns arrays.

        Raises:
            GraphError: the model has no graph.
            ArgumentError: a name that no pass has.

        Example:

        >>> import torch, ramify
        >>> x = ramify.Input((4,))
        >>> fast = ramify.Model(x, ramify.layers.Dense(2)(x)).optimize_for_inference()
        >>> fast(torch.zeros(1, 4)).shape
        torch.Size([1, 2])
        """
        if self.__dict__.get("_graph") is None:
            raise GraphError(
                f"{self.describe()} has no graph to optimize: only functional models and built sequential ones do. "
                "Make it with `Model(inputs, outputs)`, or use `torch.compile`."
            )
        return Frozen(self, self.passes if passes is None else checked(passes))

    def explain(self) -> Explanation:
        """Which passes fired where in the calls for inference so far, and how training steps run; prints as text."""
        plans = self.__dict__.get("_plans")
        engine = self.__dict__.get("_engine")
        told = getattr(engine, "explanation", None)
        return Explanation([] if plans is None else plans.entries.items(), self.passes, told)
