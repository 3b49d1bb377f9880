"""Learning rates that fall along a cosine, once or again and again."""

from __future__ import annotations

import math
from typing import Any

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.schedules.base import MODULE, FormulaSchedule


@registry.serializable(MODULE)
class CosineDecay(FormulaSchedule):
    """Half a cosine from the initial rate down to `alpha` times it, after a straight rise if that is wanted.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: rate of step 0.
        decay_steps: steps of the fall, above zero.
        alpha: the lowest rate, as a share of the highest.
        name: name of the schedule.
        warmup_target: rate that the rise ends with and the fall begins at; no rise when ``None``.
        warmup_steps: steps of the rise.

    >>> CosineDecay(1.0, 10)([0, 5, 10])
    tensor([1.0000, 0.5000, 0.0000])
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        if decay_steps <= 0:
            raise ArgumentError(f"decay_steps must be above 0, but is {decay_steps}.")
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (
            initial_learning_rate,
            decay_steps,
            alpha,
            name,
        )
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def at(self, step: float) -> float:
        """The learning rate of a step."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            step = min(step, self.warmup_steps + self.decay_steps)
            if step < self.warmup_steps:
                return float(top + (self.warmup_target - top) * step / self.warmup_steps)
            step, top = step - self.warmup_steps, self.warmup_target
        fall = 0.5 * (1.0 + math.cos(math.pi * min(step / self.decay_steps, 1.0)))
        return float(top * ((1.0 - self.alpha) * fall + self.alpha))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@registry.serializable(MODULE)
class CosineDecayRestarts(FormulaSchedule):
    """Cosine falls one after the other, each longer and lower than the last.

    Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983.

    Args:
        initial_learning_rate: rate of step 0.
        first_decay_steps: steps of the first fall, above zero.
        t_mul: each fall takes so many times the steps of the last.
        m_mul: each fall starts from so many times the rate of the last.
        alpha: the lowest rate, as a share of the initial rate.
        name: name of the schedule.

    >>> CosineDecayRestarts(1.0, 10)([0, 5, 10, 20])
    tensor([1.0000, 0.5000, 1.0000, 0.5000])
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        if first_decay_steps <= 0:
            raise ArgumentError(f"first_decay_steps must be above 0, but is {first_decay_steps}.")
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def at(self, step: float) -> float:
        """The learning rate of a step."""
        done = step / self.first_decay_steps
        if self.t_mul == 1.0:
            restart = math.floor(done)
            done -= restart
        else:
            # The falls before number r take (1 - t^r) / (1 - t) times the first one's steps.
            restart = math.floor(math.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            before = (1.0 - self.t_mul**restart) / (1.0 - self.t_mul)
            done = (done - before) / self.t_mul**restart
        fall = 0.5 * self.m_mul**restart * (1.0 + math.cos(math.pi * done))
        return float(self.initial_learning_rate * ((1.0 - self.alpha) * fall + self.alpha))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
