"""Callbacks: what happens around training, besides training."""

from ramify.callbacks.backup_and_restore import BackupAndRestore
from ramify.callbacks.callback import Callback
from ramify.callbacks.callback_list import CallbackList
from ramify.callbacks.chart import Chart
from ramify.callbacks.early_stopping import EarlyStopping
from ramify.callbacks.history import History
from ramify.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from ramify.callbacks.model_checkpoint import ModelCheckpoint
from ramify.callbacks.orbax_checkpoint import OrbaxCheckpoint
from ramify.callbacks.progress_logger import ProgbarLogger
from ramify.callbacks.remote_monitor import RemoteMonitor
from ramify.callbacks.small import CSVLogger, LambdaCallback, TerminateOnNaN
from ramify.callbacks.swap_ema_weights import SwapEMAWeights
from ramify.callbacks.tensorboard import TensorBoard
from ramify.callbacks.torch_scheduler import TorchScheduler

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Chart",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "TorchScheduler",
]
