"""Models: functional, sequential, subclassed."""

from ramify.models.model import Functional, Model
from ramify.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential"]
