"""Learning rates that change with the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ramify import registry
from ramify.optimizers.schedules.base import MODULE, LearningRateSchedule
from ramify.optimizers.schedules.cosines import CosineDecay, CosineDecayRestarts
from ramify.optimizers.schedules.decays import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """A schedule as plain data."""
    return registry.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described.

    Args:
        config: what `serialize` gave.
        custom_objects: name -> class, looked up first.

    >>> deserialize(serialize(CosineDecay(0.1, 10))).decay_steps
    10
    """
    return registry.deserialize(config, MODULE, custom_objects, what="learning rate schedule")
