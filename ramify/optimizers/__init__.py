"""How weights are moved against their gradients."""

from __future__ import annotations

from ramify.optimizers import schedules
from ramify.optimizers.adagrad import Adadelta, Adagrad
from ramify.optimizers.adam import Adam, AdamW
from ramify.optimizers.adamax import Adamax, Nadam
from ramify.optimizers.base import Optimizer
from ramify.optimizers.ftrl import Ftrl
from ramify.optimizers.lamb import Lamb
from ramify.optimizers.lion import Lion
from ramify.optimizers.lookup import deserialize, get, serialize
from ramify.optimizers.rmsprop import RMSprop
from ramify.optimizers.sgd import SGD
from ramify.optimizers.torch_optimizer import TorchOptimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "TorchOptimizer",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
