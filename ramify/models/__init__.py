"""Models: functional, sequential, subclassed; loaded from files, cloned."""

from ramify.models.clone import clone_model
from ramify.models.function import Function
from ramify.models.model import Functional, Model, load_model, model_from_json, save_model
from ramify.models.sequential import Sequential

__all__ = [
    "Function",
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]
