"""The learning rate: a number, a schedule, or a function that gives a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.scalar import HostScalar, float32
from ramify.optimizers.schedules.base import MODULE, FormulaSchedule, LearningRateSchedule


class Rate:
    """The part of an optimizer that knows the learning rate."""

    name: str
    _iterations: HostScalar

    def _init_rate(self, learning_rate: Any) -> None:
        self._learning_rate: Any = None
        if isinstance(learning_rate, Mapping):
            learning_rate = registry.deserialize(learning_rate, MODULE, what="learning rate schedule")
        if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate):
            self._learning_rate = learning_rate
            return
        if not isinstance(learning_rate, (int, float)) and not hasattr(learning_rate, "__float__"):
            raise ArgumentError(
                f"learning_rate must be a number, a LearningRateSchedule or a function without arguments, "
                f"but is {learning_rate!r}."
            )
        self._learning_rate = HostScalar(float(learning_rate), "learning_rate", f"{self.name}/learning_rate")

    @property
    def learning_rate(self) -> Any:
        """The rate of the next step; assign a number to change it, or a schedule.

        A number that is read has `assign` and `numpy` as a variable has; under a schedule it is a tensor on the CPU.
        """
        rate = self._learning_rate
        if isinstance(rate, HostScalar):
            return rate
        if isinstance(rate, LearningRateSchedule):
            return torch.tensor(self._rate_now(), dtype=torch.float32)
        return rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        current = self._learning_rate
        if isinstance(current, HostScalar) and not callable(learning_rate):
            current.assign(learning_rate)
            return
        if isinstance(current, LearningRateSchedule) and not callable(learning_rate):
            raise ArgumentError(
                f"{self.name} takes its learning rate from a {type(current).__name__}, so that {learning_rate} would "
                "not last. Assign a schedule, or make the optimizer with a number to change it later."
            )
        self._init_rate(learning_rate)

    def _rate_now(self) -> float:
        rate = self._learning_rate
        if isinstance(rate, HostScalar):
            return float(rate.number)
        if isinstance(rate, FormulaSchedule):
            return float32(rate.at(self._iterations.number))
        if isinstance(rate, LearningRateSchedule):
            return float(rate(self._iterations.value))
        return float(rate())

    def _rate_config(self) -> Any:
        rate = self._learning_rate
        return rate.number if isinstance(rate, HostScalar) else registry.serialize(rate)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described.

        Args:
            config: what `get_config` gave.
            custom_objects: name -> class or function, looked up first.
        """
        config = dict(config)
        rate = config.get("learning_rate")
        if isinstance(rate, (Mapping, str)):
            config["learning_rate"] = registry.deserialize(rate, MODULE, custom_objects, what="learning rate schedule")
        return cls(**config)
