"""Learning rates that fall: exponentially, with the inverse of time, polynomially, in stairs."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.schedules.base import MODULE, FormulaSchedule


@registry.serializable(MODULE)
class ExponentialDecay(FormulaSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: rate of step 0.
        decay_steps: steps after which `decay_rate` was applied once, above zero.
        decay_rate: the factor.
        staircase: apply it all at once after every `decay_steps`.
        name: name of the schedule.

    >>> ExponentialDecay(1.0, 10, 0.5)([0, 10, 20])
    tensor([1.0000, 0.5000, 0.2500])
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def at(self, step: float) -> float:
        """The learning rate of a step."""
        power = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**power)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@registry.serializable(MODULE)
class InverseTimeDecay(FormulaSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Args:
        initial_learning_rate: rate of step 0.
        decay_steps: steps that count as one unit of time, above zero.
        decay_rate: how fast the rate falls.
        staircase: let time advance all at once after every `decay_steps`.
        name: name of the schedule.

    >>> InverseTimeDecay(1.0, 10, 1.0)([0, 10, 30])
    tensor([1.0000, 0.5000, 0.2500])
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def at(self, step: float) -> float:
        """The learning rate of a step."""
        time = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate / (1.0 + self.decay_rate * time))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@registry.serializable(MODULE)
class PolynomialDecay(FormulaSchedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps`, along a power of the way left.

    ``(initial - end) * (1 - step / decay_steps) ** power + end``.

    Args:
        initial_learning_rate: rate of step 0.
        decay_steps: steps until the end, above zero.
        end_learning_rate: rate at the end and after it.
        power: 1 is a straight line.
        cycle: at the end, start again on a way of twice, three times, ... the steps, instead of staying.
        name: name of the schedule.

    >>> PolynomialDecay(1.0, 10, 0.0)([0, 5, 10, 20])
    tensor([1.0000, 0.5000, 0.0000, 0.0000])
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def at(self, step: float) -> float:
        """The learning rate of a step."""
        whole = self.decay_steps
        if self.cycle:
            whole *= math.ceil(step / self.decay_steps) if step else 1
        else:
            step = min(step, whole)
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * (1.0 - step / whole) ** self.power + self.end_learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


@registry.serializable(MODULE)
class PiecewiseConstantDecay(FormulaSchedule):
    """One rate up to each boundary, the boundary's own step included.

    Args:
        boundaries: steps, rising.
        values: rates, one more than there are boundaries.
        name: name of the schedule.

    Raises:
        ArgumentError: numbers of boundaries and values that do not fit.

    >>> PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])([10, 11, 21])
    tensor([1.0000, 0.5000, 0.2500])
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                f"PiecewiseConstantDecay needs one value more than boundaries, but received {len(values)} values "
                f"{list(values)} and {len(boundaries)} boundaries {list(boundaries)}."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def at(self, step: float) -> float:
        """The learning rate of a step."""
        return float(self.values[bisect.bisect_left(self.boundaries, step)])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


def _positive(name: str, value: float) -> None:
    if value <= 0:
        raise ArgumentError(f"{name} must be above 0, but is {value}.")
