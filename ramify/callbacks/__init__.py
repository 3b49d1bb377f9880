"""Callbacks: what happens around training, besides training."""

from ramify.callbacks.callback import Callback
from ramify.callbacks.callback_list import CallbackList
from ramify.callbacks.early_stopping import EarlyStopping
from ramify.callbacks.history import History
from ramify.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from ramify.callbacks.model_checkpoint import ModelCheckpoint
from ramify.callbacks.progress_logger import ProgbarLogger
from ramify.callbacks.small import CSVLogger, LambdaCallback, TerminateOnNaN
from ramify.callbacks.torch_scheduler import TorchScheduler

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
    "TorchScheduler",
]
