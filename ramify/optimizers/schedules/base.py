"""What all learning rate schedules share."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch

from ramify import registry

MODULE = "keras.optimizers.schedules"


@registry.serializable(MODULE)
class LearningRateSchedule:
    """The base of all schedules: override `__call__`, which gives the learning rate of a step.

    The step is a tensor of rank 0 on the CPU; the result may be a tensor or a number.

    Example:

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5**step
    >>> Halving()(1)
    0.05
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate of a step.

        Args:
            step: how many steps were done before.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `__call__(step)`. Define it.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `get_config`, which saving needs. Define one that returns the constructor's "
            "arguments."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The schedule that `get_config` described."""
        return cls(**config)


class FormulaSchedule(LearningRateSchedule):
    """A schedule that is a formula on plain numbers, so that a step costs no tensor operation."""

    def at(self, step: float) -> float:
        """The learning rate of a step, as a Python number."""
        raise NotImplementedError

    def __call__(self, step: Any) -> torch.Tensor:
        """The learning rate of a step, or of each of many.

        Args:
            step: a number, or a tensor or array of numbers.

        Returns:
            float32 tensor of the shape of `step`.
        """
        if isinstance(step, torch.Tensor):
            step = step.detach().cpu().numpy()
        steps = np.asarray(step, dtype=np.float64)
        return torch.tensor([self.at(s) for s in steps.ravel().tolist()], dtype=torch.float32).reshape(steps.shape)
