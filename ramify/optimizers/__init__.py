"""How weights are moved against their gradients."""

from __future__ import annotations

from ramify.optimizers import schedules
from ramify.optimizers.adafactor import Adafactor
from ramify.optimizers.adagrad import Adadelta, Adagrad
from ramify.optimizers.adam import Adam, AdamW
from ramify.optimizers.adamax import Adamax, Nadam
from ramify.optimizers.base import Optimizer
from ramify.optimizers.ftrl import Ftrl
from ramify.optimizers.lamb import Lamb
from ramify.optimizers.lion import Lion
from ramify.optimizers.lookup import deserialize, get, serialize
from ramify.optimizers.loss_scale import LossScaleOptimizer
from ramify.optimizers.multi import MultiOptimizer, OptimizerMap
from ramify.optimizers.muon import Muon
from ramify.optimizers.rmsprop import RMSprop
from ramify.optimizers.schedule_free import ScheduleFreeAdamW
from ramify.optimizers.sgd import SGD
from ramify.optimizers.torch_optimizer import TorchOptimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "TorchOptimizer",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
